"""What was removed can be restored until it expires."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred

from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.runtime.clock import sleep
from onedata.errors import Errno, Forbidden, NotFound, Posix
from onedata.ids import trash_uuid
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, FileType, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.files.tree.recycle_bin import RecycledFile
from tests.conformance.files.test_file_service import put, refused
from tests.support.spaces import (
    ALICE,
    OWNER,
    SPACE,
    Site,
    alice,
    bob,
    body,
    names_in,
    owner,
    path,
    read,
    reader,
    stranger,
    used_b,
)

NEW = CreateOptions()
PARENTS = CreateOptions(create_parents=True)
DAY_S = 86400


@async_yield_fixture
async def bins(files: FileService) -> AsyncIterator[FileService]:
    """The file service of a space whose recycle bin is on, and empty."""
    await files.space_settings.change_settings(owner, SPACE, recycle_days=7)
    await files.recycle_bin.empty(owner, SPACE)
    yield files
    await files.recycle_bin.empty(owner, SPACE)
    await files.space_settings.change_settings(owner, SPACE, recycle_days=0)


async def items(files: FileService, caller: Caller = owner) -> list[RecycledFile]:
    return list((await files.recycle_bin.items(caller, SPACE, limit=100)).items)


async def only_item(files: FileService, caller: Caller = owner) -> RecycledFile:
    (item,) = await items(files, caller)
    return item


async def purged(site: Site) -> None:
    while await site.engine.count(Scope(SPACE), Key(trash_uuid(SPACE))):
        await sleep(site.clock, 0.01)


@ensureDeferred
async def test_a_removed_file_is_in_the_bin_and_nowhere_else(bins: FileService) -> None:
    await put(bins, "f", b"content", alice)
    guid = (await bins.stat(owner, path("f"))).guid
    await bins.remove(alice, path("f"))
    assert await names_in(bins, path("")) == []
    for target in (path("f"), Target(guid)):
        await refused(Errno.ENOENT, bins.stat(owner, target))
    item = await only_item(bins)
    assert (item.path, item.type, item.size_b, item.guid) == (("f",), FileType.REG, 7, guid)
    assert (item.owner, item.removed_by) == (ALICE, ALICE)
    assert item.expires_s == pytest.approx(item.removed_s + 7 * DAY_S, abs=0.01)


@ensureDeferred
async def test_a_restored_file_is_as_it_was(bins: FileService) -> None:
    await bins.create_directory(owner, path("d"), NEW)
    await put(bins, "d/f", b"content", alice)
    await bins.set_mode(alice, path("d/f"), 0o640)
    await bins.metadata.change(alice, path("d/f"), MetadataChange(set_xattrs={"k": 1}))
    before = await bins.stat(owner, path("d/f"))
    await bins.remove(alice, path("d/f"))
    restored = await bins.recycle_bin.restore(alice, SPACE, (await only_item(bins)).item_id)
    after = await bins.stat(owner, path("d/f"))
    assert restored == after
    assert after.ctime_s > before.ctime_s
    assert (after.guid, after.mode, after.owner) == (before.guid, 0o640, ALICE)
    assert (after.mtime_s, after.content_version) == (before.mtime_s, before.content_version)
    assert await read(bins, path("d/f")) == b"content"
    assert await bins.metadata.xattrs(owner, path("d/f")) == {"k": 1}
    assert await items(bins) == []


@ensureDeferred
async def test_a_tree_comes_back_with_all_it_holds(bins: FileService) -> None:
    await bins.create_directory(owner, path("d/sub/empty"), PARENTS)
    await put(bins, "d/x", b"x")
    await put(bins, "d/sub/y", b"yy")
    inner = (await bins.stat(owner, path("d/sub/y"))).guid
    await bins.remove(owner, path("d"))
    await refused(Errno.ENOENT, bins.stat(owner, Target(inner)))
    item = await only_item(bins)
    assert (item.path, item.type, item.size_b) == (("d",), FileType.DIR, None)
    await bins.recycle_bin.restore(owner, SPACE, item.item_id, ("back", "here"), PARENTS)
    assert (await bins.stat(owner, Target(inner))).path == ("back", "here", "sub", "y")
    assert await read(bins, path("back/here/sub/y")) == b"yy"
    assert await read(bins, path("back/here/x")) == b"x"
    assert await names_in(bins, path("back/here/sub")) == ["empty", "y"]


@ensureDeferred
async def test_symbolic_links_and_last_hard_links_are_recycled_too(bins: FileService) -> None:
    await put(bins, "f", b"content")
    original = (await bins.stat(owner, path("f"))).guid
    await bins.create_link(owner, path("g"), original, NEW)
    await bins.create_symlink(owner, path("l"), CreateOptions(symlink_target="g"))
    await bins.remove(owner, path("f"))
    assert await items(bins) == []  # another name is left
    await bins.remove(owner, path("g"))
    await bins.remove(owner, path("l"))
    found = await items(bins)
    assert {(item.path[0], item.type, item.size_b) for item in found} == {
        ("g", FileType.REG, 7),
        ("l", FileType.SYMLNK, 1),
    }
    for item in found:
        await bins.recycle_bin.restore(owner, SPACE, item.item_id)
    assert await names_in(bins, path("")) == ["g", "l"]
    assert await read(bins, path("l")) == b"content"


@ensureDeferred
async def test_restoring_does_not_replace_and_does_not_make_parents_unasked(bins: FileService) -> None:
    await bins.create_directory(owner, path("d"), NEW)
    await put(bins, "d/f", b"old")
    await bins.remove(owner, path("d/f"))
    await put(bins, "d/f", b"new")
    item = (await only_item(bins)).item_id
    await refused(Errno.EEXIST, bins.recycle_bin.restore(owner, SPACE, item))
    await refused(Errno.EEXIST, bins.recycle_bin.restore(owner, SPACE, item, ("d",)))
    await refused(Errno.ENOTDIR, bins.recycle_bin.restore(owner, SPACE, item, ("d", "f", "x")))
    await refused(Errno.EPERM, bins.recycle_bin.restore(owner, SPACE, item, (".__onedata__x",)))
    await bins.discard(owner, path("d"))
    await refused(Errno.ENOENT, bins.recycle_bin.restore(owner, SPACE, item))
    assert (await only_item(bins)).item_id == item
    await bins.recycle_bin.restore(owner, SPACE, item, options=PARENTS)
    assert await read(bins, path("d/f")) == b"old"


@ensureDeferred
async def test_room_stays_taken_until_an_item_is_removed_for_good(bins: FileService, site: Site) -> None:
    before_b = await used_b(site)
    await put(bins, "f", b"12345")
    await put(bins, "d", b"123")
    await bins.remove(owner, path("f"))
    await bins.remove(owner, path("d"))
    assert await used_b(site) == before_b + 8
    first, second = await items(bins)
    await bins.recycle_bin.remove(owner, SPACE, first.item_id)
    assert await items(bins) == [second]
    with pytest.raises(NotFound):
        await bins.recycle_bin.restore(owner, SPACE, first.item_id)
    await bins.recycle_bin.empty(owner, SPACE)
    await purged(site)
    assert await items(bins) == []
    assert await used_b(site) == before_b


@ensureDeferred
async def test_items_expire_after_the_days_that_were_promised(bins: FileService, site: Site) -> None:
    await put(bins, "long", b"1")
    await bins.remove(owner, path("long"))
    await bins.space_settings.change_settings(owner, SPACE, recycle_days=1)
    await put(bins, "short", b"1")
    await bins.remove(owner, path("short"))
    assert [item.path for item in await items(bins)] == [("long",), ("short",)]
    await bins.space_settings.change_settings(owner, SPACE, recycle_days=0)
    site.now_s -= 30 * DAY_S  # a clock that goes back lets nothing expire
    await bins.recover(SPACE)
    assert len(await items(bins)) == 2
    site.now_s += 30 * DAY_S + 1.5 * DAY_S
    await bins.recover(SPACE)
    assert [item.path for item in await items(bins)] == [("long",)]
    site.now_s += 6 * DAY_S
    await bins.recover(SPACE)
    assert await items(bins) == []
    await purged(site)
    site.now_s -= 7.5 * DAY_S


@ensureDeferred
async def test_without_a_bin_what_is_removed_is_gone(files: FileService) -> None:
    await put(files, "f", b"1")
    await files.remove(owner, path("f"))
    assert await items(files) == []


@ensureDeferred
async def test_the_bin_is_read_in_pages(bins: FileService) -> None:
    for number in range(7):
        await put(bins, f"f{number}", b"1")
        await bins.remove(owner, path(f"f{number}"))
    seen: list[str] = []
    token = None
    while True:
        page = await bins.recycle_bin.items(owner, SPACE, limit=3, token=token)
        seen += [item.path[0] for item in page.items]
        token = page.next_token
        if page.is_last:
            break
    assert seen == [f"f{number}" for number in reversed(range(7))]  # the newest first


@ensureDeferred
async def test_members_handle_what_was_theirs_and_space_owners_everything(
    bins: FileService,
) -> None:
    await put(bins, "alice's, by bob", b"1", alice)
    await bins.remove(bob, path("alice's, by bob"))
    await put(bins, "alice's", b"1", alice)
    await bins.remove(alice, path("alice's"))
    assert len(await items(bins, owner)) == len(await items(bins, alice)) == 2
    assert [item.path[0] for item in await items(bins, bob)] == ["alice's, by bob"]
    assert await items(bins, reader) == []
    private = next(item for item in await items(bins) if item.path == ("alice's",)).item_id
    for work in (bins.recycle_bin.restore(bob, SPACE, private), bins.recycle_bin.remove(bob, SPACE, private)):
        with pytest.raises(NotFound):
            await work
    await bins.recycle_bin.empty(bob, SPACE)
    assert [item.item_id for item in await items(bins)] == [private]
    for refused_work in (
        bins.recycle_bin.items(stranger, SPACE, limit=1),
        bins.recycle_bin.restore(stranger, SPACE, private),
        bins.recycle_bin.empty(stranger, SPACE),
    ):
        with pytest.raises(Forbidden):
            await refused_work
    await refused(Errno.EACCES, bins.recycle_bin.empty(reader, SPACE))


@ensureDeferred
async def test_confined_tokens_reach_nothing_in_the_bin(bins: FileService) -> None:
    await put(bins, "f", b"1")
    await bins.remove(owner, path("f"))
    item = (await only_item(bins)).item_id
    confined = Caller(OWNER, DataLimits(False, (frozenset({f"/{SPACE}/f"}),), ()))
    assert await items(bins, confined) == []
    with pytest.raises(NotFound):
        await bins.recycle_bin.restore(confined, SPACE, item)
    reading = Caller(OWNER, DataLimits(True, (), ()))
    assert len(await items(bins, reading)) == 1
    await refused(Errno.EACCES, bins.recycle_bin.restore(reading, SPACE, item))
    await refused(Errno.EACCES, bins.recycle_bin.remove(reading, SPACE, item))
    await refused(Errno.EACCES, bins.recycle_bin.empty(reading, SPACE))


@pytest.mark.parametrize("item", ["", "no such item", "fffffffffff." + "0" * 32, "a\0b", "\ud800"])
@ensureDeferred
async def test_an_item_that_is_not_there_is_not_found(bins: FileService, item: str) -> None:
    with pytest.raises(NotFound):
        await bins.recycle_bin.restore(owner, SPACE, item)
    with pytest.raises(NotFound):
        await bins.recycle_bin.remove(owner, SPACE, item)


@ensureDeferred
async def test_files_that_are_replaced_or_moved_away_are_not_recycled(bins: FileService) -> None:
    await put(bins, "f", b"1")
    await put(bins, "g", b"2")
    await bins.move(owner, path("f"), path("g"))
    await bins.create_directory(owner, path("e"), NEW)
    await bins.remove_empty(owner, path("e"))
    await bins.discard(owner, path("g"))
    assert await items(bins) == []


@ensureDeferred
async def test_a_writer_into_a_recycled_file_is_told_and_the_item_stays_whole(bins: FileService) -> None:
    await put(bins, "f", b"whole")

    class Late:
        parts = [b"", b"12"]

        async def read(self) -> bytes:
            if len(self.parts) == 1:
                await bins.remove(owner, path("f"))
            return self.parts.pop()

    with pytest.raises(Posix) as caught:
        await bins.write_content(owner, path("f"), 5, Late(), expected_b=None)
    assert caught.value.errno is Errno.ENOENT
    await bins.recycle_bin.restore(owner, SPACE, (await only_item(bins)).item_id)
    assert await read(bins, path("f")) == b"whole"
    await bins.write_content(owner, path("f"), 5, body(b"!"), expected_b=1)
    assert await read(bins, path("f")) == b"whole!"


@ensureDeferred
async def test_a_tree_with_a_protected_directory_is_not_recycled(bins: FileService) -> None:
    await bins.create_directory(owner, path("d/kept"), PARENTS)
    await put(bins, "d/kept/f", b"1")
    await bins.protection.change(owner, path("d/kept"), 1, 0)
    await refused(Errno.EPERM, bins.remove(owner, path("d")))
    assert await items(bins) == []
    await bins.protection.change(owner, path("d/kept"), 0, 1)
    await bins.remove(owner, path("d"))
    assert (await only_item(bins)).path == ("d",)
