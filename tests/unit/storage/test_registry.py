"""Storages and supports: kept in the store, seen by every node."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgpack
import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import (
    Batch,
    Committed,
    Document,
    Key,
    PersistenceUnavailable,
    Scope,
)
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.pool import Inline
from onedata.ids import SpaceId, StorageId
from op_worker.storage.catalogue import TYPES
from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.memory import MemoryHelper
from op_worker.storage.records import StorageRecord, SupportRecord, UnknownSchemaError
from op_worker.storage.registry import StorageInUseError, Storages
from op_worker.storage.retiring import GRACE_S
from op_worker.storage.types import BadStorageError, HelperSurroundings, Parameters, StorageType

SPACE, MEMORY = SpaceId("space"), StorageId("memory")
RECORD = StorageRecord(storage_id=MEMORY, name="mem", type="memory", arguments={"timeout": "77123"})
STORED = {"storagePathType": "canonical", "archiveStorage": "false"}
"""What is kept of every storage although nobody gave it."""


@ensureDeferred
async def test_storages_and_supports_outlive_the_process() -> None:
    engine = MemoryEngine()
    storages = Storages(engine, Inline(), Clock())
    await storages.add_storage(RECORD)
    await storages.support(SPACE, MEMORY, 100)
    later = Storages(engine, Inline(), Clock())
    await later.load()
    support = later.for_space(SPACE)
    assert support is not None
    assert (support.storage.record.name, support.size_b) == ("mem", 100)
    assert support.storage.record.arguments == {**STORED, "timeout": "77123"}
    assert [each.space_id for each in later.supported()] == [SPACE]
    assert [each.storage_id for each in later.all()] == [MEMORY]
    await support.storage.helper.check()
    assert support.storage.renames is not None
    assert support.storage.first is None


@ensureDeferred
async def test_what_one_node_adds_and_removes_others_see() -> None:
    engine = MemoryEngine()
    ours, theirs = Storages(engine, Inline(), Clock()), Storages(engine, Inline(), Clock())
    theirs.startService()
    await ours.add_storage(RECORD)
    await ours.support(SPACE, MEMORY, 100)
    helper = theirs.get(MEMORY)
    assert helper is not None
    assert theirs.for_space(SPACE) is not None
    await ours.support(SPACE, MEMORY, 200)
    assert theirs.get(MEMORY) is helper
    await ours.remove_support(SPACE)
    await ours.remove_storage(MEMORY)
    assert theirs.for_space(SPACE) is None
    assert theirs.get(MEMORY) is None
    await theirs.stopService()


@ensureDeferred
async def test_a_storage_that_another_node_added_a_moment_ago_supports_a_space() -> None:
    engine = MemoryEngine()
    ours, theirs = (Storages(engine, Inline(), Clock()) for _ in range(2))
    await ours.add_storage(RECORD)
    assert theirs.get(MEMORY) is None  # it follows nothing, as a node that has not heard yet
    assert (await theirs.support(SPACE, MEMORY, 100)).size_b == 100


@ensureDeferred
async def test_a_storage_is_not_removed_when_another_node_supports_a_space_with_it() -> None:
    engine = MemoryEngine()
    ours, theirs = (Storages(engine, Inline(), Clock()) for _ in range(2))
    await ours.add_storage(RECORD)
    await theirs.support(SPACE, MEMORY, 100)
    assert ours.for_space(SPACE) is None
    with pytest.raises(StorageInUseError):
        await ours.remove_storage(MEMORY)


class Interrupted(MemoryEngine):
    """Before its next commit somebody else does something."""

    first: Callable[[], Awaitable[object]] | None = None

    async def commit(self, scope: Scope, batch: Batch) -> Committed:
        first, self.first = self.first, None
        if first is not None:
            await first()
        return await super().commit(scope, batch)


@ensureDeferred
async def test_a_storage_that_is_removed_while_a_support_is_committed_is_refused() -> None:
    engine = Interrupted()
    ours, theirs = (Storages(engine, Inline(), Clock()) for _ in range(2))
    await ours.add_storage(RECORD)
    engine.first = lambda: theirs.remove_storage(MEMORY)
    with pytest.raises(BadStorageError):
        await ours.support(SPACE, MEMORY, 100)
    await ours.add_storage(RECORD)
    engine.first = lambda: theirs.support(SPACE, MEMORY, 100)
    with pytest.raises(StorageInUseError):
        await ours.remove_storage(MEMORY)


class Away(MemoryEngine):
    """Cannot be read while ``is_away``."""

    is_away = False

    async def get_all(self, scope: Scope, key: Key) -> Mapping[str, Document]:
        if self.is_away:
            raise PersistenceUnavailable
        return await super().get_all(scope, key)


@ensureDeferred
async def test_news_that_cannot_be_read_now_are_read_when_the_store_is_back() -> None:
    engine, clock = Away(), Clock()
    ours, theirs = Storages(engine, Inline(), Clock()), Storages(engine, Inline(), clock)
    theirs.startService()
    engine.is_away = True
    with pytest.raises(PersistenceUnavailable):
        await ours.add_storage(RECORD)  # committed, then not read back
    clock.advance(1)
    assert theirs.get(MEMORY) is None
    engine.is_away = False
    clock.advance(1)
    assert theirs.get(MEMORY) is not None
    await theirs.stopService()
    assert clock.getDelayedCalls() == []


@ensureDeferred
async def test_a_storage_of_a_type_that_only_newer_nodes_know_keeps_no_other_from_being_used() -> None:
    engine = MemoryEngine()
    newer = Storages(engine, Inline(), Clock(), types={**TYPES, "tape": TYPES["memory"]})
    await newer.add_storage(RECORD)
    tape = StorageRecord(storage_id=StorageId("tape"), name="tape", type="tape")
    await newer.add_storage(tape)
    older = Storages(engine, Inline(), Clock())
    await older.load()
    assert [each.storage_id for each in older.all()] == [MEMORY]


@ensureDeferred
async def test_a_storage_that_supports_a_space_is_not_removed() -> None:
    storages = Storages(MemoryEngine(), Inline(), Clock())
    await storages.add_storage(RECORD)
    await storages.support(SPACE, MEMORY, 100)
    with pytest.raises(StorageInUseError):
        await storages.remove_storage(MEMORY)


@pytest.mark.parametrize(
    ("type_", "arguments"),
    [
        ("tape", {}),
        ("posix", {}),
        ("posix", {"mountPoint": "relative"}),
        ("posix", {"mountPoint": "/mnt", "colour": "red"}),
        ("memory", {"storagePathType": "winding"}),
    ],
)
@ensureDeferred
async def test_impossible_storages_are_refused_and_not_kept(type_: str, arguments: dict[str, str]) -> None:
    storages = Storages(MemoryEngine(), Inline(), Clock())
    record = StorageRecord(storage_id=MEMORY, name="x", type=type_, arguments=arguments)
    with pytest.raises(BadStorageError):
        await storages.add_storage(record)
    with pytest.raises(BadStorageError):
        await storages.support(SPACE, MEMORY, 1)
    assert not storages.all()


@ensureDeferred
async def test_a_posix_storage_is_tried_before_it_is_kept(tmp_path: Path) -> None:
    storages = Storages(MemoryEngine(), Inline(), Clock())
    arguments = {"mountPoint": str(tmp_path / "missing")}
    record = StorageRecord(storage_id=MEMORY, name="x", type="posix", arguments=arguments)
    with pytest.raises(StorageUnavailable):
        await storages.add_storage(record)
    (tmp_path / "missing").mkdir()
    storage = await storages.add_storage(record)
    assert storage.first is not None


def test_arguments_of_a_storage_are_not_printed() -> None:
    assert "77123" not in repr(RECORD)
    assert {"posix", "memory", "nulldevice"} <= set(TYPES)


def test_records_of_the_first_version_are_read() -> None:
    record = StorageRecord.decode("x", msgpack.packb([1, "disk", "posix", {"mountPoint": "/mnt"}]))
    assert (record.name, record.arguments, record.credentials) == ("disk", {"mountPoint": "/mnt"}, {})
    assert not (record.is_imported or record.is_readonly or record.is_draining)


def test_records_keep_unknown_fields_and_refuse_unknown_schemas() -> None:
    record = StorageRecord.decode("x", msgpack.packb([*msgpack.unpackb(RECORD.encode()), 7]))
    assert record.rest == (7,)
    assert StorageRecord.decode("x", record.encode()) == record
    for sizes_b in ({MEMORY: 5}, {MEMORY: 5, StorageId("another"): 6}):
        for rest in ((), ("new",)):
            for keeps_names in (True, False):
                support = SupportRecord(space_id=SPACE, sizes_b=sizes_b, keeps_names=keeps_names, rest=rest)
                assert SupportRecord.decode(SPACE, support.encode()) == support
    assert SupportRecord.decode(SPACE, msgpack.packb([1, MEMORY, 5])).sizes_b == {MEMORY: 5}
    with pytest.raises(UnknownSchemaError):
        SupportRecord.decode(SPACE, b"\x93\x02\xa1a\x01")


class Closing(MemoryHelper):
    """Tells when it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


