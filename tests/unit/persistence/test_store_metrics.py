"""What is counted of the requests to a store."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import Batch, Document, Key, PreconditionFailed, Put, Scope
from cluster_worker.persistence.measured import MeasuredEngine, StoreMetrics
from cluster_worker.persistence.memory import MemoryEngine

SCOPE, KEY = Scope("s"), Key("k")


@ensureDeferred
async def test_requests_are_timed_by_operation_and_refusals_told_apart() -> None:
    clock, registry = Clock(), CollectorRegistry()
    bare = MemoryEngine(clock)
    metrics = StoreMetrics(bare)
    registry.register(metrics)
    engine = MeasuredEngine(bare, metrics, clock)
    await engine.commit(SCOPE, Batch([Put(KEY, "f", b"1")]))
    with pytest.raises(PreconditionFailed):
        await engine.commit(SCOPE, Batch([Put(KEY, "f", b"2", expect=7)]))
    assert await engine.get(SCOPE, KEY, ["f"]) == {"f": Document(1, b"1")}
    count, failed = "onedata_store_request_seconds_count", "onedata_store_requests_failed_total"
    assert registry.get_sample_value(count, {"operation": "commit"}) == 2
    assert registry.get_sample_value(count, {"operation": "get"}) == 1
    assert registry.get_sample_value(failed, {"reason": "precondition"}) == 1
    assert registry.get_sample_value(failed, {"reason": "unavailable"}) == 0
