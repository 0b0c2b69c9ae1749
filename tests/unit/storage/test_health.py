"""Probes by one node and by two, checks from time to time, and tests that tell each step."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import Clock

from cluster_worker.node.errors import NodeUnavailable
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.pool import Inline
from onedata.errors import BadData
from onedata.ids import StorageId
from op_worker.storage.capabilities import is_tried_by_writing
from op_worker.storage.catalogue import TYPES
from op_worker.storage.config import StorageSection
from op_worker.storage.health.addresses import address_of
from op_worker.storage.health.checks import SILENCE_S, HealthChecks
from op_worker.storage.health.nodes import WORKER, Detection, ProbeWorker
from op_worker.storage.health.probe import LocalProber, ProbeFailed, probe
from op_worker.storage.health.report import STEPS, Outcome
from op_worker.storage.health.trying import StorageTests
from op_worker.storage.helper import StorageError, StorageHelper, StoragePath, StorageUnavailable
from op_worker.storage.helpers.memory import MEMORY, MemoryHelper
from op_worker.storage.helpers.posix.helper import PosixHelper
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.storage.types import Parameter, Parameters, StorageType
from op_worker.storage.wrappers.faulty import Fault, FaultyHelper
from op_worker.storage.wrappers.wrapping import wrapped

DISK = StorageId("disk")
RANDOM = bytes(range(256))


def random_bytes(number: int) -> bytes:
    return RANDOM[:number]


class Failing:
    """A storage in memory whose operations fail as told."""

    def __init__(self, errors: Mapping[str, int] | None = None) -> None:
        self.errors = dict(errors or {})
        self.memory = MemoryHelper()
        self.seen: list[tuple[str, str]] = []
        self.helper: Any = wrapped(FaultyHelper, self.memory, self._plan, Clock())

    def _plan(self, verb: str, path: StoragePath) -> Fault | None:
        self.seen.append((verb, path))
        number = self.errors.get(verb)
        return None if number is None else Fault(error=StorageError(number, path, f"{verb} hurts"))

    def type_(self) -> StorageType:
        return StorageType(name="memory", make=lambda parameters, surroundings: self.helper)


def record(tmp_path: Path) -> StorageRecord:
    return StorageRecord(storage_id=DISK, name="disk", type="posix", arguments={"mountPoint": str(tmp_path)})


@ensureDeferred
async def test_a_probe_leaves_nothing_and_uses_a_name_that_others_know() -> None:
    failing = Failing()
    here = LocalProber(failing.helper, Clock())
    await probe(here, here, random_bytes)
    assert list(await failing.memory.list_directory(StoragePath(""))) == []
    names = {path for verb, path in failing.seen}
    (name,) = names
    assert name.startswith(".__onedata__") and len(name) == len(".__onedata__") + 32
    assert name.removeprefix(".__onedata__").isalpha() and name.islower()


@pytest.mark.parametrize(
    ("verb", "operation"),
    [("open_write", "create"), ("write", "write"), ("open_read", "read"), ("remove", "remove")],
)
@ensureDeferred
async def test_a_probe_that_fails_says_at_which_operation_in_the_storages_words(
    verb: str, operation: str
) -> None:
    failing = Failing({verb: errno.EACCES})
    here = LocalProber(failing.helper, Clock())
    with pytest.raises(ProbeFailed, match=f"{verb} hurts") as caught:
        await probe(here, here, random_bytes)
    assert (caught.value.operation, caught.value.errno) == (operation, errno.EACCES)
    if verb != "remove":
        assert list(await failing.memory.list_directory(StoragePath(""))) == []


@ensureDeferred
async def test_nodes_that_look_at_different_folders_are_found_out() -> None:
    here, there = (LocalProber(MemoryHelper(), Clock()) for _ in range(2))
    with pytest.raises(ProbeFailed) as caught:
        await probe(here, there, random_bytes)
    assert caught.value.operation == "write"


class Node:
    """A node that answers probes; its disk may be mounted somewhere else."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[str] = []

    def helper_of(self, record: StorageRecord) -> StorageHelper:
        return PosixHelper(str(self.root), Inline())

    async def answer(self, payload: Any) -> object:
        self.asked.append(payload[0])
        return await ProbeWorker(self, Clock()).answer(payload)


