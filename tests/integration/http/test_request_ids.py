"""The id of a request: in the answer, in the logs, in the reference of an error."""

from __future__ import annotations

import json

from klein import Klein
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTime
from twisted.logger import ILogObserver, LogEvent, Logger, capturedLogs, globalLogPublisher
from zope.interface import implementer

from cluster_worker.http.request import StreamingRequest
from cluster_worker.http.routing import door_resource
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.log_lines import json_line
from cluster_worker.runtime.request_ids import REQUEST_ID
from tests.integration.http.conftest import Serve

LOG = Logger()


class Door:
    app = Klein()

    def __init__(self) -> None:
        self.resource = door_resource(self.app, self)

    @app.route("/slow", methods=["PUT"])
    async def slow(self, request: StreamingRequest) -> bytes:
        while await request.body.read():
            pass
        await sleep(IReactorTime(reactor), 0.001)
        LOG.info("served")
        return (REQUEST_ID.get() or "none").encode()

    @app.route("/bug", methods=["GET"])
    async def bug(self, request: StreamingRequest) -> bytes:
        await sleep(IReactorTime(reactor), 0.001)
        raise ZeroDivisionError


def put(request_id: str) -> bytes:
    head = f"PUT /slow HTTP/1.1\r\nHost: x\r\nX-Request-Id: {request_id}\r\nContent-Length: 3\r\n\r\n"
    return head.encode() + b"abc"


@ensureDeferred
async def test_a_well_formed_id_is_kept_and_known_while_the_request_is_served(serve: Serve) -> None:
    answer = await (await serve(Door().resource)).ask(put("My-request_1.2"))
    assert answer.headers["x-request-id"] == "My-request_1.2"
    assert answer.body == b"My-request_1.2"
    assert REQUEST_ID.get() is None


@ensureDeferred
async def test_without_a_well_formed_id_one_is_made(serve: Serve) -> None:
    served = await serve(Door().resource)
    made = set()
    for bad in ("", "a b", "x" * 65, "\xe4"):
        answer = await served.ask(put(bad))
        assert answer.headers["x-request-id"] == answer.body.decode() not in ("", bad)
        made.add(answer.body)
    assert len(made) == 4


@ensureDeferred
async def test_the_reference_of_an_internal_error_is_the_request_id(serve: Serve) -> None:
    served = await serve(Door().resource)
    lines: list[str] = []
    with capturedLogs() as events:

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            lines.append(json_line(event, "n"))

        globalLogPublisher.addObserver(observe)
        try:
            answer = await served.ask(b"GET /bug HTTP/1.1\r\nHost: x\r\nX-Request-Id: r-9\r\n\r\n")
        finally:
            globalLogPublisher.removeObserver(observe)
    assert json.loads(answer.body)["error"]["details"]["reference"] == "r-9"
    (failed,) = [event for event in events if "log_failure" in event]
    assert failed["reference"] == "r-9"
    (line,) = [found for found in map(json.loads, lines) if "failure" in found]
    assert line["request_id"] == "r-9"
