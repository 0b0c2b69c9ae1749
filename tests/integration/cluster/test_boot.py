"""Managers and nodes over real TLS: booting, losing each other, coming back."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from cluster_worker.health import nagios_xml, worst_status
from cluster_worker.node.errors import ClusterUnavailable
from cluster_worker.wire.steps import BOOT_STEPS
from tests.support.cluster import Cluster, RecordingApplication, eventually

A, B = "worker@a.test", "worker@b.test"
ALL_STEPS = [step.value for step in BOOT_STEPS]
WITHOUT_UPGRADE = [step for step in ALL_STEPS if step != "upgrade_cluster"]


@ensureDeferred
async def test_two_nodes_and_a_manager_boot_to_ready(cluster: Cluster) -> None:
    manager = cluster.manager(2)
    apps = RecordingApplication(), RecordingApplication()
    nodes = [cluster.node(name, manager.port, app) for name, app in zip((A, B), apps, strict=True)]
    for node in nodes:
        await node.when_ready()
    assert sorted(app.steps for app in apps) == sorted([ALL_STEPS, WITHOUT_UPGRADE])
    assert nodes[0].ring == nodes[1].ring
    assert nodes[0].ring.nodes == (A, B)


@ensureDeferred
async def test_status_of_ready_cluster_is_ok_for_nagios(cluster: Cluster) -> None:
    manager = cluster.manager(2)
    nodes = [cluster.node(name, manager.port, RecordingApplication()) for name in (B, A)]
    for node in nodes:
        await node.when_ready()
    statuses = await nodes[0].cluster_status()
    assert list(statuses) == [A, B]
    assert worst_status(text for node in statuses.values() for text in node.values()) == "ok"
    assert b'<op_worker name="worker@a.test" status="ok"><node_manager' in nagios_xml(
        "op_worker", statuses, 0
    )


@ensureDeferred
async def test_cluster_with_a_missing_node_is_not_ready(cluster: Cluster) -> None:
    manager = cluster.manager(2)
    app = RecordingApplication()
    node = cluster.node(A, manager.port, app)
    await eventually(lambda: node.is_joined)
    assert app.steps == []
    with pytest.raises(ClusterUnavailable, match="gathering"):
        await node.cluster_status()


@ensureDeferred
async def test_failing_step_stops_everybody_and_a_new_boot_works(cluster: Cluster) -> None:
    manager = cluster.manager(2)
    good, bad = RecordingApplication(), RecordingApplication(failing_step="start_custom_workers")
    nodes = [cluster.node(A, manager.port, good), cluster.node(B, manager.port, bad)]
    for node in nodes:
        await node.when_ready()
    assert len(good.stops) == len(bad.stops) == 1
    assert "start_custom_workers failed on worker@b.test: RuntimeError" in good.stops[0]
    assert len(good.steps) + len(bad.steps) == len(ALL_STEPS) + len(WITHOUT_UPGRADE)


@ensureDeferred
async def test_nodes_keep_serving_and_rejoin_a_restarted_manager(cluster: Cluster) -> None:
    manager = cluster.manager(2)
    port = manager.port
    apps = RecordingApplication(), RecordingApplication()
    nodes = [cluster.node(name, port, app) for name, app in zip((A, B), apps, strict=True)]
    for node in nodes:
        await node.when_ready()
    await cluster.stop(manager)
    await eventually(lambda: not any(node.is_joined for node in nodes))
    assert all(node.is_ready for node in nodes)
    with pytest.raises(ClusterUnavailable):
        await nodes[0].cluster_status()
    restarted = cluster.manager(2, port=port, term=2)
    await eventually(lambda: restarted.is_ready)
    await eventually(lambda: all(node.is_joined for node in nodes))
    assert [app.stops for app in apps] == [[], []]
    assert sum(len(app.steps) for app in apps) == len(ALL_STEPS) + len(WITHOUT_UPGRADE)
    assert list(await nodes[1].cluster_status()) == [A, B]


@ensureDeferred
async def test_broken_manager_link_is_restored_without_a_new_boot(cluster: Cluster) -> None:
    manager = cluster.manager(1)
    app = RecordingApplication()
    node = cluster.node(A, manager.port, app)
    await node.when_ready()
    link = manager._links[A]
    link._abort()
    await eventually(lambda: A in manager._links and manager._links[A] is not link)
    await eventually(lambda: node.is_joined)
    assert manager.is_ready and app.stops == []
    assert app.steps == ALL_STEPS


@ensureDeferred
async def test_killed_node_that_starts_anew_recovers_while_the_other_serves(cluster: Cluster) -> None:
    manager = cluster.manager(2)
    apps = RecordingApplication(), RecordingApplication()
    nodes = [cluster.node(name, manager.port, app) for name, app in zip((A, B), apps, strict=True)]
    for node in nodes:
        await node.when_ready()
    nodes[1]._joining.leave = _nothing  # type: ignore[method-assign]  # as if it was killed
    await cluster.stop(nodes[1])
    again = RecordingApplication()
    restarted = cluster.node(B, manager.port, again)
    await restarted.when_ready()
    await eventually(lambda: nodes[0].ring.away == frozenset())
    assert apps[0].stops == [] and nodes[0].is_ready and manager.is_ready
    assert again.steps == WITHOUT_UPGRADE  # the one that serves would be asked to upgrade


@ensureDeferred
async def test_node_that_leaves_is_missed_but_others_stay_ready(cluster: Cluster) -> None:
    manager = cluster.manager(2)
    apps = RecordingApplication(), RecordingApplication()
    nodes = [cluster.node(name, manager.port, app) for name, app in zip((A, B), apps, strict=True)]
    for node in nodes:
        await node.when_ready()
    await cluster.stop(nodes[1])
    await eventually(lambda: nodes[0].ring.away == {B})
    statuses = await nodes[0].cluster_status()
    assert statuses[B] == {"node_manager": "error: nodedown", "dispatcher": "error: nodedown"}
    again = cluster.node(B, manager.port, RecordingApplication())
    await again.when_ready()
    await eventually(lambda: nodes[0].ring.away == frozenset())
    assert apps[0].stops == [] and nodes[0].is_ready


@ensureDeferred
async def test_lost_node_is_down_until_it_recovers(cluster: Cluster) -> None:
    manager = cluster.manager(2, grace_s=0.3)
    apps = RecordingApplication(), RecordingApplication()
    nodes = [cluster.node(name, manager.port, app) for name, app in zip((A, B), apps, strict=True)]
    for node in nodes:
        await node.when_ready()
    nodes[1]._joining.leave = _nothing  # type: ignore[method-assign]  # as if it was killed
    await cluster.stop(nodes[1])
    await eventually(lambda: nodes[0].ring.away == {B})
    assert (await nodes[0].cluster_status())[B]["node_manager"] == "error: nodedown"
    again = RecordingApplication()
    await cluster.node(B, manager.port, again).when_ready()
    await eventually(lambda: nodes[0].ring.away == frozenset())
    assert apps[0].stops == [] and manager.is_ready


async def _nothing() -> None:
    """Stands in for saying goodbye."""
