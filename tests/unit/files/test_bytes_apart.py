"""Bytes of files with several names: where they lie, and what is done about those that nobody owns."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from cluster_worker.persistence.engine import Batch, Scope
from onedata.ids import FileUuid, link_uuid, split_link_uuid
from op_worker.files.model import CreateOptions, Existing
from op_worker.files.service import FileService
from op_worker.files.stored.intents import Intent, IntentKind
from op_worker.files.stored.paths import inode_path
from op_worker.storage.helper import StoragePath
from tests.support.spaces import SPACE, STORAGE, Site, body, live, owner, path, read
from tests.support.store_checker import check_store, stored_files

UPDATE = CreateOptions(existing=Existing.UPDATE)


async def linked_pair(files: FileService) -> str:
    """Make ``f`` with a hard link ``g``; return the file's uuid."""
    stat, _ = await files.replace_content(owner, path("f"), body(b"12"), expected_b=2, create=UPDATE)
    await files.create_link(owner, path("g"), stat.guid, CreateOptions())
    return stat.guid.uuid


@ensureDeferred
async def test_the_second_name_moves_the_bytes_apart_and_they_stay_there() -> None:
    site = Site()
    files = await site.process()
    uuid = await linked_pair(files)
    apart = inode_path(SPACE, uuid)
    assert await stored_files(site) == {apart: b"12"}
    await files.remove(owner, path("g"))
    await files.move(owner, path("f"), path("h"))
    await files.replace_content(owner, path("h"), body(b"345"), expected_b=3)
    assert await stored_files(site) == {apart: b"345"}
    assert (await check_store(site)).paths == {"h": apart}


@ensureDeferred
async def test_recovery_removes_bytes_apart_that_no_file_refers_to() -> None:
    site = Site()
    files = await site.process()
    uuid = await linked_pair(files)
    stray = await site.helper.open_write(inode_path(SPACE, "e" * 32))
    await stray.write(0, b"stray")
    await files.recover(SPACE)
    assert set(await stored_files(site)) == {inode_path(SPACE, uuid)}
    assert await read(files, path("g")) == b"12"


@ensureDeferred
async def test_recovery_leaves_bytes_apart_to_the_operation_that_is_pending_at_them() -> None:
    site = Site()
    files = await site.process()
    await linked_pair(files)
    apart = inode_path(SPACE, "e" * 32)
    await (await site.helper.open_write(apart)).write(0, b"leaving")
    another = await site.process("another")
    live(another)
    maker = another.context.lives.own
    removal = Intent(b"o", IntentKind.REMOVE, maker, int(site.wall_clock()), STORAGE, "e" * 32, apart)
    await site.engine.commit(Scope(SPACE), Batch(removal.put()))
    await files.recover(SPACE)
    assert apart in await stored_files(site)


@ensureDeferred
async def test_a_stranger_in_the_way_of_the_bytes_is_moved_into_the_trash_and_removed() -> None:
    site = Site()
    files = await site.process()
    stat, _ = await files.replace_content(owner, path("f"), body(b"12"), expected_b=2, create=UPDATE)
    inside = StoragePath(f"{inode_path(SPACE, stat.guid.uuid)}/stranger")
    await site.helper.open_write(inside)
    await files.create_link(owner, path("g"), stat.guid, CreateOptions())
    await files.recover(SPACE)
    assert await read(files, path("g")) == b"12"
    assert set(await stored_files(site)) == {inode_path(SPACE, stat.guid.uuid)}


def test_the_id_of_a_hard_link_names_its_file() -> None:
    uuid = link_uuid("a" * 32, FileUuid("b" * 32))
    assert uuid == f"link_{'a' * 32}_file_{'b' * 32}"
    assert split_link_uuid(uuid) == ("a" * 32, "b" * 32)
    assert split_link_uuid(FileUuid("b" * 32)) is None
    assert split_link_uuid(FileUuid("link_of_nothing")) is None
