"""How far readers are behind, as metrics tell it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define
from prometheus_client import CollectorRegistry
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from cluster_worker.feeds.metrics import FeedMetrics
from cluster_worker.feeds.reader import FeedReader
from cluster_worker.persistence.engine import Batch, Change, Key, PersistenceError, Put, Scope, Seq
from cluster_worker.persistence.memory import MemoryEngine

SCOPE = Scope("s")


@define(eq=False)
class Stuck:
    """A consumer that takes in nothing beyond a number."""

    limit: int
    at: int = 0
    name: str = "stuck"

    async def position(self, scope: Scope) -> Seq | None:
        return Seq(self.at)

    async def consume(self, scope: Scope, changes: Sequence[Change]) -> None:
        if self.at >= self.limit:
            raise PersistenceError("enough")
        self.at = changes[0].seq


@ensureDeferred
async def test_the_distance_to_the_newest_change_is_told_by_reader_and_scope() -> None:
    clock = Clock()
    engine = MemoryEngine(clock)
    for name in ("a", "b", "c", "d", "e"):
        await engine.commit(SCOPE, Batch([Put(Key(name), "f", b"")], announce=[Key(name)]))
    reader = FeedReader(engine, Stuck(2), lambda: [SCOPE], clock)
    metrics, registry = FeedMetrics(engine, [reader]), CollectorRegistry()
    registry.register(metrics)
    reader.startService()
    await metrics.refresh()
    labels = {"reader": "stuck", "scope": "s"}
    assert registry.get_sample_value("onedata_feed_lag_changes", labels) == 3
    await reader.stopService()
