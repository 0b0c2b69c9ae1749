"""A snapshot is the tree as it is when it comes to rest, whatever was done to it while it was copied."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onedata.errors import Posix
from op_worker.files.content.duplicating import Duplicating
from op_worker.files.model import CreateOptions, Existing, FileType, MetadataChange
from op_worker.files.service import FileService
from op_worker.snapshots.service import Snapshots
from tests.support.immediate import now
from tests.support.spaces import Site, body, owner, path, read

pytestmark = pytest.mark.slow

UPDATE = CreateOptions(existing=Existing.UPDATE)
PATHS = ["c/a", "c/b", "c/d", "c/d/a", "c/d/e", "c/d/e/a", "c/d/e/f", "c/g", "c/g/a", "out", "out/a"]
Operation = Callable[[FileService], Awaitable[object]]

places = st.sampled_from(PATHS)


def putting(text: str, data: bytes) -> Operation:
    return lambda files: files.replace_content(
        owner, path(text), body(data), expected_b=len(data), create=UPDATE
    )


def writing(text: str, at: int) -> Operation:
    return lambda files: files.write_content(owner, path(text), at, body(b"!"), expected_b=1)


def moving(source: str, target: str) -> Operation:
    return lambda files: files.move(owner, path(source), path(target))


def linking(source: str, target: str) -> Operation:
    async def link(files: FileService) -> None:
        stat = await files.stat(owner, path(source))
        await files.create_link(owner, path(target), stat.guid, CreateOptions())

    return link


def marking(text: str, value: int) -> Operation:
    change = MetadataChange(set_xattrs={"k": value})
    return lambda files: files.metadata.change(owner, path(text), change)


operations = st.one_of(
    st.builds(putting, places, st.binary(max_size=5)),
    st.builds(writing, places, st.integers(0, 9)),
    st.builds(moving, places, places),
    st.builds(moving, places, places),
    st.builds(linking, places, places),
    st.builds(marking, places, st.integers(0, 9)),
    st.builds(lambda text: lambda files: files.remove(owner, path(text)), places),
    st.builds(lambda text: lambda files: files.truncate(owner, path(text), 1), places),
    st.builds(lambda text: lambda files: files.set_mode(owner, path(text), 0o700), places),
    st.builds(lambda text: lambda files: files.create_directory(owner, path(text), CreateOptions()), places),
)


async def done(files: FileService, operation: Operation) -> None:
    try:
        await operation(files)
    except Posix:
        return  # nothing to do it to


async def tree(files: FileService, top: str) -> dict[str, tuple[Any, ...]]:
    page = await files.list_recursive(owner, path(top), limit=999, include_directories=True)
    found = {}
    for name, stat in page.items:
        if name.startswith("cdmi_snapshots"):
            continue
        inner = path(f"{top}/{name}")
        content = await read(files, inner) if stat.type is FileType.REG else None
        xattrs = await files.metadata.xattrs(owner, inner, internal=True)
        found[name] = (stat.type, stat.mode, content, xattrs, stat.mtime_s)
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(operations, max_size=8), st.lists(operations, max_size=6), st.booleans())
def test_snapshot_is_the_tree_as_it_comes_to_rest(
    before: list[Operation], meanwhile: list[Operation], is_after: bool
) -> None:
    real = Duplicating.duplicate

    async def duplicate(self: Duplicating, *args: Any) -> Any:
        if meanwhile and not is_after:
            await done(files, meanwhile.pop())
        result = await real(self, *args)
        if meanwhile and is_after:
            await done(files, meanwhile.pop())
        return result

    site = Site()
    files = now(site.process())
    for directory in ("c", "c/d", "c/d/e", "c/g", "out"):
        now(files.create_directory(owner, path(directory), CreateOptions()))
    for name in ("c/a", "c/d/a", "c/d/e/a", "out/a"):
        now(putting(name, name.encode())(files))
    for operation in before:
        now(done(files, operation))
    Duplicating.duplicate = duplicate  # type: ignore[assignment,method-assign]  # put back
    try:
        assert now(Snapshots(files, clock=site.clock).take(owner, path("c"), "s"))
    finally:
        Duplicating.duplicate = real  # type: ignore[method-assign]
    assert now(tree(files, "c/cdmi_snapshots/s")) == now(tree(files, "c"))
