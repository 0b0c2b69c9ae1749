"""Snapshots: copies of a moment that nobody may change, replaced and removed as wholes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.runtime.clock import sleep
from onedata.errors import BadData, Errno, Posix
from onedata.ids import trash_uuid
from op_worker.auth.caller import Caller
from op_worker.files.acl import Ace, AceKind
from op_worker.files.content.duplicating import Duplicating
from op_worker.files.model import CreateOptions, Existing, FileType, MetadataChange
from op_worker.files.queues.values import NewValue
from op_worker.files.rights.protection import Protection
from op_worker.files.service import FileService
from op_worker.files.stored.detached import DETACHED
from op_worker.snapshots.service import Snapshots
from tests.support.spaces import SPACE, Site, alice, bob, body, names_in, owner, path, read, reader

PARENTS = CreateOptions(create_parents=True, existing=Existing.UPDATE)
NEW = CreateOptions()


async def put(files: FileService, text: str, data: bytes, caller: Caller = alice) -> None:
    await files.replace_content(caller, path(text), body(data), expected_b=len(data), create=PARENTS)


async def refused(work: Awaitable[object], errno: Errno = Errno.EPERM) -> None:
    with pytest.raises(Posix) as caught:
        await work
    assert caught.value.errno is errno


async def tree(files: FileService, top: str, caller: Caller = owner) -> dict[str, tuple[object, ...]]:
    """Return everything below a directory that a copy must have."""
    page = await files.list_recursive(caller, path(top), limit=999, include_directories=True)
    found: dict[str, tuple[object, ...]] = {}
    for name, stat in page.items:
        inner = path(f"{top}/{name}")
        content = await read(files, inner) if stat.type is FileType.REG else stat.symlink_target
        xattrs = await files.metadata.xattrs(caller, inner, internal=True)
        found[name] = (stat.type, stat.owner, stat.mode, stat.acl, stat.mtime_s, content, xattrs)
    return found


@pytest.fixture
def snapshots(files: FileService, site: Site) -> Snapshots:
    return Snapshots(files, clock=site.clock)


@async_yield_fixture(autouse=True)
async def nothing_is_left_to_make(
    files: FileService, site: Site, snapshots: Snapshots
) -> AsyncIterator[None]:
    """Every test ends with no tree that somebody makes, and an empty trash."""
    yield
    await snapshots.stopService()
    assert await site.engine.count(Scope(SPACE), DETACHED) == 0
    await files.recover(SPACE)
    while await site.engine.count(Scope(SPACE), Key(trash_uuid(SPACE))):
        await sleep(site.clock, 0.01)


async def make_tree(files: FileService) -> None:
    """``c`` with files of Alice and Bob, a hole, a link, lists and metadata."""
    await put(files, "c/small", b"small")
    await put(files, "c/d/e/big", bytes(range(256)) * 5000)
    await put(files, "c/empty", b"")
    await files.create_file(alice, path("c/hole"), NEW)
    await files.write_content(alice, path("c/hole"), 3_000_000, body(b"end"), expected_b=3)
    await files.create_symlink(alice, path("c/link"), CreateOptions(symlink_target="small"))
    await files.metadata.change(alice, path("c/small"), MetadataChange(set_xattrs={"k": [1]}, json={"a": 2}))
    await files.metadata.change(alice, path("c"), MetadataChange(set_xattrs={"of": "c"}))
    await files.acls.set(alice, path("c/d"), (Ace(AceKind.ALLOW, "EVERYONE@", 0, 0x7019B | 0x24),))
    await files.set_mode(owner, path("c"), 0o777)
    await put(files, "c/bobs", b"private", bob)
    await files.set_mode(bob, path("c/bobs"), 0o600)


@ensureDeferred
async def test_snapshot_is_the_tree_as_it_was_whatever_happens_later(
    files: FileService, snapshots: Snapshots
) -> None:
    await make_tree(files)
    before = await tree(files, "c")
    assert await snapshots.take(alice, path("c"), "one")
    assert await tree(files, "c/cdmi_snapshots/one") == before
    await put(files, "c/small", b"changed")
    await files.remove(owner, path("c/d"))
    assert await tree(files, "c/cdmi_snapshots/one") == before
    xattrs = await files.metadata.xattrs(alice, path("c/cdmi_snapshots/one"))
    assert xattrs == {"of": "c"}
    stat = await files.stat(alice, path("c/cdmi_snapshots/one"))
    assert (await snapshots.status(stat)).is_complete
    assert await snapshots.names(alice, await files.stat(alice, path("c"))) == ["one"]


@ensureDeferred
async def test_snapshot_shows_nobody_what_he_may_not_read(files: FileService, snapshots: Snapshots) -> None:
    await make_tree(files)
    await snapshots.take(alice, path("c"), "one")
    await refused(read(files, path("c/cdmi_snapshots/one/bobs"), alice), Errno.EACCES)
    assert await read(files, path("c/cdmi_snapshots/one/bobs"), bob) == b"private"


@ensureDeferred
async def test_nobody_can_change_what_is_in_a_snapshot(files: FileService, snapshots: Snapshots) -> None:
    await make_tree(files)
    await snapshots.take(alice, path("c"), "one")
    top, inside = path("c/cdmi_snapshots/one"), path("c/cdmi_snapshots/one/small")
    for caller in (alice, owner):
        for work in (
            files.write_content(caller, inside, 0, body(b"x"), expected_b=1),
            files.replace_content(caller, inside, body(b"x"), expected_b=1),
            files.truncate(caller, inside, 0),
            files.remove(caller, inside),
            files.move(caller, inside, path("f")),
            files.move(caller, top, path("f")),
            files.remove(caller, top),
            files.move(caller, path("c/cdmi_snapshots"), path("f")),
            files.remove(caller, path("c/cdmi_snapshots")),
            files.create_file(caller, path("c/cdmi_snapshots/g"), NEW),
            files.create_directory(caller, path("c/cdmi_snapshots/one/g"), NEW),
            files.copy(caller, inside, path("c/cdmi_snapshots/g")),
            files.move(caller, path("c/small"), path("c/cdmi_snapshots/g")),
            files.set_mode(caller, inside, 0o600),
            files.set_times(caller, inside, 0, 0),
            files.acls.set(caller, inside, ()),
            files.metadata.change(caller, inside, MetadataChange(set_xattrs={"k": 1})),
            snapshots.take(caller, top, "nested"),
        ):
            await refused(work)
    stat = await files.stat(owner, inside)
    await refused(files.create_link(owner, path("link"), stat.guid, NEW))
    for place in (inside, top, path("c/cdmi_snapshots")):
        await refused(files.protection.change(owner, place, 0, Protection.DATA | Protection.METADATA))


@ensureDeferred
async def test_snapshot_of_the_same_name_replaces_the_one_before(
    files: FileService, snapshots: Snapshots
) -> None:
    await put(files, "c/f", b"first")
    assert await snapshots.take(alice, path("c"), "s")
    first = await files.stat(alice, path("c/cdmi_snapshots/s"))
    await put(files, "c/f", b"second")
    assert await snapshots.take(alice, path("c"), "s")
    assert await read(files, path("c/cdmi_snapshots/s/f")) == b"second"
    assert await names_in(files, path("c/cdmi_snapshots")) == ["s"]
    second = await files.stat(alice, path("c/cdmi_snapshots/s"))
    assert first.guid != second.guid


@ensureDeferred
async def test_snapshots_are_not_in_snapshots_nor_in_copies(files: FileService, snapshots: Snapshots) -> None:
    await put(files, "c/d/f", b"x")
    await snapshots.take(alice, path("c/d"), "inner")
    await snapshots.take(alice, path("c"), "outer")
    await snapshots.take(alice, path("c"), "again")
    assert list(await tree(files, "c/cdmi_snapshots/again")) == ["d", "d/f"]
    await files.copy(alice, path("c"), path("copy"))
    assert list(await tree(files, "copy")) == ["d", "d/f"]


@ensureDeferred
async def test_copy_of_a_snapshot_is_an_ordinary_directory(files: FileService, snapshots: Snapshots) -> None:
    await put(files, "c/d/f", b"x")
    await snapshots.take(alice, path("c"), "s")
    await files.copy(alice, path("c/cdmi_snapshots/s"), path("restored"))
    await put(files, "restored/d/f", b"y")
    assert (await files.stat(alice, path("restored"))).protection == 0
    await files.remove(alice, path("restored"))


@ensureDeferred
async def test_snapshots_go_and_move_with_their_directory(
    files: FileService, snapshots: Snapshots, site: Site
) -> None:
    await put(files, "c/d/f", b"x")
    await snapshots.take(alice, path("c"), "s")
    await files.move(alice, path("c"), path("moved"))
    assert await read(files, path("moved/cdmi_snapshots/s/d/f")) == b"x"
    await files.remove(alice, path("moved"))
    await refused(files.stat(owner, path("moved")), Errno.ENOENT)


@ensureDeferred
async def test_single_snapshot_is_removed_by_whom_may_remove_from_the_directory(
    files: FileService, snapshots: Snapshots
) -> None:
    await put(files, "c/f", b"x")
    await snapshots.take(alice, path("c"), "s")
    await refused(snapshots.remove(reader, path("c/cdmi_snapshots/s")), Errno.EACCES)
    for place in ("c", "c/f", "c/cdmi_snapshots", "c/cdmi_snapshots/s/f"):
        await refused(snapshots.remove(owner, path(place)))
    await snapshots.remove(alice, path("c/cdmi_snapshots/s"))
    assert await names_in(files, path("c/cdmi_snapshots")) == []


@ensureDeferred
async def test_taking_needs_what_making_a_directory_needs(files: FileService, snapshots: Snapshots) -> None:
    await put(files, "c/f", b"x")
    await refused(snapshots.take(reader, path("c"), "s"), Errno.EACCES)
    await refused(snapshots.take(alice, path("c/f"), "s"), Errno.ENOTDIR)
    await refused(snapshots.take(alice, path("missing"), "s"), Errno.ENOENT)
    for name in ("", ".", "a/b", "cdmi_x", "a" * 256, "\0"):
        with pytest.raises(BadData):
            await snapshots.take(alice, path("c"), name)
    assert await names_in(files, path("c")) == ["f"]


@ensureDeferred
async def test_name_of_the_directory_of_snapshots_may_be_taken_already(
    files: FileService, snapshots: Snapshots
) -> None:
    await put(files, "c/cdmi_snapshots/mine", b"x")
    await refused(snapshots.take(alice, path("c"), "s"), Errno.EEXIST)
    await files.remove(alice, path("c/cdmi_snapshots/mine"))


@ensureDeferred
async def test_queues_are_in_snapshots_with_their_values_and_go_on_in_copies(
    files: FileService, snapshots: Snapshots
) -> None:
    await put(files, "c/f", b"x")
    await files.queues.create(alice, path("c/q"))
    values = [NewValue(body(text)) for text in (b"one", b"two", b"three")]
    await files.queues.enqueue(alice, path("c/q"), values)
    await files.queues.dequeue(alice, path("c/q"))
    assert await snapshots.take(alice, path("c"), "s")
    await files.queues.dequeue(alice, path("c/q"), 2)
    copied = path("c/cdmi_snapshots/s/q")
    view = await files.queues.view(alice, copied)
    assert (view.lowest, view.highest) == (1, 2)
    await refused(files.queues.enqueue(alice, copied, [NewValue(body(b"x"))]))
    await refused(files.queues.dequeue(alice, copied))
    await refused(snapshots.take(alice, path("c/q"), "s"), Errno.ENOTDIR)
    await files.copy(alice, path("c/cdmi_snapshots/s"), path("restored"))
    assert await files.queues.enqueue(alice, path("restored/q"), [NewValue(body(b"four"))]) == range(2, 3)


@ensureDeferred
async def test_what_stands_for_a_snapshot_is_copied_by_nobody_and_what_is_replaced_is_copied_as_it_was(
    files: FileService, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(files, "c/f", b"before")
    opened: Deferred[None] = Deferred()
    real = Duplicating.duplicate

    async def duplicate(self: Duplicating, *args: object) -> object:
        await opened
        return await real(self, *args)  # type: ignore[arg-type]  # handed on

    assert await snapshots.take(alice, path("c"), "old")
    await put(files, "c/f", b"after")
    monkeypatch.setattr(Duplicating, "duplicate", duplicate)
    taking = [Deferred.fromCoroutine(snapshots.take(alice, path("c"), name)) for name in ("new", "old")]
    while len(await snapshots.names(owner, await files.stat(owner, path("c")))) < 2:
        await sleep(reactor, 0.01)
    await refused(files.copy(owner, path("c/cdmi_snapshots/new"), path("copy")), Errno.EBUSY)
    await refused(files.copy(owner, path("c/cdmi_snapshots"), path("all")), Errno.EBUSY)
    await refused(files.copy(alice, path("c/cdmi_snapshots/new"), path("copy")), Errno.EACCES)
    assert "copy" not in await names_in(files, path(""))
    await files.copy(owner, path("c/cdmi_snapshots/old"), path("old"))
    assert await read(files, path("old/f")) == b"before"
    opened.callback(None)
    for work in taking:
        assert await work
    await files.copy(owner, path("c/cdmi_snapshots/new"), path("copy"))
    assert await read(files, path("copy/f")) == b"after"
