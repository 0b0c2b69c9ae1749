"""Files that have an id and no name, whatever keeps the metadata and the bytes."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.runtime.clock import sleep
from onedata.errors import Errno
from onedata.ids import FileGuid, nameless_uuid
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, FileStat, Target
from op_worker.files.service import FileService
from op_worker.files.stored.quotas import Quota
from op_worker.files.tree.recycle_bin import RecycledFile
from tests.conformance.files.test_file_service import put, refused
from tests.support.spaces import (
    BOB,
    OTHER_SPACE,
    ROOT,
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
)

DIRECTORY = FileGuid(nameless_uuid(SPACE), SPACE)


async def make(files: FileService, data: bytes = b"content", caller: Caller = owner) -> FileStat:
    place = await files.nameless.place(caller, SPACE)
    stat, _ = await files.replace_content(
        caller, place, body(data), expected_b=len(data), create=CreateOptions()
    )
    return stat


async def remove_all(files: FileService, site: Site) -> None:
    for item in await site.engine.page(Scope(SPACE), Key(DIRECTORY.uuid), None, 100, ()):
        await files.discard(owner, Target(FileGuid(item.key, SPACE)))  # type: ignore[arg-type]  # a uuid


@ensureDeferred
async def test_it_is_found_by_its_id_and_in_no_listing(files: FileService, site: Site) -> None:
    await put(files, "f", b"")
    stat = await make(files)
    assert stat.is_nameless
    assert await read(files, Target(stat.guid)) == b"content"
    assert (await files.stat(owner, Target(stat.guid))).is_nameless
    assert not (await files.stat(owner, path("f"))).is_nameless
    assert await names_in(files, path("")) == ["f"]
    assert await files.count_children(owner, path("")) == 1
    everything = await files.list_recursive(owner, path(""), limit=100, include_directories=True)
    assert [name for name, _ in everything.items] == ["f"]
    await remove_all(files, site)


@ensureDeferred
async def test_its_directory_is_no_target(files: FileService, site: Site) -> None:
    stat = await make(files)
    inside = Target(DIRECTORY, (stat.guid.object_id(),))
    for target in (Target(DIRECTORY), inside, path(".__onedata__nameless"), Target(DIRECTORY, ("new",))):
        await refused(Errno.ENOENT, files.stat(owner, target))
        await refused(Errno.ENOENT, files.remove(owner, target))
        await refused(Errno.ENOENT, files.move(owner, target, path("x")))
    await refused(Errno.ENOENT, files.list_children(owner, Target(DIRECTORY), limit=10))
    await refused(Errno.ENOENT, files.create_file(owner, Target(DIRECTORY, ("new",)), CreateOptions()))
    await refused(Errno.ENOENT, files.move(owner, Target(stat.guid), Target(DIRECTORY, ("new",))))
    await remove_all(files, site)


@ensureDeferred
async def test_members_add_and_read_but_only_owners_take_away(files: FileService, site: Site) -> None:
    stat = await make(files, b"of alice", alice)
    assert await read(files, Target(stat.guid), bob) == b"of alice"
    await refused(Errno.EACCES, files.remove(bob, Target(stat.guid)))
    await refused(Errno.EACCES, files.move(bob, Target(stat.guid), path("x")))
    await refused(Errno.EACCES, files.nameless.place(reader, SPACE))
    await files.remove(alice, Target(stat.guid))
    await refused(Errno.ENOENT, files.stat(alice, Target(stat.guid)))
    await remove_all(files, site)


@ensureDeferred
async def test_a_name_is_given_and_taken_in_one_step_each(files: FileService, site: Site) -> None:
    stat = await make(files)
    await put(files, "taken", b"replaced")
    named, replaced = await files.move(owner, Target(stat.guid), path("taken"))
    assert (named.guid, named.is_nameless, replaced) == (stat.guid, False, True)
    assert await read(files, path("taken")) == b"content"
    place = await files.nameless.place(owner, SPACE, stat.guid)
    again, _ = await files.move(owner, Target(stat.guid), place)
    assert (again.guid, again.is_nameless) == (stat.guid, True)
    assert await names_in(files, path("")) == []
    same, _ = await files.move(owner, Target(stat.guid), place)
    assert same.guid == stat.guid
    assert await read(files, Target(stat.guid)) == b"content"
    await remove_all(files, site)


@ensureDeferred
async def test_many_may_be_the_first(files: FileService, site: Site) -> None:
    made = await gatherResults([Deferred.fromCoroutine(make(files, b"%d" % number)) for number in range(8)])
    assert len({stat.guid for stat in made}) == 8
    assert [await read(files, Target(stat.guid)) for stat in made] == [b"%d" % number for number in range(8)]
    await remove_all(files, site)


@ensureDeferred
async def test_without_a_space_the_first_that_may_be_written_is_meant(files: FileService) -> None:
    assert (await files.nameless.place(owner)).base.space_id == OTHER_SPACE  # "Other" is before "Science"
    stat = await files.create_file(owner, path("moved"), CreateOptions())
    assert (await files.nameless.place(owner, moved=stat.guid)).base.space_id == SPACE
    await refused(Errno.EACCES, files.nameless.place(reader))


@ensureDeferred
async def test_a_file_named_by_its_id_gets_that_id(files: FileService) -> None:
    await files.create_directory(owner, path("d"), CreateOptions())
    place = files.nameless.named_by_id(path("d"))
    stat = await files.create_file(owner, place, CreateOptions())
    assert (stat.guid.uuid, stat.name) == (place.uuid, stat.guid.object_id())
    copied, _ = await files.copy(owner, Target(stat.guid), files.nameless.named_by_id(path("d")))
    assert copied.name == copied.guid.object_id() != stat.name
    moved, _ = await files.move(owner, Target(stat.guid), files.nameless.named_by_id(path(""), stat.guid))
    assert (moved.name, moved.parent) == (stat.guid.object_id(), ROOT)
    foreign = files.nameless.named_by_id(Target(ROOT), FileGuid(stat.guid.uuid, OTHER_SPACE))
    assert foreign.uuid != stat.guid.uuid


@ensureDeferred
async def test_it_is_charged_and_recharged_like_any_other(files: FileService, site: Site) -> None:
    await make(files, b"ten bytes!", bob)
    await files.quotas.set_user_quota(owner, SPACE, BOB, Quota(size_b=12))
    await files.recover(SPACE)
    for _ in range(500):  # it is charged in the background
        if (await files.quotas.user_quota(owner, SPACE, BOB)).used_b == 10:
            break
        await sleep(site.clock, 0.01)
    assert (await files.quotas.user_quota(owner, SPACE, BOB)).used_b == 10
    await refused(Errno.EDQUOT, make(files, b"more", bob))
    await files.quotas.remove_user_quota(owner, SPACE, BOB)
    await files.recover(SPACE)
    await remove_all(files, site)


@ensureDeferred
async def test_it_is_recycled_and_restored_under_a_name(files: FileService, site: Site) -> None:
    await files.space_settings.change_settings(owner, SPACE, recycle_days=7)
    stat = await make(files)
    await files.remove(owner, Target(stat.guid))
    items: list[RecycledFile] = list((await files.recycle_bin.items(owner, SPACE, limit=9)).items)
    await files.recycle_bin.restore(owner, SPACE, items[0].item_id, ("back",), CreateOptions())
    assert (await files.stat(owner, path("back"))).guid == stat.guid
    await files.space_settings.change_settings(owner, SPACE, recycle_days=0)
