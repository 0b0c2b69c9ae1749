"""What a daemon tells of its links beyond what they carry."""

from __future__ import annotations

from prometheus_client.core import CounterMetricFamily, Metric

from cluster_worker.wire.refusals import Refusals


def refused_on_links(refusals: Refusals) -> Metric:
    """Return what was refused, by reason."""
    family = CounterMetricFamily(
        "onedata_wire_refusals",
        "Connections, frames and requests of nodes that were refused.",
        labels=["reason"],
    )
    for reason, number in refusals.counts.items():
        family.add_metric([reason.value], number)
    return family
