"""Every kind of damage, made in a real store: the check finds just it, the repair mends it, content stays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from shutil import rmtree

import pytest
from attrs import evolve, frozen
from pytest_twisted import async_yield_fixture, ensureDeferred

from cluster_worker.persistence.engine import Add, Batch, Delete, Key, Link, Put, Scope, Step, Unlink
from cluster_worker.persistence.redis import RedisEngine
from op_worker.files.granting.sharing import Terms
from op_worker.files.model import CreateOptions
from op_worker.files.rights.protection import REGISTER, Protection
from op_worker.files.service import FileService
from op_worker.files.stored.documents import META, NAME, PARENT
from op_worker.files.stored.intents import IntentKind
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.paths import inode_path, staging_path, storage_path
from op_worker.files.stored.share_records import SHARES
from op_worker.fsck.check import Check
from op_worker.fsck.findings import KINDS, Code, Mending
from op_worker.fsck.report import SAFE, Options, Report
from op_worker.fsck.tools import Tools
from op_worker.storage.helper import StorageError, StoragePath
from tests.conformance.files.test_file_service import put
from tests.support.real_sites import redis_and_posix
from tests.support.spaces import SPACE, STORAGE, Site, at, names_in, owner, path, read


@async_yield_fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, Path]]:
    folder = tmp_path_factory.mktemp("site")
    async with redis_and_posix(folder) as site:
        yield site, folder / "storage"


@pytest.fixture(params=["memory", "redis and posix"])
def site(request: pytest.FixtureRequest) -> Site:
    """An empty store and an empty storage for each test."""
    if request.param == "memory":
        return Site()
    real, storage = request.getfixturevalue("server")
    assert isinstance(real, Site) and isinstance(storage, Path)
    for folder in storage.iterdir():
        rmtree(folder)
    return real


@async_yield_fixture
async def files(site: Site) -> AsyncIterator[FileService]:
    if isinstance(site.engine, RedisEngine):
        await site.engine._command(b"EVAL", b"return redis.call('FLUSHALL')", b"0")
    service = await site.process()
    yield service
    await service.stopService()


SCOPE = Scope(SPACE)
CONTENTS = {"d/f": b"first", "d/sub/g": b"second", "h": b"third", "d/linked": b"third"}
EVERYTHING = frozenset(Code)


async def check(files: FileService, repairs: frozenset[Code] = frozenset(), **options: bool) -> Report:
    return await Check(Tools.of(files.context), SPACE, Options(repairs=repairs, **options)).run()


async def fill(files: FileService) -> None:
    """Make files, a link, a hard link, a protected directory and a share."""
    for name in ("d", "d/sub"):
        await files.create_directory(owner, path(name), CreateOptions())
    for name in ("d/f", "d/sub/g", "h"):
        await put(files, name, CONTENTS[name])
    await files.create_symlink(owner, path("s"), CreateOptions(symlink_target="h"))
    await files.create_link(
        owner, path("d/linked"), (await files.stat(owner, path("h"))).guid, CreateOptions()
    )
    await files.create_directory(owner, path("kept"), CreateOptions())
    await files.protection.change(owner, path("kept"), Protection.DATA, 0)
    await files.sharing.add(owner, (await files.stat(owner, path("d"))).guid, Terms(name="Share"))
    await files.recover(SPACE)


async def node(files: FileService, name: str) -> Node:
    found = await files.context.lookup.walk(SPACE, tuple(part.encode() for part in name.split("/")))
    assert not found.missing
    return found.chain.file


async def key(files: FileService, name: str) -> Key:
    return (await node(files, name)).key


async def harm(site: Site, *steps: Step) -> None:
    await site.engine.commit(SCOPE, Batch(steps))


async def write_stored(site: Site, name: str, data: bytes) -> None:
    file = await site.helper.open_write(StoragePath(name))
    await file.write(0, data)
    await file.truncate(len(data))
    await file.close()


# -- damage ------------------------------------------------------------------------------------------


async def entry_of_nothing(files: FileService, site: Site) -> None:
    await harm(site, Link(await key(files, "d"), b"ghost", b"0" * 32 + b"/R"))


async def another_letter(files: FileService, site: Site) -> None:
    value = f"{await key(files, 'd/f')}/R".encode()
    directory = await key(files, "d")
    await harm(site, Unlink(directory, b"f", value), Link(directory, b"f", value[:-1] + b"S", value))


async def another_name(files: FileService, site: Site) -> None:
    found = await node(files, "d/f")
    await harm(site, Put(found.key, META, evolve(found.meta, name="x").encode()))


async def another_parent(files: FileService, site: Site) -> None:
    await harm(site, Put(await key(files, "d/f"), PARENT, (await key(files, "d/sub")).encode()))


async def second_entry(files: FileService, site: Site) -> None:
    await harm(site, Link(await key(files, "d/sub"), b"twin", f"{await key(files, 'd/f')}/R".encode()))


async def second_name(files: FileService, site: Site) -> None:
    await harm(site, Link(await key(files, "d"), b"twin", f"{await key(files, 'd/f')}/R".encode()))


async def link_to_itself(files: FileService, site: Site) -> None:
    await harm(site, Link(await key(files, "d/sub"), b"loop", f"{await key(files, 'd')}/D".encode()))


async def link_record_gone(files: FileService, site: Site) -> None:
    found = await node(files, "d/linked")
    await harm(site, Delete(found.name_key, NAME))


async def miscounted(files: FileService, site: Site) -> None:
    found = await node(files, "h")
    await harm(site, Put(found.key, META, evolve(found.meta, links=7).encode()))


async def entry_gone(files: FileService, site: Site) -> None:
    await harm(site, Unlink(await key(files, "d"), b"f", f"{await key(files, 'd/f')}/R".encode()))


async def directory_entry_gone(files: FileService, site: Site) -> None:
    await harm(site, Unlink(await key(files, "d"), b"sub", f"{await key(files, 'd/sub')}/D".encode()))


async def forgotten_by_the_feed(files: FileService, site: Site) -> None:
    wanted = await key(files, "d/f")
    changes = [one for one in await site.engine.changes(SCOPE, 0, 10_000) if one.key == wanted]  # type: ignore[arg-type]
    await site.engine.forget(SCOPE, changes)


async def bytes_gone(files: FileService, site: Site) -> None:
    await site.helper.remove(storage_path(SPACE, ("d", "f")))


async def bytes_short(files: FileService, site: Site) -> None:
    await write_stored(site, f"{SPACE}/d/f", b"fi")


async def unknown_file(files: FileService, site: Site) -> None:
    await write_stored(site, f"{SPACE}/d/new/stranger", b"found")


async def unknown_inode(files: FileService, site: Site) -> None:
    await write_stored(site, inode_path(SPACE, "e" * 32), b"found")


async def bytes_changed(files: FileService, site: Site) -> None:
    await write_stored(site, f"{SPACE}/d/f", b"FIRST")


async def staging_left(files: FileService, site: Site) -> None:
    await write_stored(site, staging_path(SPACE, "gone-00000000-0000"), b"x")


async def upload_left(files: FileService, site: Site) -> None:
    await write_stored(site, staging_path(SPACE, "~" + "0" * 32), b"x")


async def counter_off(files: FileService, site: Site) -> None:
    await harm(site, Add(f"used:{STORAGE}", 5))


async def old_intent(files: FileService, site: Site) -> None:
    journal, support = files.context.journal, files.context.storages.for_space(SPACE)
    assert support is not None
    target = StoragePath(f"{SPACE}/d/none")
    intent = evolve(journal.new(IntentKind.REMOVE, support.storage, "0" * 32, target), since_s=1)
    await harm(site, *intent.put())


async def unregistered(files: FileService, site: Site) -> None:
    await harm(site, Unlink(REGISTER, (await key(files, "kept")).encode(), b"D"))


async def registered_too_much(files: FileService, site: Site) -> None:
    await harm(site, Link(REGISTER, (await key(files, "d/sub")).encode(), b"D"))


async def mention_gone(files: FileService, site: Site) -> None:
    found = await node(files, "d")
    await harm(site, Put(found.key, META, evolve(found.meta, shares=()).encode()))


async def share_unlisted(files: FileService, site: Site) -> None:
    (item,) = await site.engine.page(SCOPE, SHARES, None, 10, ())
    await harm(site, Unlink(SHARES, item.entry.name, item.entry.value))


async def unreadable(files: FileService, site: Site) -> None:
    await harm(site, Put(await key(files, "d/f"), META, b"\xc1"))


async def reserved(files: FileService, site: Site) -> None:
    found = await node(files, "s")
    root = found.parent_key
    assert root is not None
    await harm(
        site,
        Unlink(root, b"s", found.entry_value),
        Link(root, b".__onedata__s", found.entry_value),
        Put(found.key, META, evolve(found.meta, name=".__onedata__s").encode()),
    )


Damage = Callable[[FileService, Site], Awaitable[None]]


@frozen
class Case:
    code: Code
    is_content_kept: bool = True


CASES: Mapping[Damage, Case] = {
    entry_of_nothing: Case(Code.DANGLING_ENTRY),
    another_letter: Case(Code.WRONG_TYPE),
    another_name: Case(Code.WRONG_NAME),
    another_parent: Case(Code.WRONG_PARENT),
    second_entry: Case(Code.WRONG_PARENT),
    second_name: Case(Code.WRONG_NAME),
    link_to_itself: Case(Code.WRONG_PARENT),
    link_record_gone: Case(Code.WRONG_LINK),
    miscounted: Case(Code.LINK_COUNT),
    entry_gone: Case(Code.ORPHANED_FILE),
    directory_entry_gone: Case(Code.ORPHANED_FILE),
    forgotten_by_the_feed: Case(Code.UNANNOUNCED),
    bytes_gone: Case(Code.MISSING_BYTES, is_content_kept=False),
    bytes_short: Case(Code.SHORT_BYTES, is_content_kept=False),
    unknown_file: Case(Code.UNKNOWN_BYTES),
    unknown_inode: Case(Code.UNKNOWN_BYTES),
    bytes_changed: Case(Code.WRONG_DIGEST, is_content_kept=False),
    staging_left: Case(Code.LEFT_STAGING),
    upload_left: Case(Code.LEFT_STAGING),
    counter_off: Case(Code.COUNTER),
    old_intent: Case(Code.OLD_INTENT),
    unregistered: Case(Code.REGISTER),
    registered_too_much: Case(Code.REGISTER),
    mention_gone: Case(Code.SHARE),
    share_unlisted: Case(Code.SHARE),
    unreadable: Case(Code.UNREADABLE),
    reserved: Case(Code.RESERVED_NAME),
}


def test_every_code_has_a_damage() -> None:
    assert {case.code for case in CASES.values()} == set(Code)


@ensureDeferred
async def test_a_sound_space_is_clean(files: FileService) -> None:
    await fill(files)
    report = await check(files, contents=True)
    assert (report.findings, report.is_clean, report.is_settled) == ([], True, True)


@pytest.mark.parametrize("damage", CASES, ids=lambda damage: damage.__name__)
@ensureDeferred
async def test_damage_is_found_and_nothing_else_and_a_repair_mends_it(
    files: FileService, site: Site, damage: Damage
) -> None:
    await fill(files)
    await damage(files, site)
    case = CASES[damage]
    report = await check(files, EVERYTHING, contents=True, is_trial=True)
    assert set(report.counts) == {case.code}, report.findings
    assert not report.is_clean and not report.repaired.total()
    repaired = await check(files, EVERYTHING, contents=True)
    assert repaired.counts == report.counts
    if KINDS[case.code].mending is Mending.NONE:
        return
    assert repaired.is_clean, repaired
    assert (await check(files, contents=True)).findings == []
    for name, content in CONTENTS.items():
        if case.is_content_kept or name != "d/f":
            assert await read(files, path(name)) == content


@ensureDeferred
async def test_unknown_bytes_become_a_file_in_lost_and_found(files: FileService, site: Site) -> None:
    await fill(files)
    await unknown_file(files, site)
    assert (await check(files, SAFE)).repaired == {Code.UNKNOWN_BYTES: 1}
    (name,) = await names_in(files, at("lost+found"))
    assert name.endswith(" d new stranger")
    assert await read(files, at("lost+found", name)) == b"found"


@ensureDeferred
async def test_unknown_bytes_are_removed_only_when_that_is_asked_for(files: FileService, site: Site) -> None:
    await fill(files)
    await unknown_file(files, site)
    assert (await check(files, SAFE, deletes_orphans=True)).repaired == {Code.UNKNOWN_BYTES: 1}
    with pytest.raises(StorageError):
        await site.helper.stat(StoragePath(f"{SPACE}/d/new/stranger"))
    assert (await check(files)).findings == []


@ensureDeferred
async def test_what_is_lost_for_good_is_written_off_only_when_it_is_named(
    files: FileService, site: Site
) -> None:
    await fill(files)
    await bytes_gone(files, site)
    assert not (await check(files, SAFE)).repaired.total()
    assert (await check(files, frozenset({Code.MISSING_BYTES}))).is_clean
    assert await read(files, path("d/f")) == bytes(5)