def store() -> tuple[Any, Any, Any]:
    return MemoryEngine(), Inline(), Clock()


def detection(nodes: Mapping[str, Node]) -> Detection:
    async def call(name: str, payload: object) -> object:
        if name not in nodes:
            raise NodeUnavailable("it is away")
        return await nodes[name].answer(payload)

    return Detection(
        "b",
        lambda: ("a", "b", "c"),
        call,
        Clock(),
        random_bytes,
        lambda record: is_tried_by_writing(TYPES[record.type], record),
    )


@ensureDeferred
async def test_a_storage_is_added_when_every_node_sees_what_the_next_one_wrote(tmp_path: Path) -> None:
    nodes = {"a": Node(tmp_path), "c": Node(tmp_path)}
    storages = Storages(*store(), detect=detection(nodes))
    await storages.add_storage(record(tmp_path))
    assert nodes["a"].asked.count("create") == nodes["a"].asked.count("write") == 1
    assert list(tmp_path.iterdir()) == []


@ensureDeferred
async def test_a_storage_that_one_node_does_not_share_is_refused_and_not_kept(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "other").mkdir()
    nodes = {"a": Node(tmp_path / "shared"), "c": Node(tmp_path / "other")}
    storages = Storages(*store(), detect=detection(nodes))
    with pytest.raises(ProbeFailed, match="node c") as caught:
        await storages.add_storage(record(tmp_path / "shared"))
    assert caught.value.operation == "write"
    assert not storages.all()


@ensureDeferred
async def test_a_node_that_cannot_be_asked_is_named(tmp_path: Path) -> None:
    storages = Storages(*store(), detect=detection({"a": Node(tmp_path)}))
    with pytest.raises(ProbeFailed, match="node c: it is away") as caught:
        await storages.add_storage(record(tmp_path))
    assert caught.value.operation == "access"


@ensureDeferred
async def test_a_readonly_storage_is_only_reached(tmp_path: Path) -> None:
    storages = Storages(*store(), detect=detection({}))
    await storages.add_storage(evolve(record(tmp_path), is_imported=True, is_readonly=True))


@ensureDeferred
async def test_what_no_node_asks_is_refused(tmp_path: Path) -> None:
    worker = ProbeWorker(Node(tmp_path), Clock())
    packed = record(tmp_path).encode()
    for payload in (None, [], ["access", "disk"], ["access", "disk", b"junk", "", b""]):
        with pytest.raises(BadData):
            await worker.answer(payload)
    with pytest.raises(BadData):
        await worker.answer(["dance", "disk", packed, "", b""])
    assert WORKER == "storage_probe"


