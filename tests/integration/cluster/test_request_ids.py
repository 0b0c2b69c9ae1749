"""The id of a client's request on both nodes of a call and of a cast, and in the logs of both."""

from __future__ import annotations

import json
from typing import Any

from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, Logger, LogPublisher
from zope.interface import implementer

from cluster_worker.node.routing import OnNode
from cluster_worker.runtime.log_lines import json_line
from cluster_worker.runtime.request_ids import REQUEST_ID
from tests.support.cluster import Cluster, RecordingApplication, eventually

A, B = "worker@a.test", "worker@b.test"


class NodeLog:
    """The lines that one node would write."""

    def __init__(self, node: str) -> None:
        self.lines: list[dict[str, Any]] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            self.lines.append(json.loads(json_line(event, node)))

        self.log = Logger(observer=LogPublisher(observe))

    def of(self, request_id: str) -> list[tuple[str, str]]:
        return [(one["node"], one["message"]) for one in self.lines if one.get("request_id") == request_id]


@ensureDeferred
async def test_one_request_id_is_found_in_the_logs_of_both_nodes_of_a_call(cluster: Cluster) -> None:
    here, there = NodeLog(A), NodeLog(B)

    async def serve(worker: str, payload: Any) -> Any:
        there.log.info("served {payload}", payload=payload)

    manager = cluster.manager(2)
    first = cluster.node(A, manager.port, RecordingApplication())
    second = cluster.node(B, manager.port, RecordingApplication(serve=serve))
    for node in (first, second):
        await node.when_ready()

    async def request() -> None:
        REQUEST_ID.set("client-7")
        here.log.info("asked")
        await first.call(OnNode(B), "fslogic", "this")

    await Deferred.fromCoroutine(request())
    assert here.of("client-7") == [(A, "asked")]
    assert there.of("client-7") == [(B, "served this")]


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
