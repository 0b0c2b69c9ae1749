"""What was refused on inter-node links, as metrics."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from cluster_worker.wire.refusals import Refusals


class RefusalMetrics(Collector):
    """Reads the counts when it is asked."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals

    def collect(self) -> Iterable[Metric]:
        refused = CounterMetricFamily(
            "onedata_wire_refused", "What peers were refused on inter-node links.", labels=["reason"]
        )
        for reason, count in self._refusals.counts.items():
            refused.add_metric([reason.value], count)
        yield refused
