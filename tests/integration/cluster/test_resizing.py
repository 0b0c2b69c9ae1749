"""Nodes join, drain, leave and are lost while the others serve, over real TLS."""

from __future__ import annotations

from collections import Counter

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred

from cluster_manager.service import ClusterManager
from cluster_worker.health import worst_status
from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.node.routing import AnyNode, ByKey
from cluster_worker.runtime.clock import sleep
from cluster_worker.wire.epochs import NO_EPOCH
from cluster_worker.wire.errors import LinkClosed
from cluster_worker.wire.health_messages import ClusterStatus, GetClusterStatus
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Role
from cluster_worker.wire.membership_messages import Leave, RegisterNode
from cluster_worker.wire.operator_messages import DrainNode, LeaveNode, UndrainNode
from cluster_worker.wire.slot_table import SLOTS
from tests.support.cluster import Cluster, RecordingApplication, ask, eventually, reactor

A, B, C = "worker@a.test", "worker@b.test", "worker@c.test"
KEYS = [f"key {number}" for number in range(60)]


async def started(
    cluster: Cluster, *names: str
) -> tuple[ClusterManager, list[ClusterNode], list[RecordingApplication]]:
    manager = cluster.manager(len(names), grace_s=0.3)
    apps = [RecordingApplication() for _ in names]
    nodes = [cluster.node(name, manager.port, app) for name, app in zip(names, apps, strict=True)]
    for node in nodes:
        await node.when_ready()
    return manager, nodes, apps


async def standings(link: Link) -> dict[str, str]:
    status = await link.request(GetClusterStatus(), 5.0)
    assert isinstance(status, ClusterStatus)
    return dict(status.standings)


async def kill(cluster: Cluster, node: ClusterNode) -> None:
    """Stop the node without a word to the manager."""

    async def nothing() -> None: ...

    node._joining.leave = nothing  # type: ignore[method-assign]
    await cluster.stop(node)


class Calls:
    """Calls one node after the other by every key, and without one, until it is told to stop."""

    def __init__(self, node: ClusterNode) -> None:
        self.node, self.made, self._goes_on = node, 0, True
        self._task = Deferred.fromCoroutine(self._run())

    async def _run(self) -> None:
        while self._goes_on:
            await sleep(reactor, 0)
            for key in KEYS:
                await self.node.call(ByKey(key), "echo", key)
                await self.node.call(AnyNode(), "echo", key)
                self.made += 2

    async def stop(self) -> None:
        """Raises what the first call that failed has raised."""
        self._goes_on = False
        await self._task


@ensureDeferred
async def test_cluster_grows_from_one_node_to_three_and_shrinks_to_one_under_calls(cluster: Cluster) -> None:
    manager, nodes, apps = await started(cluster, A)
    first = nodes[0]
    calls = Calls(first)
    for name in (B, C):
        apps.append(RecordingApplication())
        nodes.append(cluster.node(name, manager.port, apps[-1]))
        await nodes[-1].when_ready()
        await eventually(lambda: first.ring == nodes[-1].ring)
    shares = Counter(first.ring.table).values()
    assert sum(shares) == SLOTS and max(shares) - min(shares) <= 1 and len(shares) == 3
    assert {first.ring.owner(key) for key in KEYS} == {A, B, C}
    link = await cluster.operator(manager.port)
    for node, app in zip(nodes[:0:-1], apps[:0:-1], strict=True):
        assert await ask(link, LeaveNode(node.node_name)) == "ok"
        await eventually(lambda: bool(app.left))  # noqa: B023 - it is awaited here
        await cluster.stop(node)
        await eventually(lambda: node.node_name not in first.ring.nodes)  # noqa: B023
    await calls.stop()
    assert first.ring.nodes == (A,) and calls.made > 100
    assert apps[0].stops == apps[0].left == [] and first.is_ready


