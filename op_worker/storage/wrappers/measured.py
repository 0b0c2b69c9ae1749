"""A storage helper whose operations, bytes and errors are counted."""

from __future__ import annotations

import errno as codes
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from op_worker.storage.helper import StorageError, StorageFile, StorageHelper, StoragePath
from op_worker.storage.records import StorageRecord
from op_worker.storage.wrappers.wrapping import WrappedFile, Wrapper

R = TypeVar("R")

_LABELS: Mapping[str, str] = {
    "open_read": "open",
    "open_update": "open",
    "open_with_first": "open",
    "open_write": "create",
    "write_whole": "create",
    "size": "stat",
}
"""How operations are called in metrics, where that is not by their method."""


class StorageTally:
    """What was counted of one storage."""

    __slots__ = ("errors", "operations", "read_b", "retries", "written_b")

    def __init__(self) -> None:
        self.operations: Counter[str] = Counter()
        self.errors: Counter[int] = Counter()
        self.read_b = self.written_b = self.retries = 0


class MeasuredHelper(Wrapper):
    """See ``StorageHelper``."""

    def __init__(self, helper: StorageHelper, tally: StorageTally) -> None:
        super().__init__(helper)
        self._tally = tally

    async def _do(self, verb: str, path: StoragePath, work: Callable[..., Awaitable[R]], *args: Any) -> R:
        tally = self._tally
        tally.operations[_LABELS.get(verb, verb)] += 1
        try:
            result: Any = await work(*args)
        except StorageError as error:
            tally.errors[error.errno] += 1
            raise
        if verb == "read":
            tally.read_b += len(result)
        elif verb == "open_with_first":
            tally.read_b += len(result.first)
        elif verb in ("write", "write_whole"):
            tally.written_b += len(args[1])
        return result  # type: ignore[no-any-return]  # it was looked at by the verb

    def _file(self, file: StorageFile, path: StoragePath) -> StorageFile:
        return WrappedFile(self._do, file, path)


class Counted(Protocol):
    """Storages; see ``Storages``."""

    def counted(self) -> Iterable[tuple[StorageRecord, StorageTally]]: ...


class StorageMetrics(Collector):
    """Tells what was counted of the storages there are."""

    def __init__(self, storages: Counted) -> None:
        self._storages = storages

    def collect(self) -> Iterable[Metric]:
        info = GaugeMetricFamily(
            "onedata_storage_info", "A storage; always 1.", labels=["storage", "name", "type"]
        )
        operations = CounterMetricFamily(
            "onedata_storage_operations", "Operations on a storage.", labels=["storage", "operation"]
        )
        errors = CounterMetricFamily(
            "onedata_storage_errors", "Operations that a storage refused.", labels=["storage", "errno"]
        )
        read = CounterMetricFamily("onedata_storage_read_bytes", "Bytes read.", labels=["storage"])
        written = CounterMetricFamily("onedata_storage_written_bytes", "Bytes written.", labels=["storage"])
        retries = CounterMetricFamily(
            "onedata_storage_retries", "Operations that were tried once more.", labels=["storage"]
        )
        for record, tally in self._storages.counted():
            info.add_metric([record.storage_id, record.name, record.type], 1)
            for operation, number in tally.operations.items():
                operations.add_metric([record.storage_id, operation], number)
            for code, number in tally.errors.items():
                name = codes.errorcode.get(code, str(code)).lower()
                errors.add_metric([record.storage_id, name], number)
            read.add_metric([record.storage_id], tally.read_b)
            written.add_metric([record.storage_id], tally.written_b)
            retries.add_metric([record.storage_id], tally.retries)
        yield from (info, operations, errors, read, written, retries)
