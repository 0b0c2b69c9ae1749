"""What a manager tells Prometheus, against the page."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from pytest_twisted import ensureDeferred

from cluster_manager.metrics import ManagerMetrics
from tests.support.cluster import Cluster, RecordingApplication, eventually
from tests.support.exposition import families_of

PAGE = Path(__file__).parents[3] / "docs" / "observability.md"


@ensureDeferred
async def test_a_leader_tells_of_itself_and_of_its_cluster(cluster: Cluster) -> None:
    manager = cluster.manager(1)
    registry = CollectorRegistry()
    registry.register(ManagerMetrics(manager))
    node = cluster.node("worker@a.test", manager.port, RecordingApplication())
    await node.when_ready()
    await eventually(lambda: manager.is_ready)

    def value(name: str, labels: dict[str, str] | None = None) -> float | None:
        return registry.get_sample_value(name, labels or {})

    assert value("onedata_manager_is_leader") == 1
    assert value("onedata_manager_phase", {"phase": "ready"}) == 1
    assert value("onedata_manager_phase", {"phase": "gathering"}) == 0
    assert value("onedata_manager_nodes", {"state": "serving"}) == 1
    assert value("onedata_wire_refusals_total", {"reason": "identity"}) == 0
    assert (value("onedata_manager_epoch_term") or 0) > 0
    documented = dict(re.findall(r"^\| `(onedata_manager\w+)` \| (\w+) \|", PAGE.read_text(), re.MULTILINE))
    told = families_of(generate_latest(registry).decode())
    assert told == {**documented, "onedata_wire_refusals_total": "counter"}
