"""Listings of any tree, in pages of any size, while others add and remove."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred

from cluster_worker.persistence.engine import Engine
from cluster_worker.persistence.memory import MemoryEngine
from op_worker.files.listing import recursive
from op_worker.files.model import CreateOptions, MetadataChange, Shown
from op_worker.files.service import FileService
from tests.support.spaces import Site, alice, bob, owner, path

names = st.sampled_from(["a", "a.b", "b", "B", "aé", "c", "d"])
paths = st.lists(names, min_size=1, max_size=4).map(tuple)
Path = tuple[str, ...]


def directories_of(files: Collection[Path]) -> set[Path]:
    """Return every directory above some files."""
    return {file[:depth] for file in files for depth in range(1, len(file))}


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[Path], list[Path]]:
    """Files and directories, in order of their components."""
    files: set[Path] = set()
    for file in draw(st.lists(paths, max_size=16)):
        taken = directories_of(files)
        if file not in taken and not any(file[:depth] in files for depth in range(1, len(file) + 1)):
            files.add(file)
    empty = {
        one
        for one in draw(st.lists(paths, max_size=3))
        if not any(one[:depth] in files for depth in range(1, len(one) + 1))
    }
    directories = directories_of(files) | directories_of(empty) | empty
    return sorted(files), sorted(directories)


async def planted(
    files: Sequence[Path], directories: Sequence[Path], site: Site | None = None
) -> FileService:
    """Return a service over a space with this tree, which is Alice's."""
    service = await (site or Site()).process()
    for one in directories:
        await service.create_directory(alice, path("/".join(one)), CreateOptions())
    for one in files:
        await service.create_file(alice, path("/".join(one)), CreateOptions())
    return service


async def pages(list_page: Callable[..., object], **more: object) -> list[str]:
    """Read a recursive listing to its end."""
    found: list[str] = []
    token: str | None = None
    while True:
        page = await list_page(token=token, **more)  # type: ignore[misc]  # any listing call
        found += [name for name, _ in page.items]
        found += [f"!{name}" for name in page.inaccessible]
        token = page.next_token
        if token is None:
            return found


@settings(max_examples=200, deadline=None)
@given(
    trees(),
    st.integers(1, 5),
    st.sampled_from(["", "a", "a/", "a.", "b/a", "a/b/", "no/"]),
    st.sampled_from([None, "**", "*", "*/*", "a*", "a/**", "**/b", "**/[ab]*/*", "a/?/*", "no/*"]),
    st.one_of(st.just(()), paths),
    st.booleans(),
    st.integers(1, 40),
)
@ensureDeferred
async def test_a_recursive_listing_is_the_sorted_list_of_what_was_asked_for(
    tree: tuple[list[Path], list[Path]],
    limit: int,
    prefix: str,
    glob: str | None,
    after: Path,
    include_directories: bool,
    most_looked_at: int,
) -> None:
    files, directories = tree
    service = await planted(files, directories)
    candidates = sorted([*files, *directories]) if include_directories else files
    expected = [
        "/".join(one)
        for one in candidates
        if one > after and "/".join(one).startswith(prefix) and (glob is None or fits(glob.split("/"), one))
    ]
    usual, recursive.MOST_LOOKED_AT = recursive.MOST_LOOKED_AT, most_looked_at
    try:
        found = await pages(
            lambda **more: service.list_recursive(owner, path(""), **more),
            limit=limit,
            prefix=prefix,
            glob=glob,
            start_after="/".join(after),
            include_directories=include_directories,
        )
    finally:
        recursive.MOST_LOOKED_AT = usual
    assert found == expected


def fits(pattern: Sequence[str], one: Path) -> bool:
    """Whether a path matches, by trying everything; these patterns have no slash in brackets."""
    if not pattern:
        return not one
    if pattern[0] != "**":
        return bool(one) and fnmatchcase(one[0], pattern[0]) and fits(pattern[1:], one[1:])
    if len(pattern) == 1:
        return bool(one)
    return any(fits(pattern[1:], one[at:]) for at in range(len(one) + 1))


