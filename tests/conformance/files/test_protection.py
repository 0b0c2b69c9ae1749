"""Protection flags: what nobody may change, owners of the space included."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred

from onedata.errors import BadData, Errno, Posix, Unauthorized
from onedata.ids import space_root_guid
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, Existing, MetadataChange, Target
from op_worker.files.rights.protection import Protection
from op_worker.files.service import FileService
from tests.support.spaces import (
    OTHER_SPACE,
    OWNER,
    alice,
    bob,
    body,
    names_in,
    owner,
    path,
    read,
)

NEW = CreateOptions()
DATA, METADATA = Protection.DATA, Protection.METADATA
BOTH = DATA | METADATA


async def refused(work: Awaitable[object], errno: Errno = Errno.EPERM) -> str:
    """Demand that work is refused; return why."""
    with pytest.raises(Posix) as caught:
        await work
    assert caught.value.errno is errno
    return caught.value.reason or ""


async def make(files: FileService, text: str) -> None:
    """Make a file of Alice's, with the directories above."""
    create = CreateOptions(create_parents=True, existing=Existing.REFUSE)
    await files.replace_content(alice, path(text), body(b"data"), expected_b=4, create=create)


async def protect(files: FileService, text: str, flags: Protection = DATA) -> None:
    await files.protection.change(owner, path(text), flags, 0)


async def unprotect(files: FileService, text: str) -> None:
    await files.protection.change(owner, path(text), 0, BOTH)


@async_yield_fixture(autouse=True)
async def nothing_stays_protected(files: FileService) -> AsyncIterator[None]:
    """The next test begins with empty spaces."""
    yield
    await unprotect(files, "")
    page = await files.list_recursive(owner, path(""), limit=99, include_directories=True)
    for text, _ in page.items:
        await unprotect(files, text)


@ensureDeferred
async def test_protected_data_can_be_read_and_not_changed_by_anybody(files: FileService) -> None:
    await make(files, "d/e/f")
    await protect(files, "d")
    for caller in (alice, owner):
        inside = path("d/e/f")
        for work in (
            files.write_content(caller, inside, 0, body(b"x"), expected_b=1),
            files.replace_content(caller, inside, body(b"x"), expected_b=1),
            files.truncate(caller, inside, 0),
            files.remove(caller, inside),
            files.move(caller, inside, path("f")),
            files.create_file(caller, path("d/e/g"), NEW),
            files.create_directory(caller, path("d/g"), NEW),
            files.create_symlink(caller, path("d/g"), CreateOptions(symlink_target="x")),
            files.copy(caller, inside, path("d/g")),
            files.remove(caller, path("d/e")),
            files.remove(caller, path("d")),
        ):
            assert "data_protection on /d forbids" in await refused(work)
        assert await read(files, inside, caller) == b"data"
        await files.set_mode(alice, inside, 0o600)
        await files.metadata.change(owner, inside, MetadataChange(set_xattrs={"k": 1}))
    await unprotect(files, "d")
    await files.remove(alice, path("d"))
    assert await names_in(files, path("")) == []


@ensureDeferred
async def test_protected_metadata_cannot_be_changed_either(files: FileService) -> None:
    await make(files, "d/f")
    await protect(files, "d", BOTH)
    for work in (
        files.set_mode(owner, path("d/f"), 0o600),
        files.set_times(alice, path("d/f"), 1.0, 1.0),
        files.metadata.change(alice, path("d/f"), MetadataChange(set_xattrs={"k": 1})),
        files.metadata.set_json(alice, path("d/f"), {}),
        files.acls.set(owner, path("d/f"), ()),
        files.set_mode(alice, path("d"), 0o700),
    ):
        assert "metadata_protection on /d forbids" in await refused(work)


