"""What a node tells of its place in the cluster and of its calls to other nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.wire.metrics import refused_on_links


class NodeMetrics(Collector):
    """Reads the node when it is asked."""

    def __init__(self, node: ClusterNode) -> None:
        self._node = node

    def collect(self) -> Iterable[Metric]:
        yield from self._membership()
        yield from self._links()
        yield from self._calls()

    def _membership(self) -> Iterator[Metric]:
        node = self._node
        ring = node.ring
        draining = len(ring.draining.intersection(ring.present))
        yield GaugeMetricFamily(
            "onedata_node_ready", "1 when the cluster has become ready.", value=node.is_ready
        )
        yield GaugeMetricFamily(
            "onedata_node_joined", "1 when a manager counts this node as a member.", value=node.is_joined
        )
        nodes = GaugeMetricFamily(
            "onedata_cluster_nodes", "Nodes of the cluster, as this one was told.", labels=["state"]
        )
        nodes.add_metric(["present"], len(ring.present) - draining)
        nodes.add_metric(["draining"], draining)
        nodes.add_metric(["away"], len(ring.nodes) - len(ring.present))
        yield nodes
        yield GaugeMetricFamily(
            "onedata_ring_epoch_term", "Term of the ring in use: that of its leader.", value=node.epoch.term
        )
        yield GaugeMetricFamily(
            "onedata_ring_epoch_counter", "Which decision of that term it is.", value=node.epoch.counter
        )

    def _links(self) -> Iterator[Metric]:
        links = self._node.links
        yield GaugeMetricFamily("onedata_wire_links", "Open links to other workers.", value=len(links))
        waiting = sum(link.waiting for link in links)
        yield GaugeMetricFamily(
            "onedata_wire_requests_waiting", "Requests that wait for the answer of a node.", value=waiting
        )
        serving = sum(link.serving for link in links)
        yield GaugeMetricFamily(
            "onedata_wire_requests_serving", "Requests of other nodes that are served.", value=serving
        )
        yield refused_on_links(self._node.refusals)

    def _calls(self) -> Iterator[Metric]:
        tally = self._node.calls
        durations = HistogramMetricFamily(
            "onedata_node_call_seconds",
            "Calls to nodes (out) and of nodes (in).",
            labels=["direction"],
        )
        failed = CounterMetricFamily(
            "onedata_node_calls_failed", "Calls that ended with an error.", labels=["direction"]
        )
        for direction, counted, failures in (
            ("out", tally.made, tally.made_failed),
            ("in", tally.served, tally.served_failed),
        ):
            counted.put_into(durations, [direction])
            failed.add_metric([direction], failures)
        yield durations
        yield failed
