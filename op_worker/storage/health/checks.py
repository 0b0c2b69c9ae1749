"""Checks of all storages from time to time, on each node by itself."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService
from onedata.ids import StorageId
from op_worker.storage.capabilities import is_tried_by_writing
from op_worker.storage.health.probe import LocalProber, RandomBytes, probe, reached
from op_worker.storage.helper import StorageError
from op_worker.storage.registry import Storages
from op_worker.storage.supports import Storage

SILENCE_S = 7200.0
"""A storage that stays unusable is told of in the log so often."""


class HealthChecks(TaskService):
    """Tries each storage again and again; while the last try failed, the storage is not used.

    The file is made, written, read and removed by this node alone; other nodes do the same. A storage that
    was found unusable is tried more often, so that it is used again soon after it recovered.
    """

    _log = Logger()

    def __init__(self, storages: Storages, clock: IReactorTime, random_bytes: RandomBytes) -> None:
        super().__init__()
        self._storages, self._clock, self._random_bytes = storages, clock, random_bytes
        self._due: dict[StorageId, float] = {}
        self._told: dict[StorageId, float] = {}
        self._running: set[StorageId] = set()

    def startService(self) -> None:
        super().startService()
        self.spawn("checks of storages", self._forever())

    def problems(self) -> dict[str, str]:
        """Return what keeps storages from being used, by their names."""
        return {
            storage.record.name: storage.stack.verdict.problem
            for storage in self._storages.all()
            if not storage.stack.verdict.is_healthy
        }

    async def check(self, storage: Storage) -> None:
        """Try a storage now, and remember what came of it."""
        problem = ""
        try:
            await self._tried(storage)
        except StorageError as error:
            problem = error.reason or str(error)
        self._conclude(storage, problem)

    async def _tried(self, storage: Storage) -> None:
        here = LocalProber(storage.inner, self._clock)
        type_ = self._storages.type_of(storage.record)
        await reached(here)
        if type_ is not None and is_tried_by_writing(type_, storage.record):
            await probe(here, here, self._random_bytes)

    def _conclude(self, storage: Storage, problem: str) -> None:
        verdict, name, now = storage.stack.verdict, storage.record.name, self._clock.seconds()
        if problem and now - self._told.get(storage.storage_id, -SILENCE_S) >= SILENCE_S:
            self._told[storage.storage_id] = now
            self._log.error("storage {name} is not used: {problem}", name=name, problem=problem)
        if verdict.problem and not problem:
            self._told.pop(storage.storage_id, None)
            self._log.info("storage {name} is used again", name=name)
        verdict.problem = problem

    async def _forever(self) -> None:
        settings = self._storages.settings
        step_s = min(settings.recheck_interval_s, settings.check_interval_s)
        while True:
            now = self._clock.seconds()
            for storage in list(self._storages.all()):
                if self._due.get(storage.storage_id, 0.0) <= now and storage.storage_id not in self._running:
                    self._running.add(storage.storage_id)
                    self.spawn("a check of a storage", self._round(storage))
            await sleep(self._clock, step_s)

    async def _round(self, storage: Storage) -> None:
        """Try one storage; a slow one does not keep others waiting."""
        try:
            await self.check(storage)
        finally:
            self._running.discard(storage.storage_id)
            settings = self._storages.settings
            is_healthy = storage.stack.verdict.is_healthy
            pause_s = settings.check_interval_s if is_healthy else settings.recheck_interval_s
            self._due[storage.storage_id] = self._clock.seconds() + pause_s


class HealthMetrics(Collector):
    """Tells which storages are used."""

    def __init__(self, storages: Storages) -> None:
        self._storages = storages

    def collect(self) -> Iterable[Metric]:
        healthy = GaugeMetricFamily(
            "onedata_storage_healthy",
            "1 while a storage is used, 0 while the last check found it unusable.",
            labels=["storage"],
        )
        for storage in self._storages.all():
            healthy.add_metric([storage.storage_id], float(storage.stack.verdict.is_healthy))
        yield healthy
