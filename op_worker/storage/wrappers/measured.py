"""A storage helper whose operations, bytes and errors are counted. It can do what the one inside can."""

from __future__ import annotations

import errno as codes
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from op_worker.storage.helper import (
    Opened,
    Scanned,
    StorageError,
    StorageFile,
    StorageHelper,
    StoragePath,
    StorageStat,
)
from op_worker.storage.records import StorageRecord

R = TypeVar("R")


class StorageTally:
    """What was counted of one storage."""

    __slots__ = ("errors", "operations", "read_b", "written_b")

    def __init__(self) -> None:
        self.operations: Counter[str] = Counter()
        self.errors: Counter[int] = Counter()
        self.read_b = self.written_b = 0

    async def count(self, operation: str, work: Awaitable[R]) -> R:
        """Do ``work`` and count it, and its errors by their number."""
        self.operations[operation] += 1
        try:
            return await work
        except StorageError as error:
            self.errors[error.errno] += 1
            raise


class MeasuredHelper:
    """See ``StorageHelper``. Whether it has an optional power has to be asked of the helper inside."""

    def __init__(self, helper: StorageHelper, tally: StorageTally) -> None:
        self._helper: Any = helper
        self._tally = tally

    async def open_read(self, path: StoragePath) -> StorageFile:
        return self._file(await self._tally.count("open", self._helper.open_read(path)))

    async def open_write(self, path: StoragePath) -> StorageFile:
        return self._file(await self._tally.count("create", self._helper.open_write(path)))

    async def open_update(self, path: StoragePath) -> StorageFile:
        return self._file(await self._tally.count("open", self._helper.open_update(path)))

    async def open_with_first(self, path: StoragePath, size_b: int) -> Opened:
        opened: Opened = await self._tally.count("open", self._helper.open_with_first(path, size_b))
        self._tally.read_b += len(opened.first)
        file = None if opened.file is None else self._file(opened.file)
        return Opened(opened.size_b, opened.first, file)

    async def write_whole(self, path: StoragePath, data: bytes) -> None:
        await self._tally.count("create", self._helper.write_whole(path, data))
        self._tally.written_b += len(data)

    async def remove(self, path: StoragePath) -> None:
        await self._tally.count("remove", self._helper.remove(path))

    async def rename(self, source: StoragePath, target: StoragePath) -> None:
        await self._tally.count("rename", self._helper.rename(source, target))

    async def stat(self, path: StoragePath) -> StorageStat:
        found: StorageStat = await self._tally.count("stat", self._helper.stat(path))
        return found

    async def make_directory(self, path: StoragePath) -> None:
        await self._tally.count("make_directory", self._helper.make_directory(path))

    async def remove_directory(self, path: StoragePath) -> None:
        await self._tally.count("remove_directory", self._helper.remove_directory(path))

    async def list_directory(self, path: StoragePath) -> Sequence[str]:
        names: Sequence[str] = await self._tally.count("list_directory", self._helper.list_directory(path))
        return names

    def scan(self, path: StoragePath) -> AsyncIterator[Sequence[Scanned]]:
        self._tally.operations["scan"] += 1
        batches: AsyncIterator[Sequence[Scanned]] = self._helper.scan(path)
        return batches

    async def set_owner(self, path: StoragePath, uid: int, gid: int) -> None:
        await self._tally.count("set_owner", self._helper.set_owner(path, uid, gid))

    async def set_mode(self, path: StoragePath, mode: int) -> None:
        await self._tally.count("set_mode", self._helper.set_mode(path, mode))

    async def check(self) -> None:
        await self._tally.count("check", self._helper.check())

    def _file(self, file: StorageFile) -> MeasuredFile:
        return MeasuredFile(file, self._tally)


class MeasuredFile:
    """See ``StorageFile``."""

    __slots__ = ("_file", "_tally", "close")

    def __init__(self, file: StorageFile, tally: StorageTally) -> None:
        self._file, self._tally = file, tally
        self.close = file.close

    async def read(self, offset_b: int, size_b: int) -> bytes:
        data = await self._tally.count("read", self._file.read(offset_b, size_b))
        self._tally.read_b += len(data)
        return data

    async def write(self, offset_b: int, data: bytes) -> None:
        await self._tally.count("write", self._file.write(offset_b, data))
        self._tally.written_b += len(data)

    async def size(self) -> int:
        return await self._tally.count("stat", self._file.size())

    async def truncate(self, size_b: int) -> None:
        await self._tally.count("truncate", self._file.truncate(size_b))

    async def sync(self) -> None:
        await self._tally.count("sync", self._file.sync())


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
        for record, tally in self._storages.counted():
            info.add_metric([record.storage_id, record.name, record.type], 1)
            for operation, number in tally.operations.items():
                operations.add_metric([record.storage_id, operation], number)
            for code, number in tally.errors.items():
                name = codes.errorcode.get(code, str(code)).lower()
                errors.add_metric([record.storage_id, name], number)
            read.add_metric([record.storage_id], tally.read_b)
            written.add_metric([record.storage_id], tally.written_b)
        yield from (info, operations, errors, read, written)
