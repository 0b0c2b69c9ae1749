"""How busy a node is with background jobs."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cluster_worker.jobs.service import Jobs


class JobMetrics(Collector):
    """Tells the gauges of ``Jobs``, and how many partitions are this node's."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def collect(self) -> Iterable[Metric]:
        gauges = self._jobs.gauges()
        waiting = GaugeMetricFamily("onedata_jobs_tasks_waiting", "Tasks that wait here.", labels=["pool"])
        running = GaugeMetricFamily(
            "onedata_jobs_running", "Tasks, masters and slaves that run here.", labels=["pool", "kind"]
        )
        for pool, one in gauges.items():
            waiting.add_metric([pool], one.tasks_waiting)
            for kind, count in (("task", one.tasks), ("master", one.masters), ("slave", one.slaves)):
                running.add_metric([pool, kind], count)
        owned = GaugeMetricFamily(
            "onedata_jobs_partitions", "Partitions of background jobs that this node owns."
        )
        owned.add_metric([], len(self._jobs.owned))
        yield from (waiting, running, owned)
