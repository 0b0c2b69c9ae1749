"""What a manager tells Prometheus: whether it leads, and how the cluster it leads is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cluster_manager.membership.cluster_state import STANDINGS, Phase
from cluster_manager.service import ClusterManager
from cluster_worker.wire.metrics import refused_on_links


class ManagerMetrics(Collector):
    """Reads the manager when it is asked. A standby tells of no cluster."""

    def __init__(self, manager: ClusterManager) -> None:
        self._manager = manager

    def collect(self) -> Iterable[Metric]:
        manager = self._manager
        yield GaugeMetricFamily(
            "onedata_manager_is_leader", "1 when this manager leads the cluster.", value=manager.leads
        )
        yield from self._cluster()
        yield refused_on_links(manager.refusals)

    def _cluster(self) -> Iterator[Metric]:
        reign = self._manager.reign
        phases = GaugeMetricFamily(
            "onedata_manager_phase", "1 for the phase in which the cluster is.", labels=["phase"]
        )
        nodes = GaugeMetricFamily(
            "onedata_manager_nodes", "Members of the cluster by what they do.", labels=["state"]
        )
        term = GaugeMetricFamily("onedata_manager_epoch_term", "The term of this leader.")
        counter = GaugeMetricFamily("onedata_manager_epoch_counter", "How much it has decided in its term.")
        if reign is not None:
            membership = reign.membership
            for phase in Phase:
                phases.add_metric([phase.name.lower()], membership.phase is phase)
            found = Counter(membership.standing(node) for node in membership.roster.nodes)
            for standing in STANDINGS:
                nodes.add_metric([standing], found[standing])
            term.add_metric([], membership.epoch.term)
            counter.add_metric([], membership.epoch.counter)
        yield from (phases, nodes, term, counter)