class Watched:
    """A node with one storage that is checked from time to time."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.failing = Failing()
        settings = StorageSection(check_interval_s=300.0, recheck_interval_s=5.0)
        types = {"memory": self.failing.type_()}
        self.storages = Storages(MemoryEngine(), Inline(), self.clock, types=types, settings=settings)
        self.checks = HealthChecks(self.storages, self.clock, random_bytes)

    async def start(self) -> Any:
        await self.storages.add_storage(StorageRecord(storage_id=DISK, name="disk", type="memory"))
        self.checks.startService()
        return self.storages.get(DISK)


@ensureDeferred
async def test_an_unusable_storage_is_refused_until_a_later_check_finds_it_well() -> None:
    watched = Watched()
    storage = await watched.start()
    await storage.helper.check()
    watched.failing.errors["write"] = errno.EROFS
    watched.clock.pump([5.0] * 59)
    await storage.helper.check()
    watched.clock.advance(5.0)
    with pytest.raises(StorageUnavailable, match="write hurts"):
        await storage.helper.stat(StoragePath("a"))
    assert not watched.storages.is_healthy(DISK)
    assert watched.checks.problems() == {"disk": "could not write: write hurts"}
    watched.failing.errors.clear()
    watched.clock.pump([5.0, 5.0])
    await storage.helper.check()
    assert watched.storages.is_healthy(DISK)
    await watched.checks.stopService()
    assert watched.clock.getDelayedCalls() == []


@ensureDeferred
async def test_a_storage_that_stays_unusable_is_told_of_once_in_two_hours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched, told = Watched(), list[str]()
    monkeypatch.setattr(
        HealthChecks, "_log", type("Log", (), {"error": lambda *_, problem, **__: told.append(problem)})()
    )
    await watched.start()
    storage = watched.storages.get(DISK)
    assert storage is not None
    watched.failing.errors["write"] = errno.EIO
    for _ in range(5):
        await watched.checks.check(storage)
        watched.clock.advance(SILENCE_S / 4)
    assert len(told) == 2
    await watched.checks.stopService()


@ensureDeferred
async def test_adding_a_storage_anew_after_mending_it_makes_it_usable_at_once() -> None:
    watched = Watched()
    storage = await watched.start()
    watched.failing.errors["write"] = errno.EIO
    await watched.checks.check(storage)
    watched.failing.errors.clear()
    again = await watched.storages.add_storage(evolve(storage.record, arguments={"timeout": "7"}))
    await again.helper.check()
    await watched.checks.stopService()


def trials_of(types: Mapping[str, StorageType]) -> StorageTests:
    storages = Storages(*store(), types=types)
    return StorageTests(reactor, storages, random_bytes)


@ensureDeferred
async def test_a_test_tells_each_step_and_leaves_nothing(tmp_path: Path) -> None:
    report = await trials_of(TYPES).test(record(tmp_path))
    assert [step.name for step in report.steps] == list(STEPS)
    assert [step.outcome for step in report.steps] == [Outcome.SKIPPED] * 2 + [Outcome.OK] * 5
    assert report.is_good
    assert list(tmp_path.iterdir()) == []


@ensureDeferred
async def test_a_test_stops_at_the_step_that_fails_and_tells_the_storages_words() -> None:
    failing = Failing({"write": errno.ENOSPC})
    report = await trials_of({"memory": failing.type_()}).test(
        StorageRecord(storage_id=DISK, name="disk", type="memory")
    )
    assert [step.outcome for step in report.steps][2:] == [
        *(Outcome.OK, Outcome.OK, Outcome.FAILED),
        *(Outcome.SKIPPED, Outcome.SKIPPED),
    ]
    assert report.failed is not None
    assert (report.failed.name, report.failed.words) == ("write", "write hurts")
    assert list(await failing.memory.list_directory(StoragePath(""))) == []


def remote(**fields: str) -> tuple[StorageType, StorageRecord]:
    type_ = StorageType(name="memory", arguments=[Parameter(name=name) for name in fields], make=MEMORY.make)
    return type_, StorageRecord(storage_id=DISK, name="x", type="memory", arguments=fields)


@ensureDeferred
async def test_a_test_of_a_server_that_is_not_there_fails_at_the_connection() -> None:
    type_, wanted = remote(endpoint="http://127.77.0.1:9")
    report = await trials_of({"memory": type_}).test(wanted)
    assert [step.outcome for step in report.steps[:3]] == [Outcome.OK, Outcome.FAILED, Outcome.SKIPPED]
    assert "127.77.0.1:9" in report.steps[1].words


@pytest.mark.parametrize(
    ("type_name", "fields", "address"),
    [
        ("s3", {"hostname": "https://s3.test"}, "s3.test:443"),
        ("s3", {"hostname": "s3.test", "scheme": "http"}, "s3.test:80"),
        ("webdav", {"endpoint": "http://dav.test:8080/a/b"}, "dav.test:8080"),
        ("swift", {"authUrl": "http://keys.test:5000/v3"}, "keys.test:5000"),
        ("glusterfs", {"hostname": "g.test", "port": "24008"}, "g.test:24008"),
        ("nfs", {"host": "nfs.test"}, "nfs.test:2049"),
        ("xrootd", {"url": "root://x.test//base"}, "x.test:1094"),
        ("cephrados", {"monitorHostname": "[v2:10.0.0.1:3300,v1:10.0.0.1:6789]"}, "10.0.0.1:3300"),
        ("cephrados", {"monitorHostname": "a.test,b.test"}, "a.test:6789"),
        ("posix", {"mountPoint": "/mnt"}, None),
        ("webdav", {"endpoint": "http://dav.test:none"}, None),
    ],
)
def test_servers_are_found_in_parameters(type_name: str, fields: dict[str, str], address: str | None) -> None:
    found = address_of(type_name, Parameters(arguments=fields))
    assert (None if found is None else str(found)) == address