@ensureDeferred
async def test_flags_are_shown_where_they_hold(files: FileService) -> None:
    await make(files, "d/f")
    await protect(files, "d", BOTH)
    assert await files.protection.flags(alice, path("d")) == (BOTH, BOTH)
    assert await files.protection.flags(alice, path("d/f")) == (0, BOTH)
    assert (await files.stat(alice, path("d/f"))).protection == BOTH
    page = await files.list_children(alice, path("d"), limit=9)
    assert [stat.protection for stat in page.items] == [BOTH]
    found = await files.list_recursive(alice, path(""), limit=9)
    assert [stat.protection for _, stat in found.items] == [BOTH]


@ensureDeferred
async def test_the_top_of_what_is_protected_can_be_moved_and_takes_its_flags_along(
    files: FileService,
) -> None:
    await make(files, "d/f")
    await protect(files, "d")
    await files.move(alice, path("d"), path("e"))
    await refused(files.remove(alice, path("e/f")))
    await unprotect(files, "e")
    await files.remove(alice, path("e"))


@ensureDeferred
async def test_a_tree_with_something_protected_in_it_is_not_removed(files: FileService) -> None:
    await make(files, "a/b/c/f")
    await make(files, "z/f")
    await protect(files, "a/b/c")
    for text in ("a", "a/b"):
        assert await refused(files.remove(owner, path(text))) == f"a directory in /{text} is protected"
    await files.remove(owner, path("z"))
    other = Target(space_root_guid(OTHER_SPACE), ("a",))
    await refused(files.move(owner, path("a"), other))
    assert await read(files, path("a/b/c/f")) == b"data"
    await unprotect(files, "a/b/c")
    await files.remove(owner, path("a"))
    assert await names_in(files, path("")) == []


@ensureDeferred
async def test_an_empty_protected_directory_can_be_removed_and_is_forgotten(files: FileService) -> None:
    await files.create_directory(alice, path("a"), NEW)
    await files.create_directory(alice, path("a/d"), NEW)
    await protect(files, "a/d")
    await files.remove_empty(alice, path("a/d"))
    await make(files, "a/f")
    await files.remove(alice, path("a"))


@ensureDeferred
async def test_content_is_protected_by_the_directories_above_any_of_its_names(files: FileService) -> None:
    await make(files, "d/f")
    original = await files.stat(alice, path("d/f"))
    await files.create_link(alice, path("link"), original.guid, NEW)
    await protect(files, "d")
    write = files.write_content(alice, path("link"), 0, body(b"x"), expected_b=1)
    assert "above another name" in await refused(write)
    await files.metadata.change(alice, path("link"), MetadataChange(set_xattrs={"k": 1}))
    explained = await files.explanations.explain(alice, path("link"), ["write_object", "read_object"])
    assert [verdict.allowed for _, verdict in explained.operations] == [False, True]
    await files.remove(alice, path("link"))
    assert await read(files, path("d/f"), alice) == b"data"
    await unprotect(files, "d")
    await files.write_content(alice, path("d/f"), 0, body(b"x"), expected_b=1)


@ensureDeferred
async def test_flags_need_privileges_and_go_together(files: FileService) -> None:
    await make(files, "f")
    change = files.protection.change
    reason = await refused(change(alice, path("f"), DATA, 0))
    assert reason == "privilege space_manage_datasets is missing"
    with pytest.raises(BadData):
        await change(owner, path("f"), METADATA, 0)
    await change(owner, path("f"), BOTH, 0)
    with pytest.raises(BadData):
        await change(owner, path("f"), 0, DATA)
    await change(owner, path("f"), 0, METADATA)
    assert await files.protection.flags(bob, path("f")) == (DATA, DATA)
    confined = Caller(OWNER, DataLimits(readonly=True, paths=(), object_ids=()))
    with pytest.raises(Unauthorized):
        await change(confined, path("f"), DATA, 0)


@ensureDeferred
async def test_a_flag_of_a_whole_space_holds_for_all_in_it(files: FileService) -> None:
    await make(files, "d/f")
    await protect(files, "")
    assert "data_protection on / forbids" in await refused(files.create_file(owner, path("g"), NEW))
    await refused(files.remove(owner, path("d/f")))
    await refused(files.remove(owner, path("d")))
    await unprotect(files, "")
    await files.create_file(owner, path("g"), NEW)
