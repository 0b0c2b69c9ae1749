"""Two nodes change one space at the same time, their steps mixed in every order that chance gives."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.persistence.memory import MemoryEngine
from onedata.errors import Errno, NotFound, Posix, ServiceUnavailable
from onedata.ids import trash_uuid
from op_worker.files.charging import walks
from op_worker.files.content import draining
from op_worker.files.content.draining import Draining
from op_worker.files.model import CreateOptions, Existing
from op_worker.files.service import FileService
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.quotas import Quota
from op_worker.storage.helper import StoragePath
from op_worker.storage.types import PathType
from tests.support.accounts import check_counters, check_settled
from tests.support.spaces import (
    OWNER,
    SECOND,
    SPACE,
    STORAGE,
    Site,
    body,
    double_site,
    flat_site,
    owner,
    path,
    read,
)
from tests.support.store_checker import check_store, stored_files

UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)
SLOTTED = ["v", "d/w", "d/v", "w"]
"""Files that are written in place, a slot of ten bytes at a time; the last two are hard links."""
SLOT_B = 10
TOPS = ["a", "b", "d", "e"]
NAMES = ["a", "b", "a/x", "b/x", "a/y", "a/x/z", "c", "d/x", "b/y"]
EXPECTED = {
    Errno.ENOENT,
    Errno.ENOTDIR,
    Errno.EISDIR,
    Errno.EEXIST,
    Errno.ENOTEMPTY,
    Errno.EINVAL,
    Errno.EAGAIN,
    Errno.EPERM,
}


@define(eq=False)
class Scheduler:
    """Holds back every call until chance picks it."""

    random: random.Random
    waiting: list[Deferred[None]] = field(factory=list)

    def __call__(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            turn: Deferred[None] = Deferred()
            self.waiting.append(turn)
            await turn
            result = await method(*args, **kwargs)
            after: Deferred[None] = Deferred()
            self.waiting.append(after)
            await after
            return result

        return call

    def step(self) -> bool:
        """Let one call go on; ``False`` when none waits."""
        if not self.waiting:
            return False
        self.waiting.pop(self.random.randrange(len(self.waiting))).callback(None)
        return True


class Held:
    """An engine, a helper or a file whose calls wait for the scheduler."""

    def __init__(self, inner: Any, scheduler: Scheduler) -> None:
        self._inner, self._scheduler = inner, scheduler

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        return method if name == "watch" else self._scheduler(method)


class HeldFlatHelper(Held):
    """The powers of a helper are found on its class, so they are named here."""

    async def _opened(self, name: str, path: StoragePath) -> Any:
        return Held(await self._scheduler(getattr(self._inner, name))(path), self._scheduler)

    async def open_read(self, path: StoragePath) -> Any:
        return await self._opened("open_read", path)

    async def open_update(self, path: StoragePath) -> Any:
        return await self._opened("open_update", path)

    async def open_write(self, path: StoragePath) -> Any:
        return await self._opened("open_write", path)

    async def write_whole(self, *args: Any) -> Any:
        return await self._scheduler(self._inner.write_whole)(*args)


class HeldHelper(HeldFlatHelper):
    """A helper that also renames and lists."""

    async def rename(self, *args: Any) -> Any:
        return await self._scheduler(self._inner.rename)(*args)

    async def make_directory(self, *args: Any) -> Any:
        return await self._scheduler(self._inner.make_directory)(*args)

    async def remove_directory(self, *args: Any) -> Any:
        return await self._scheduler(self._inner.remove_directory)(*args)

    async def list_directory(self, *args: Any) -> Any:
        return await self._scheduler(self._inner.list_directory)(*args)


def content(tag: int) -> bytes:
    """Return content that shows whether it is whole: one byte, repeated as often as its value says."""
    return bytes([tag]) * (1 + tag % 7)


async def prepare(files: FileService, recycle_days: float) -> None:
    """Make directories and files to begin with."""
    await files.space_settings.change_settings(owner, SPACE, recycle_days=recycle_days)
    for name in ("a/x", "a/y", "b/x"):
        await files.replace_content(owner, path(name), body(content(200)), expected_b=None, create=UPDATE)
    for name in SLOTTED[:2]:
        data = bytes([201]) * 2 * SLOT_B
        await files.replace_content(owner, path(name), body(data), expected_b=None, create=UPDATE)
    if recycle_days:
        for name in ("a/y", "d/w"):  # so that the bin is not empty at the beginning
            await files.remove(owner, path(name))


async def put(files: FileService, chance: random.Random, tag: int) -> None:
    await files.replace_content(
        owner, path(chance.choice(NAMES)), body(content(tag)), expected_b=None, create=UPDATE
    )


async def move(files: FileService, chance: random.Random, tag: int) -> None:
    names = chance.choice([NAMES, NAMES, SLOTTED, TOPS])
    await files.move(owner, path(chance.choice(names)), path(chance.choice(names)))


async def remove(files: FileService, chance: random.Random, tag: int) -> None:
    await files.remove(owner, path(chance.choice([*NAMES, *SLOTTED])))


async def make(files: FileService, chance: random.Random, tag: int) -> None:
    make = chance.choice([files.create_directory, files.create_file])
    await make(owner, path(chance.choice(NAMES)), UPDATE)


async def read_one(files: FileService, chance: random.Random, tag: int) -> None:
    check_whole(await read(files, path(chance.choice(NAMES))))


async def write_slot(files: FileService, chance: random.Random, tag: int) -> None:
    offset_b = SLOT_B * chance.randrange(5)
    data = bytes([tag]) * SLOT_B
    await files.write_content(owner, path(chance.choice(SLOTTED)), offset_b, body(data), expected_b=None)


async def cut(files: FileService, chance: random.Random, tag: int) -> None:
    await files.truncate(owner, path(chance.choice(SLOTTED)), SLOT_B * chance.randrange(3))


async def fill_slots(files: FileService, chance: random.Random, tag: int) -> None:
    data = bytes([tag]) * SLOT_B * chance.randrange(4)
    await files.replace_content(
        owner, path(chance.choice(SLOTTED)), body(data), expected_b=None, create=UPDATE
    )


async def read_slots(files: FileService, chance: random.Random, tag: int) -> None:
    try:
        check_slots(await read(files, path(chance.choice(SLOTTED))))
    except Posix as error:
        if error.errno is not Errno.EIO:  # it was cut while it was read
            raise


async def link(files: FileService, chance: random.Random, tag: int) -> None:
    originals, names = chance.choice([(["a/x", "a/y", "b/x"], NAMES), (SLOTTED, SLOTTED)])
    original = await files.stat(owner, path(chance.choice(originals)))
    await files.create_link(owner, path(chance.choice(names)), original.guid, UPDATE)


async def one_of_bin(files: FileService, chance: random.Random) -> str:
    page = await files.recycle_bin.items(owner, SPACE, limit=100)
    return chance.choice([item.item_id for item in page.items] or ["nothing"])


async def restore(files: FileService, chance: random.Random, tag: int) -> None:
    item = await one_of_bin(files, chance)
    await files.recycle_bin.restore(owner, SPACE, item, None, UPDATE)


async def purge(files: FileService, chance: random.Random, tag: int) -> None:
    await files.recycle_bin.remove(owner, SPACE, await one_of_bin(files, chance))


OPERATIONS = [
    *([put] * 3),
    *([move] * 3),
    *([write_slot] * 3),
    *([link] * 4),
    *([remove] * 3),
    *([restore] * 2),
    purge,
    make,
    read_one,
    cut,
    fill_slots,
    read_slots,
]


async def limit(files: FileService, chance: random.Random, tag: int) -> None:
    quota = Quota(size_b=1 << 20)
    if chance.randrange(3):
        await files.quotas.set_directory_quota(owner, path(chance.choice(TOPS)), quota)
    else:
        await files.quotas.set_user_quota(owner, SPACE, OWNER, quota)


async def lift(files: FileService, chance: random.Random, tag: int) -> None:
    if chance.randrange(3):
        await files.quotas.remove_directory_quota(owner, path(chance.choice(TOPS)))
    else:
        await files.quotas.remove_user_quota(owner, SPACE, OWNER)


WITH_QUOTAS = [*OPERATIONS, *([move] * 3), *([limit] * 6), *([lift] * 3)]


def is_slotted(name: str) -> bool:
    """Whether a file is written in place; the last name stays when directories are moved."""
    return name.rpartition("/")[2] in ("v", "w")


def check_slots(data: bytes) -> None:
    """Demand that every slot was written by one writer, or by none."""
    assert len(data) % SLOT_B == 0
    for at in range(0, len(data), SLOT_B):
        assert len(set(data[at : at + SLOT_B])) == 1


def check_whole(data: bytes) -> None:
    """Demand one whole content, not a mixture of two."""
    assert data == b"" or data == content(data[0])


def drive(scheduler: Scheduler, clock: Clock, done: Callable[[], bool]) -> None:
    """Let calls go on in random order until ``done``; time passes when nothing else happens."""
    for _ in range(200_000):
        if done():
            return
        if not scheduler.step():
            clock.advance(0.05)
    pytest.fail("the operations do not end")


def run(scheduler: Scheduler, clock: Clock, works: Sequence[Awaitable[Any]]) -> list[object]:
    """Run works side by side; return their results and failures."""
    results: list[object] = []
    for work in works:
        Deferred.fromCoroutine(work).addBoth(results.append)  # type: ignore[arg-type]  # coroutines
    drive(scheduler, clock, lambda: len(results) == len(works))
    return results


def check_failures(results: list[object]) -> None:
    """Demand that what failed failed as users may see it."""
    for result in results:
        if isinstance(result, Failure):
            error = result.value
            is_expected = (isinstance(error, Posix) and error.errno in EXPECTED) or isinstance(
                error, NotFound
            )
            assert is_expected or isinstance(error, ServiceUnavailable), result.getTraceback()


async def check_consistent(site: Site, files: FileService) -> None:
    """Demand that every file reads whole, and that all that is stored fits together."""
    scope = Scope(SPACE)
    assert await site.engine.get_all(scope, INTENTS) == {}
    assert await site.engine.count(scope, Key(trash_uuid(SPACE))) == 0
    await check_counters(site.engine)
    await check_settled(site.engine)
    checker, stored = await check_store(site), await stored_files(site)
    page = await files.list_recursive(owner, path(""), limit=9999)
    assert {name for name, _ in page.items} == set(checker.paths)
    for name, _ in page.items:
        data = await read(files, path(name))
        if is_slotted(name):
            check_slots(data)
        else:
            check_whole(data)
            if not checker.parts:
                assert stored.get(checker.paths[name], b"") == data


def one_mixture(
    seed: int,
    nodes: tuple[str, ...],
    count: int,
    operations: Sequence[Any] = OPERATIONS,
    make: Callable[[], Site] = Site,
) -> None:
    """Run ``count`` random operations on some nodes at once, then check."""
    chance = random.Random(seed)
    scheduler, clock, site = Scheduler(chance), Clock(), make()
    site = evolve(site, engine=MemoryEngine(clock), clock=clock)
    held = HeldHelper if site.path_type is PathType.CANONICAL else HeldFlatHelper
    second = None if site.second is None else HeldFlatHelper(site.second, scheduler)
    engine = Held(site.engine, scheduler)
    wired = evolve(site, engine=engine, helper=held(site.helper, scheduler), second=second)
    services: list[Any] = [run(scheduler, clock, [wired.process(node)])[0] for node in nodes]
    check_failures_none(run(scheduler, clock, [prepare(services[0], recycle_days=seed % 2)]))
    works = [chance.choice(operations)(chance.choice(services), chance, tag) for tag in range(1, count + 1)]
    check_failures(run(scheduler, clock, works))
    run(scheduler, clock, [files.recover(SPACE) for files in services])
    drive(scheduler, clock, lambda: not scheduler.waiting)
    for _ in range(100):
        clock.advance(1)
        drive(scheduler, clock, lambda: not scheduler.waiting)
    check_failures(run(scheduler, clock, [files.recover(SPACE) for files in services]))
    drive(scheduler, clock, lambda: not scheduler.waiting)
    check_failures_none(run(scheduler, clock, [check_consistent(site, services[0])]))
    check_expiry(scheduler, clock, wired, services)
    check_failures_none(run(scheduler, clock, [check_consistent(site, services[0])]))
    run(scheduler, clock, [files.tasks.close() for files in services])


def check_expiry(scheduler: Scheduler, clock: Clock, site: Site, services: Sequence[Any]) -> None:
    """Let all nodes find at once that everything in the bin has expired."""
    site.now_s += 2 * 86400
    for _ in range(2):
        check_failures(run(scheduler, clock, [files.recover(SPACE) for files in services]))
        for _ in range(100):
            clock.advance(1)
            drive(scheduler, clock, lambda: not scheduler.waiting)
    (page,) = run(scheduler, clock, [services[0].recycle_bin.items(owner, SPACE, limit=9)])
    assert page.items == []  # type: ignore[attr-defined]  # no failure


def check_failures_none(results: list[object]) -> None:
    for result in results:
        if isinstance(result, Failure):
            result.raiseException()


@pytest.mark.parametrize("seed", range(100))
def test_one_node_stays_consistent_under_mixed_operations(seed: int) -> None:
    one_mixture(seed, ("worker1",), 12)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_three_nodes_stay_consistent_under_mixed_operations(seed: int) -> None:
    one_mixture(seed, ("worker1", "worker2", "worker3"), 16)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_three_nodes_stay_consistent_over_a_storage_that_moves_nothing(seed: int) -> None:
    one_mixture(seed, ("worker1", "worker2", "worker3"), 16, make=flat_site)


async def drain(files: FileService, chance: random.Random, tag: int) -> None:
    key = Key((await files.stat(owner, path(chance.choice([*NAMES, *SLOTTED])))).guid.uuid)
    await Draining(files.context).drain(SPACE, key, chance.choice([STORAGE, SECOND]), lambda: None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_contents_stay_whole_that_go_from_storage_to_storage_under_mixed_operations(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "PIECE_B", 10)
    monkeypatch.setattr(draining, "MAX_READ_B", 6)
    operations = [*OPERATIONS, *([drain] * 8)]
    one_mixture(seed, ("worker1", "worker2", "worker3"), 20, operations, make=double_site)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(150))
def test_charges_are_as_wanted_after_quotas_changed_while_files_moved(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "PAGE", 2)
    one_mixture(seed, ("worker1", "worker2"), 24, WITH_QUOTAS)


def appended_records(data: bytes) -> list[bytes]:
    """Split a file of records, each ``<tag><length>`` and then that many times the tag; zeros are holes."""
    records, at = [], 0
    while at < len(data):
        if not data[at]:
            at += 1
            continue
        tag, size_b = data[at], data[at + 1]
        record = data[at : at + 2 + size_b]
        assert record == bytes([tag, size_b]) + bytes([tag]) * size_b
        records.append(record)
        at += len(record)
    return records


@pytest.mark.parametrize("seed", range(60))
def test_appends_of_three_nodes_are_all_there_in_one_piece_whatever_moves_meanwhile(seed: int) -> None:
    chance = random.Random(seed)
    scheduler, clock, site = Scheduler(chance), Clock(), Site()
    site = evolve(site, clock=clock)
    wired = evolve(site, engine=Held(site.engine, scheduler), helper=HeldHelper(site.helper, scheduler))
    services: list[Any] = [run(scheduler, clock, [wired.process(f"worker{n}")])[0] for n in range(3)]
    check_failures_none(run(scheduler, clock, [services[0].create_file(owner, path("log"), CreateOptions())]))
    records = [bytes([tag, 1 + tag % 9]) + bytes([tag]) * (1 + tag % 9) for tag in range(1, 13)]
    taken: list[bytes] = []

    async def append(files: FileService, record: bytes) -> None:
        await files.append_content(owner, path("log"), body(record), expected_b=len(record))
        taken.append(record)

    works: list[Awaitable[Any]] = [append(chance.choice(services), record) for record in records]
    target = path("log")
    if seed % 2:
        works.append(services[1].move(owner, path("log"), path("moved")))
        target = path("moved")
    check_failures(run(scheduler, clock, works))
    drive(scheduler, clock, lambda: not scheduler.waiting)
    content: list[Any] = run(scheduler, clock, [read(services[2], target)])
    check_failures_none(content)
    assert sorted(appended_records(content[0])) == sorted(taken)
    assert 0 not in content[0]
    run(scheduler, clock, [files.tasks.close() for files in services])
