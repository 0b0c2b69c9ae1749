"""The id of a client's request on both nodes of a call and of a cast."""

from __future__ import annotations

from typing import Any

from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred

from cluster_worker.node.routing import OnNode
from cluster_worker.runtime.request_ids import REQUEST_ID
from tests.support.cluster import Cluster, RecordingApplication, eventually

A, B = "worker@a.test", "worker@b.test"


@ensureDeferred
async def test_calls_and_casts_carry_the_request_id_to_the_other_node(cluster: Cluster) -> None:
    seen: list[tuple[Any, str | None]] = []

    async def serve(worker: str, payload: Any) -> Any:
        seen.append((payload, REQUEST_ID.get()))
        return None

    manager = cluster.manager(2)
    first = cluster.node(A, manager.port, RecordingApplication())
    second = cluster.node(B, manager.port, RecordingApplication(serve=serve))
    for node in (first, second):
        await node.when_ready()

    async def request() -> None:
        REQUEST_ID.set("client-7")
        await first.call(OnNode(B), "fslogic", "call")
        await first.cast(OnNode(B), "fslogic", "cast")

    await Deferred.fromCoroutine(request())
    await first.call(OnNode(B), "fslogic", "no request")
    await eventually(lambda: len(seen) == 3)
    assert sorted(seen) == [("call", "client-7"), ("cast", "client-7"), ("no request", None)]
    assert first.calls.made.count == 2 == second.calls.served.count
