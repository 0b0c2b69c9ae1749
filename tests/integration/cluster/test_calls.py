"""Calls and casts between nodes of a ready cluster, over their own links."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred

from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.node.errors import NodeUnavailable
from cluster_worker.node.ring import Ring
from cluster_worker.node.routing import AnyNode, ByKey, OnNode
from cluster_worker.wire.errors import BadRequest, RemoteFailure, RequestTimedOut
from cluster_worker.wire.frames import FRAME_LIMIT_B
from onedata.errors import Errno, OnedataError, Posix
from tests.support.cluster import Cluster, RecordingApplication, eventually

A, B = "worker@a.test", "worker@b.test"


async def pair(cluster: Cluster) -> tuple[list[ClusterNode], list[RecordingApplication]]:
    manager = cluster.manager(2)
    apps = [RecordingApplication(), RecordingApplication()]
    nodes = [cluster.node(name, manager.port, app) for name, app in zip((A, B), apps, strict=True)]
    for node in nodes:
        await node.when_ready()
    return nodes, apps


def key_of(ring: Ring, owner: str) -> str:
    return next(f"key{i}" for i in range(1000) if ring.owner(f"key{i}") == owner)


@ensureDeferred
async def test_call_by_node_is_served_there(cluster: Cluster) -> None:
    nodes, apps = await pair(cluster)
    answer = await nodes[0].call(OnNode(B), "fslogic", {"guid": "x", "data": b"\x00\xff"})
    assert answer == {"worker": "fslogic", "payload": {"guid": "x", "data": b"\x00\xff"}}
    assert apps[0].served == [] and len(apps[1].served) == 1


@ensureDeferred
async def test_call_by_key_goes_to_its_owner_from_any_node(cluster: Cluster) -> None:
    nodes, apps = await pair(cluster)
    for owner, app in zip((A, B), apps, strict=True):
        key = key_of(nodes[0].ring, owner)
        for node in nodes:
            await node.call(ByKey(key), "fslogic", key)
        assert app.served == [("fslogic", key)] * 2


@ensureDeferred
async def test_call_by_key_follows_the_owner_that_the_callee_names(cluster: Cluster) -> None:
    nodes, apps = await pair(cluster)
    key = key_of(nodes[1].ring, A)
    true_ring = nodes[0]._state.ring
    nodes[0]._state.ring = Ring.of((B,))  # it believes that B owns everything
    asked = Deferred.fromCoroutine(nodes[0].call(ByKey(key), "fslogic", key))
    await eventually(lambda: bool(nodes[0]._peers and nodes[0]._peers.links))
    nodes[0]._state.ring = true_ring
    await asked
    assert apps[0].served == [("fslogic", key)] and apps[1].served == []


@ensureDeferred
async def test_call_without_key_is_served_here_when_nothing_is_wrong(cluster: Cluster) -> None:
    nodes, apps = await pair(cluster)
    await nodes[0].call(AnyNode(), "fslogic", 1)
    assert apps[0].served == [("fslogic", 1)]


@ensureDeferred
async def test_call_that_is_not_answered_ends_at_its_deadline(cluster: Cluster) -> None:
    nodes, apps = await pair(cluster)
    cancelled: list[str] = []

    async def hang(worker: str, payload: Any) -> Any:
        await Deferred(lambda _: cancelled.append(worker))

    apps[1].serve = hang
    with pytest.raises(RequestTimedOut):
        await nodes[0].call(OnNode(B), "fslogic", None, timeout_s=0.2)
    await eventually(lambda: cancelled == ["fslogic"])


@ensureDeferred
async def test_error_of_the_application_reaches_the_caller(cluster: Cluster) -> None:
    nodes, apps = await pair(cluster)

    async def refuse(worker: str, payload: Any) -> Any:
        raise Posix(Errno.ENOENT)

    apps[1].serve = refuse
    with pytest.raises(OnedataError) as caught:
        await nodes[0].call(OnNode(B), "fslogic", None)
    assert caught.value.to_json() == Posix(Errno.ENOENT).to_json()


@ensureDeferred
async def test_bad_request_fails_alone_and_the_link_goes_on(cluster: Cluster) -> None:
    nodes, apps = await pair(cluster)

    async def judge(worker: str, payload: Any) -> Any:
        if payload == "bad":
            raise BadRequest("no such worker")
        return "fine"

    apps[1].serve = judge
    with pytest.raises(RemoteFailure, match="badRequest: no such worker"):
        await nodes[0].call(OnNode(B), "fslogic", "bad")
    with pytest.raises(BadRequest, match="over the limit"):
        await nodes[0].call(OnNode(B), "fslogic", b"x" * FRAME_LIMIT_B)
    with pytest.raises(BadRequest, match="cannot be sent"):
        await nodes[0].call(OnNode(B), "fslogic", object())
    assert await nodes[0].call(OnNode(B), "fslogic", "good") == "fine"
    assert nodes[0]._peers is not None and len(nodes[0]._peers.links) == 1


@ensureDeferred
async def test_casts_are_served_without_an_answer(cluster: Cluster) -> None:
    nodes, apps = await pair(cluster)
    await nodes[0].cast(OnNode(B), "events", 1)
    await nodes[0].cast(OnNode(A), "events", 2)
    await eventually(lambda: apps[1].served == [("events", 1)] and apps[0].served == [("events", 2)])


@ensureDeferred
async def test_call_to_a_node_that_stopped_fails_and_works_when_it_is_back(cluster: Cluster) -> None:
    nodes, _ = await pair(cluster)
    await nodes[0].call(OnNode(B), "fslogic", 1)
    port = int(nodes[1]._config.cm_nodes[0].rpartition(":")[2])
    await cluster.stop(nodes[1])
    await eventually(lambda: nodes[0].ring.away == {B})
    with pytest.raises(NodeUnavailable):
        await nodes[0].call(OnNode(B), "fslogic", 2)
    again = cluster.node(B, port, RecordingApplication())
    await again.when_ready()
    await eventually(lambda: nodes[0].ring.away == frozenset())
    assert await nodes[0].call(OnNode(B), "fslogic", 3) == {"worker": "fslogic", "payload": 3}


@ensureDeferred
async def test_call_to_a_node_nobody_knows_fails_at_once(cluster: Cluster) -> None:
    nodes, _ = await pair(cluster)
    with pytest.raises(NodeUnavailable, match="not a node of this cluster"):
        await nodes[0].call(OnNode("worker@nowhere.test"), "fslogic", 1)
