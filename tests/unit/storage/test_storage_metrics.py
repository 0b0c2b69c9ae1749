"""What is counted of a storage, and that counting goes on when its record changes."""

from __future__ import annotations

import errno

import pytest
from attrs import evolve
from prometheus_client import CollectorRegistry
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.pool import Inline
from onedata.ids import StorageId
from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.storage.wrappers.measured import StorageMetrics

RECORD = StorageRecord(storage_id=StorageId("st1"), name="mem", type="memory", arguments={})


@ensureDeferred
async def test_operations_bytes_and_errors_are_counted_by_storage() -> None:
    storages = Storages(MemoryEngine(), Inline(), Clock())
    registry = CollectorRegistry()
    registry.register(StorageMetrics(storages))
    storage = await storages.add_storage(RECORD)
    file = await storage.helper.open_write(StoragePath("a"))
    await file.write(0, b"12345")
    assert await file.read(1, 10) == b"2345"
    await file.close()
    with pytest.raises(StorageError):
        await storage.helper.open_read(StoragePath("absent"))
    await storages.add_storage(evolve(RECORD, name="renamed"))
    of_storage = {"storage": "st1"}

    def value(metric: str, /, **labels: str) -> float | None:
        return registry.get_sample_value(metric, {**of_storage, **labels})

    assert value("onedata_storage_written_bytes_total") == 5
    assert value("onedata_storage_read_bytes_total") == 4
    assert value("onedata_storage_operations_total", operation="open") == 1
    assert value("onedata_storage_operations_total", operation="write") == 1
    assert value("onedata_storage_errors_total", errno=errno.errorcode[errno.ENOENT].lower()) == 1
    assert value("onedata_storage_info", name="renamed", type="memory") == 1
    assert value("onedata_storage_info", name="mem", type="memory") is None