@ensureDeferred
async def test_drained_node_learns_it_gives_its_keys_away_and_serves_on(cluster: Cluster) -> None:
    manager, nodes, apps = await started(cluster, A, B)
    told: list[bool] = []
    nodes[1].watch_draining(told.append)
    link = await cluster.operator(manager.port)
    assert await ask(link, DrainNode(B)) == "ok"
    await eventually(lambda: nodes[1].is_draining and nodes[0].ring.draining == {B})
    assert {nodes[0].ring.owner(key) for key in KEYS} == {A} and not nodes[0].is_draining
    assert await standings(link) == {A: "serving", B: "draining"}
    statuses = await nodes[1].cluster_status()
    assert worst_status(text for node in statuses.values() for text in node.values()) == "ok"
    await eventually(lambda: nodes[1]._state.advice is not None and nodes[1]._state.advice.should_delegate)
    served = len(apps[0].served)
    await nodes[1].call(AnyNode(), "echo", 1)
    assert len(apps[0].served) == served + 1
    assert await ask(link, UndrainNode(B)) == "ok"
    await eventually(lambda: {nodes[0].ring.owner(key) for key in KEYS} == {A, B})
    assert told == [True, False] and apps[1].stops == []


@ensureDeferred
async def test_what_an_operator_cannot_have_is_a_typed_failure(cluster: Cluster) -> None:
    manager, _, _ = await started(cluster, A, B)
    link = await cluster.operator(manager.port)
    assert await ask(link, DrainNode("worker@z.test")) == "noSuchNode"
    assert await ask(link, DrainNode(B)) == "ok"
    assert await ask(link, DrainNode(A)) == await ask(link, LeaveNode(A)) == "lastNode"
    assert await ask(link, Leave()) == "badRequest"
    booting = cluster.manager(2)
    assert await ask(await cluster.operator(booting.port), DrainNode(A)) == "clusterNotReady"


@ensureDeferred
async def test_only_operators_are_served_as_operators(cluster: Cluster) -> None:
    manager, nodes, _ = await started(cluster, A, B)
    with pytest.raises(LinkClosed, match="role"):
        await cluster.operator(manager.port, name="worker@c.test")
    with pytest.raises(LinkClosed, match="role"):
        await cluster.operator(manager.port, role=Role.WORKER)
    worker = nodes[1]._joining.link
    assert worker is not None and await ask(worker, DrainNode(A)) == "badRequest"
    link = await cluster.operator(manager.port)
    link.notify(RegisterNode("127.0.0.1", 1, NO_EPOCH, None))
    assert set(await standings(link)) == {A, B}


@ensureDeferred
async def test_two_nodes_lost_at_once_recover_while_the_third_serves(cluster: Cluster) -> None:
    manager, nodes, apps = await started(cluster, A, B, C)
    for node in nodes[1:]:
        await kill(cluster, node)
    await eventually(lambda: nodes[0].ring.away == {B, C})
    calls = Calls(nodes[0])
    for name in (B, C):
        await cluster.node(name, manager.port, RecordingApplication()).when_ready()
    await eventually(lambda: nodes[0].ring.away == frozenset())
    await calls.stop()
    assert apps[0].stops == [] and manager.is_ready


@ensureDeferred
async def test_cluster_whose_nodes_are_all_lost_goes_on_with_the_first_that_comes_back(
    cluster: Cluster,
) -> None:
    manager, nodes, _ = await started(cluster, A, B)
    for node in nodes:
        await kill(cluster, node)
    await sleep(reactor, 0.6)
    again = RecordingApplication()
    node = cluster.node(B, manager.port, again)
    await node.when_ready()
    assert node.ring.away == {A} and "upgrade_cluster" in again.steps
    assert await node.call(ByKey("key"), "echo", 1) == {"worker": "echo", "payload": 1}


@ensureDeferred
async def test_restarted_sole_manager_goes_on_without_the_node_that_is_lost_too(cluster: Cluster) -> None:
    manager, nodes, apps = await started(cluster, A, B, C)
    link = await cluster.operator(manager.port)
    assert await ask(link, DrainNode(C)) == "ok"
    await eventually(lambda: all(node.ring.draining == {C} for node in nodes))
    table, port = nodes[0].ring.table, manager.port
    await cluster.stop(manager)
    await kill(cluster, nodes[1])
    restarted = cluster.manager(3, port=port, term=2, grace_s=0.3)
    await eventually(lambda: restarted.is_ready and nodes[0].ring.away == {B})
    ring = nodes[0].ring
    assert ring.table == table and ring.draining == {C} and ring.nodes == (A, B, C)
    await cluster.node(B, port, RecordingApplication()).when_ready()
    await eventually(lambda: nodes[0].ring.away == frozenset())
    assert apps[0].stops == apps[2].stops == []
