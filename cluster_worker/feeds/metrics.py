"""How far the readers of feeds are behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from twisted.internet.defer import Deferred, gatherResults

from cluster_worker.feeds.reader import FeedReader
from cluster_worker.persistence.engine import Engine, PersistenceError, Scope, Seq

_MOST_SCOPES = 100


class FeedMetrics(Collector):
    """Tells the distance between what a reader consumed last and the newest number of the feed.

    Told are the scopes whose turn to be read is this node's; of more than a hundred only the hundred that are
    furthest behind.
    """

    def __init__(self, engine: Engine, readers: Sequence[FeedReader]) -> None:
        self._engine, self._readers = engine, tuple(readers)
        self._newest: dict[Scope, Seq] = {}

    async def refresh(self) -> None:
        """Ask for the newest number of every scope that is read; nothing is told when the store is away."""
        scopes = sorted({scope for reader in self._readers for scope in reader.reached})
        asked = [Deferred.fromCoroutine(self._last(scope)) for scope in scopes]
        found = await gatherResults(asked)
        self._newest = {scope: seq for scope, seq in zip(scopes, found, strict=True) if seq is not None}

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(
            "onedata_feed_lag_changes",
            "Numbers between the last change that a reader consumed and the newest one.",
            labels=["reader", "scope"],
        )
        for reader in self._readers:
            behind = {
                scope: max(0, self._newest[scope] - seq)
                for scope, seq in reader.reached.items()
                if scope in self._newest
            }
            for scope in sorted(behind, key=lambda one: -behind[one])[:_MOST_SCOPES]:
                family.add_metric([reader.reader_name, scope], behind[scope])
        yield family

    async def _last(self, scope: Scope) -> Seq | None:
        try:
            return await self._engine.last_seq(scope)
        except PersistenceError:
            return None
