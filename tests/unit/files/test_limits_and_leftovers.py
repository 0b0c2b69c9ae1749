"""Confined tokens, room that runs out, leftovers of other nodes, and bodies that break."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import Batch, Key, Scope
from cluster_worker.persistence.lives import SHOWN_S
from cluster_worker.runtime.streams import BoundedStream, BytesStream, StreamBroken
from onedata.errors import Errno, Posix, ServiceUnavailable
from onedata.ids import FileGuid, user_root_guid
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, Existing, Target
from op_worker.files.service import FileService
from op_worker.files.stored.intents import INTENTS, Intent, IntentKind
from op_worker.files.stored.paths import staging_path, storage_path
from op_worker.storage.helpers.memory import MemoryHelper
from tests.support.spaces import (
    OTHER_SPACE,
    OWNER,
    SPACE,
    STORAGE,
    Site,
    body,
    die,
    live,
    living_site,
    names_in,
    owner,
    path,
    read,
)

UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)
NONE: tuple[frozenset[str], ...] = ()


async def refused(errno: Errno, work: Awaitable[object]) -> None:
    with pytest.raises(Posix) as caught:
        await work
    assert caught.value.errno is errno


async def put(files: FileService, text: str, data: bytes) -> FileGuid:
    stat, _ = await files.replace_content(owner, path(text), body(data), expected_b=len(data), create=UPDATE)
    return stat.guid


async def tree() -> FileService:
    files = await Site().process()
    for name in ("a/x/1", "a/y/2", "b/3"):
        await put(files, name, b"1")
    return files


# confined tokens


@ensureDeferred
async def test_a_token_for_a_path_reaches_it_and_sees_the_way_to_it() -> None:
    files = await tree()
    caller = Caller(OWNER, DataLimits(False, (frozenset({f"/{SPACE}/a/x", f"/{SPACE}/new"}),), NONE))
    assert await read(files, path("a/x/1"), caller) == b"1"
    assert await names_in(files, path(""), caller) == ["a"]
    assert await names_in(files, path("a"), caller) == ["x"]
    assert await names_in(files, path("a/x"), caller) == ["1"]
    assert await files.count_children(caller, path("")) == 1
    assert await names_in(files, Target(user_root_guid(OWNER)), caller) == ["Science"]
    assert (await files.stat(caller, path("a"))).name == "a"
    page = await files.list_recursive(caller, path(""), limit=9)
    assert [name for name, _ in page.items] == ["a/x/1"]
    for work in (
        files.stat(caller, path("b")),
        files.open_content(caller, path("a/y/2")),
        files.create_file(caller, path("a/z"), UPDATE),
        files.remove(caller, path("a")),
        files.set_mode(caller, path("a"), 0o777),
        files.metadata.xattrs(caller, path("a")),
        files.move(caller, path("a/x/1"), path("b/1")),
        files.copy(caller, path("a/x/1"), path("b/1")),
    ):
        await refused(Errno.EACCES, work)
    await files.create_file(caller, path("a/x/z"), UPDATE)
    await files.create_file(caller, path("new"), UPDATE)
    await files.remove(caller, path("new"))


@ensureDeferred
async def test_a_token_for_an_object_id_follows_the_file() -> None:
    files = await tree()
    guid = (await files.stat(owner, path("a/x"))).guid
    caller = Caller(OWNER, DataLimits(False, NONE, (frozenset({guid.object_id(), "junk"}),)))
    assert await read(files, path("a/x/1"), caller) == b"1"
    await files.move(owner, path("a/x"), path("b/moved"))
    assert await read(files, path("b/moved/1"), caller) == b"1"
    assert await names_in(files, path("b"), caller) == ["moved"]
    await refused(Errno.EACCES, files.stat(caller, path("a")))
    assert [space.name for space in await files.spaces(caller)] == ["Science"]


@ensureDeferred
async def test_a_token_for_another_space_reaches_nothing_here() -> None:
    files = await tree()
    caller = Caller(OWNER, DataLimits(False, (frozenset({f"/{OTHER_SPACE}"}),), NONE))
    await refused(Errno.EACCES, files.stat(caller, path("")))
    await refused(Errno.ENOENT, files.find_space(caller, "Science"))


@ensureDeferred
async def test_a_readonly_token_reads_everything_and_changes_nothing() -> None:
    files = await tree()
    caller = Caller(OWNER, DataLimits(True, NONE, NONE))
    assert await read(files, path("a/x/1"), caller) == b"1"
    assert await names_in(files, path("a"), caller) == ["x", "y"]
    for work in (
        files.replace_content(caller, path("a/x/1"), body(b""), expected_b=0),
        files.write_content(caller, path("a/x/1"), 0, body(b"2"), expected_b=1),
        files.create_directory(caller, path("d"), UPDATE),
        files.remove(caller, path("b")),
        files.metadata.set_json(caller, path("b"), 1),
        files.set_times(caller, path("b"), 1, 1),
    ):
        await refused(Errno.EACCES, work)


# room


@ensureDeferred
async def test_a_full_space_refuses_more_and_shows_nothing_half() -> None:
    site = Site(size_b=100)
    files = await site.process()
    await put(files, "f", bytes(60))
    await refused(Errno.ENOSPC, put(files, "g", bytes(41)))
    await refused(Errno.ENOSPC, files.write_content(owner, path("f"), 60, body(bytes(41)), expected_b=41))
    await refused(Errno.ENOSPC, put(files, "f", bytes(101)))
    assert await names_in(files, path("")) == ["f"]
    assert await read(files, path("f")) == bytes(60)
    await put(files, "g", bytes(40))
    await put(files, "f", bytes(50))
    assert isinstance(site.helper, MemoryHelper)
    assert await site.helper.list_directory(staging_path(SPACE, "x").rpartition("/")[0]) == []  # type: ignore[arg-type]


@ensureDeferred
async def test_a_body_announced_longer_than_the_room_is_refused_unread() -> None:
    files = await Site(size_b=100).process()
    untouched = BytesStream(b"x")
    create = CreateOptions()
    work = files.replace_content(owner, path("f"), untouched, expected_b=1 << 30, create=create)
    await refused(Errno.ENOSPC, work)
    assert await untouched.read() == b"x"


@ensureDeferred
async def test_a_body_longer_or_shorter_than_announced_is_broken() -> None:
    files = await Site().process()
    for expected_b in (0, 3, 5, 1 << 19):
        with pytest.raises(StreamBroken):
            await files.replace_content(
                owner, path("f"), body(b"1234"), expected_b=expected_b, create=CreateOptions()
            )
    assert await names_in(files, path("")) == []


def test_memory_of_an_upload_is_bounded_by_what_the_storage_takes() -> None:
    site = Site()
    pauses: list[str] = []
    stream = BoundedStream(
        lambda: pauses.append("pause"), lambda: pauses.append("resume"), high_b=1000, low_b=100
    )
    services: list[FileService] = []
    Deferred.fromCoroutine(site.process()).addCallback(services.append)
    held: Deferred[None] = Deferred()

    class Stuck(MemoryHelper):
        async def open_write(self, path: object) -> object:  # type: ignore[override]  # never returns
            await held
            return None

    helper = Stuck()
    object.__setattr__(next(iter(services[0]._context.storages.all())), "helper", helper)
    work = Deferred.fromCoroutine(
        services[0].replace_content(owner, path("f"), stream, expected_b=None, create=CreateOptions())
    )
    for _ in range(300):
        stream.push(bytes(1000))
    assert pauses.count("pause") > pauses.count("resume")
    work.addErrback(lambda _: None)
    work.cancel()


# what other nodes and earlier lives left


async def leave(site: Site, intent: Intent) -> None:
    await site.engine.commit(Scope(SPACE), Batch(intent.put()))


def intent(kind: IntentKind, node: str, since_s: float, *names: str) -> Intent:
    target = storage_path(SPACE, names)
    return Intent(b"12345678", kind, node, int(since_s), STORAGE, "nobody", target)


@ensureDeferred
async def test_an_operation_of_a_living_node_is_waited_for_and_of_a_dead_one_finished() -> None:
    site = living_site()
    files, other = await site.process("worker1"), await site.process("worker2")
    live(other)
    await files.list_children(owner, path(""), limit=1)
    await leave(site, intent(IntentKind.REMOVE, other.context.lives.own, site.now_s, "f"))
    assert isinstance(site.clock, Clock)
    outcome: list[object] = []
    Deferred.fromCoroutine(put(files, "f", b"1")).addBoth(outcome.append)
    for _ in range(200):
        site.clock.advance(0.05)
    assert outcome[0].check(ServiceUnavailable)  # type: ignore[attr-defined]  # a failure
    die(other)
    site.clock.advance(SHOWN_S)
    await put(files, "f", b"1")
    assert await read(files, path("f")) == b"1"


@ensureDeferred
async def test_an_operation_left_by_our_earlier_life_is_finished_on_the_way() -> None:
    site = Site()
    files = await site.process("worker1")
    await files.list_children(owner, path(""), limit=1)
    await leave(site, intent(IntentKind.REMOVE, "worker1-01234567", site.now_s, "f"))
    await put(files, "f", b"1")
    assert await read(files, path("f")) == b"1"
    assert await site.engine.get_all(Scope(SPACE), INTENTS) == {}


@ensureDeferred
async def test_a_purge_gives_back_room_of_wide_and_deep_trees() -> None:
    site = Site()
    files = await site.process()
    deep = "/".join(["d"] * 40)
    await put(files, f"d/{deep}", bytes(7))
    for number in range(230):
        await put(files, f"d/{number}", bytes(3))
    await files.remove(owner, path("d"))
    assert (await site.engine.counters(Scope(SPACE)))[f"used:{STORAGE}"] == 0
    assert isinstance(site.helper, MemoryHelper)
    assert sorted(await site.helper.list_directory(SPACE)) == [".__onedata__staging", ".__onedata__trash"]  # type: ignore[arg-type]
    assert await site.engine.count(Scope(SPACE), Key(f"trash_{SPACE}")) == 0


@ensureDeferred
async def test_strangers_on_the_storage_give_way() -> None:
    site = Site()
    files = await site.process()
    assert isinstance(site.helper, MemoryHelper)
    await site.helper.write_whole(storage_path(SPACE, ("f", "junk")), b"junk")
    await put(files, "f", b"1")
    assert await read(files, path("f")) == b"1"
    await site.helper.write_whole(storage_path(SPACE, ("d", "junk")), b"junk")
    await files.create_directory(owner, path("e"), UPDATE)
    await put(files, "e/x", b"2")
    await files.move(owner, path("e"), path("d"))
    assert await read(files, path("d/x")) == b"2"
    await files.recover(SPACE)
    assert await site.helper.list_directory(storage_path(SPACE, ("d",))) == ["x"]


@ensureDeferred
async def test_content_that_the_storage_lost_is_an_error_and_never_other_bytes() -> None:
    site = Site()
    files = await site.process()
    await put(files, "f", b"12345")
    assert isinstance(site.helper, MemoryHelper)
    await site.helper.write_whole(storage_path(SPACE, ("f",)), b"12")
    await refused(Errno.EIO, read(files, path("f")))
    await site.helper.remove(storage_path(SPACE, ("f",)))
    await refused(Errno.EIO, read(files, path("f")))
    await refused(Errno.EIO, files.write_content(owner, path("f"), 1, body(b"1"), expected_b=1))
    await put(files, "f", b"again")
    assert await read(files, path("f")) == b"again"