def closing_types(made: list[Closing]) -> Mapping[str, StorageType]:
    def make(parameters: Parameters, surroundings: HelperSurroundings) -> Closing:
        made.append(Closing())
        return made[-1]

    return {"memory": StorageType(name="memory", make=make)}


@ensureDeferred
async def test_a_helper_that_was_replaced_is_closed_once_nobody_can_be_using_it() -> None:
    made: list[Closing] = []
    clock = Clock()
    storages = Storages(MemoryEngine(), Inline(), clock, types=closing_types(made))
    await storages.add_storage(RECORD)
    trial, first = made
    assert (trial.closed, first.closed) == (1, 0)
    await storages.add_storage(evolve(RECORD, arguments={"timeout": "5"}))
    assert first.closed == 0
    clock.advance(GRACE_S)
    assert [helper.closed for helper in made] == [1, 1, 1, 0]
    await storages.stopService()
    assert [helper.closed for helper in made] == [1, 1, 1, 1]
    assert clock.getDelayedCalls() == []


@ensureDeferred
async def test_a_change_that_is_not_the_helpers_business_leaves_it_in_place() -> None:
    storages = Storages(MemoryEngine(), Inline(), Clock())
    before = await storages.add_storage(RECORD)
    after = await storages.add_storage(evolve(RECORD, name="renamed", parameters={"speed": 3.0}))
    assert after.helper is before.helper
    assert after.record.name == "renamed"


@ensureDeferred
async def test_the_root_of_an_imported_storage_is_the_root_of_its_space(tmp_path: Path) -> None:
    storages = Storages(MemoryEngine(), Inline(), Clock())
    record = StorageRecord(
        storage_id=MEMORY,
        name="x",
        type="posix",
        arguments={"mountPoint": str(tmp_path)},
        is_imported=True,
        is_readonly=True,
    )
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_bytes(b"12345")
    storage = await storages.add_storage(record)
    assert (await storage.helper.stat(StoragePath("space/d/f"))).size_b == 5
    with pytest.raises(StorageError) as caught:
        await storage.helper.remove(StoragePath("space/d/f"))
    assert caught.value.errno == errno.EROFS
