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
from cluster_worker.wire.connections import Address
from cluster_worker.wire.errors import RemoteFailure
from cluster_worker.wire.health_messages import ClusterStatus, GetClusterStatus
from cluster_worker.wire.membership_messages import Leave
from cluster_worker.wire.messages import Message
from cluster_worker.wire.operator_messages import DrainNode, LeaveNode, UndrainNode
from cluster_worker.wire.slot_table import SLOTS
from cluster_worker.wire.tls import NodeCredentials
from tests.support.cluster import Cluster, RecordingApplication, eventually, reactor
from tests.support.operator_link import NoLeader, ask_managers

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


async def asked(cluster: Cluster, manager: ClusterManager, request: Message) -> str:
    """Ask the manager as an operator; ``ok``, or the code of the failure."""
    try:
        await cluster.ask(manager.port, request)
    except RemoteFailure as failure:
        return failure.code
    return "ok"


async def standings(cluster: Cluster, manager: ClusterManager) -> dict[str, str]:
    status = await cluster.ask(manager.port, GetClusterStatus())
    assert isinstance(status, ClusterStatus)
    return dict(status.standings)


async def kill(cluster: Cluster, node: ClusterNode) -> None:
    """Stop the node without a word to the manager."""

    async def nothing() -> None: ...

    node._joining.leave = nothing  # type: ignore[method-assign]
    await cluster.stop(node)


class Calls:
    """Calls nodes by every key, and without one, as long as its block lasts.

    Leaving the block raises what the first call that failed has raised.
    """

    def __init__(self, node: ClusterNode) -> None:
        self.node, self.made, self._goes_on = node, 0, True

    async def __aenter__(self) -> Calls:
        self._task = Deferred.fromCoroutine(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._goes_on = False
        await self._task

    async def _run(self) -> None:
        while self._goes_on:
            for key in KEYS:
                await self.node.call(ByKey(key), "echo", key)
                await self.node.call(AnyNode(), "echo", key)
                self.made += 2
            await sleep(reactor, 0.001)


@ensureDeferred
async def test_cluster_grows_from_one_node_to_three_and_shrinks_to_one_under_calls(cluster: Cluster) -> None:
    manager, nodes, apps = await started(cluster, A)
    first = nodes[0]
    async with Calls(first) as calls:
        for name in (B, C):
            apps.append(RecordingApplication())
            nodes.append(cluster.node(name, manager.port, apps[-1]))
            await nodes[-1].when_ready()
            await eventually(lambda: first.ring == nodes[-1].ring)
        shares = Counter(first.ring.table).values()
        assert sum(shares) == SLOTS and max(shares) - min(shares) <= 1 and len(shares) == 3
        assert {first.ring.owner(key) for key in KEYS} == {A, B, C}
        for node, app in zip(nodes[:0:-1], apps[:0:-1], strict=True):
            assert await asked(cluster, manager, LeaveNode(node.node_name)) == "ok"
            await eventually(lambda: bool(app.left))  # noqa: B023 - it is awaited here
            await cluster.stop(node)
            await eventually(lambda: node.node_name not in first.ring.nodes)  # noqa: B023
    assert first.ring.nodes == (A,) and calls.made > 100
    assert apps[0].stops == apps[0].left == [] and first.is_ready


@ensureDeferred
async def test_drained_node_learns_it_gives_its_keys_away_and_serves_on(cluster: Cluster) -> None:
    manager, nodes, apps = await started(cluster, A, B)
    told: list[bool] = []
    nodes[1].watch_draining(told.append)
    assert await asked(cluster, manager, DrainNode(B)) == "ok"
    await eventually(lambda: nodes[1].is_draining and nodes[0].ring.draining == {B})
    assert {nodes[0].ring.owner(key) for key in KEYS} == {A} and not nodes[0].is_draining
    assert await standings(cluster, manager) == {A: "serving", B: "draining"}
    statuses = await nodes[1].cluster_status()
    assert worst_status(text for node in statuses.values() for text in node.values()) == "ok"
    await eventually(lambda: nodes[1]._state.advice is not None and nodes[1]._state.advice.should_delegate)
    served = len(apps[0].served)
    await nodes[1].call(AnyNode(), "echo", 1)
    assert len(apps[0].served) == served + 1
    assert await asked(cluster, manager, UndrainNode(B)) == "ok"
    await eventually(lambda: {nodes[0].ring.owner(key) for key in KEYS} == {A, B})
    assert told == [True, False] and apps[1].stops == []


@ensureDeferred
async def test_what_an_operator_cannot_have_is_a_typed_failure(cluster: Cluster) -> None:
    manager, _, _ = await started(cluster, A, B)
    assert await asked(cluster, manager, DrainNode("worker@z.test")) == "noSuchNode"
    assert await asked(cluster, manager, DrainNode(B)) == "ok"
    assert (
        await asked(cluster, manager, DrainNode(A))
        == await asked(cluster, manager, LeaveNode(A))
        == "lastNode"
    )
    assert await asked(cluster, manager, Leave()) == "badRequest"
    booting = cluster.manager(2)
    assert await asked(cluster, booting, DrainNode(A)) == "clusterNotReady"


@ensureDeferred
async def test_only_operators_are_served_as_operators(cluster: Cluster) -> None:
    manager, nodes, _ = await started(cluster, A, B)
    address = Address("127.0.0.1", manager.port)
    with pytest.raises(NoLeader, match="role"):
        await ask_managers(reactor, [address], NodeCredentials(cluster.files(C)), C, DrainNode(A), 0.0)
    link = nodes[1]._joining.link
    assert link is not None
    with pytest.raises(RemoteFailure, match="badRequest"):
        await link.request(DrainNode(A), 5.0)
    posing = cluster.node("operator@desk.test", manager.port, RecordingApplication())
    await sleep(reactor, 0.3)
    assert not posing.is_joined and set(await standings(cluster, manager)) == {A, B}


@ensureDeferred
async def test_operator_learns_that_no_manager_leads(cluster: Cluster) -> None:
    manager = cluster.manager(1)
    port = manager.port
    await cluster.stop(manager)
    with pytest.raises(NoLeader, match=str(port)):
        await ask_managers(
            reactor, [Address("127.0.0.1", port)], NodeCredentials(cluster.files(A)), A, DrainNode(A), 0.0
        )


@ensureDeferred
async def test_two_nodes_lost_at_once_recover_while_the_third_serves(cluster: Cluster) -> None:
    manager, nodes, apps = await started(cluster, A, B, C)
    for node in nodes[1:]:
        await kill(cluster, node)
    await eventually(lambda: nodes[0].ring.away == {B, C})
    async with Calls(nodes[0]):
        for name in (B, C):
            await cluster.node(name, manager.port, RecordingApplication()).when_ready()
        await eventually(lambda: nodes[0].ring.away == frozenset())
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
    assert await asked(cluster, manager, DrainNode(C)) == "ok"
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