@settings(max_examples=60, deadline=None)
@given(trees(), st.sets(paths, max_size=3), st.integers(1, 4), st.booleans())
@ensureDeferred
async def test_closed_directories_are_told_of_once_wherever_pages_end(
    tree: tuple[list[Path], list[Path]], closed: set[Path], limit: int, include_directories: bool
) -> None:
    files, directories = tree
    service = await planted(files, directories)
    shut = closed & set(directories)
    for one in sorted(shut, reverse=True):
        await service.set_mode(alice, path("/".join(one)), 0o700)

    def is_open(one: Path) -> bool:
        return not any(one[:depth] in shut for depth in range(1, len(one)))

    seen = sorted(filter(is_open, [*files, *directories] if include_directories else files))
    found = await pages(
        lambda **more: service.list_recursive(bob, path(""), **more),
        limit=limit,
        include_directories=include_directories,
    )
    assert [one for one in found if not one.startswith("!")] == ["/".join(one) for one in seen]
    told = sorted(one for one in found if one.startswith("!"))
    assert told == sorted("!" + "/".join(one) for one in shut if is_open(one))


Change = tuple[bool, str]
changes = st.lists(st.tuples(st.booleans(), st.text("abcdeé.", min_size=1, max_size=2)), max_size=4)


@settings(max_examples=100, deadline=None)
@given(
    st.sets(st.text("abcdeé.", min_size=1, max_size=2).filter(lambda name: name.strip(".")), max_size=12),
    st.lists(changes, max_size=8),
    st.integers(1, 3),
    st.sampled_from(["token", "index", "recursive token", "recursive start_after"]),
)
@ensureDeferred
async def test_what_is_there_throughout_is_shown_once_and_in_order(
    begun: set[str], meanwhile: list[list[Change]], limit: int, way: str
) -> None:
    service = await planted(sorted((name,) for name in begun), [])
    throughout, present, known = set(begun), set(begun), set(begun)
    found: list[str] = []
    position: Mapping[str, str] = {}
    rounds = iter(meanwhile)
    is_last = False
    while not is_last:
        page, position, is_last = await one_page(service, way, limit, position)
        found += page
        for is_added, name in next(rounds, []):
            known.add(name)
            if is_added and name not in present and name.strip("."):
                await service.create_file(alice, path(name), CreateOptions())
                present.add(name)
            elif not is_added and name in present:
                await service.remove(alice, path(name))
                present.discard(name)
                throughout.discard(name)
    assert found == sorted(set(found), key=str.encode)
    assert throughout <= set(found) <= known


async def one_page(
    service: FileService, way: str, limit: int, position: Mapping[str, str]
) -> tuple[list[str], Mapping[str, str], bool]:
    """Return the names of a page, what the next one is asked with, and whether it was the last."""
    if way.startswith("recursive"):
        tree = await service.list_recursive(alice, path(""), limit=limit, **position)  # type: ignore[arg-type]
        shown = [name for name, _ in tree.items]
        if way == "recursive token":
            return shown, {"token": tree.next_token or ""}, tree.next_token is None
        return shown, {"start_after": shown[-1]} if shown else position, tree.next_token is None
    inclusive = not position
    more = position if way == "token" else {**position, "inclusive": inclusive}
    page = await service.list_children(alice, path(""), limit=limit, **more)
    shown = [stat.name for stat in page.items]
    if way == "token":
        return shown, {"token": page.next_token or ""}, page.is_last
    return shown, {"index": shown[-1]} if shown else position, page.is_last


class Counted:
    """An engine that remembers what was called."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._engine = MemoryEngine()

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self._engine, name)


@ensureDeferred
async def test_a_page_costs_no_more_where_a_deep_listing_goes_on() -> None:
    deep = tuple("d" * 30)
    files = [(*deep, f"f{number}") for number in range(5)]
    engine = Counted()
    service = await planted(files, sorted(directories_of(files)), Site(engine=cast(Engine, engine)))
    first = await service.list_recursive(owner, path(""), limit=2)
    engine.calls.clear()
    await service.list_recursive(owner, path(""), limit=2, token=first.next_token)
    assert engine.calls == ["resolve", "resolve", "page_from"]  # the listed directory, the way, the page
    engine.calls.clear()
    await service.list_recursive(owner, path(""), limit=9, glob="/".join((*deep, "f3")))
    assert engine.calls == ["resolve"] + ["page_from"] * (len(deep) + 1)


@ensureDeferred
async def test_attributes_of_a_page_take_one_round_trip() -> None:
    engine = Counted()
    files = [(f"f{number:02}",) for number in range(20)]
    service = await planted(files, [], Site(engine=cast(Engine, engine)))
    for (name,) in files[:10]:
        await service.metadata.change(alice, path(name), MetadataChange(set_xattrs={"n": name, "m": 1}))
    engine.calls.clear()
    page = await service.list_children(alice, path(""), limit=15, shown=Shown(xattrs=frozenset({"n"})))
    assert [stat.xattrs for stat in page.items] == [{"n": name} for (name,) in files[:10]] + [{}] * 5
    assert engine.calls == ["resolve", "page_from", "get_many"]
