"""The site over real sockets, seen from raw bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from klein import Klein
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from cluster_worker.http.bodies import read_json_object
from cluster_worker.http.request import StreamingRequest
from cluster_worker.http.routing import door_resource
from cluster_worker.http.site import HttpLimits
from cluster_worker.http.streaming import write_body
from cluster_worker.persistence.engine import PersistenceUnavailable
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.streams import StreamBroken
from onedata.errors import Unauthorized

MIB = 1024 * 1024


class Zeros:
    """A source of so many zero bytes, which may break before its end."""

    def __init__(self, size_b: int, breaks_after_b: int | None = None) -> None:
        self.left_b = size_b
        self.given_b = 0
        self._breaks_after_b = breaks_after_b

    async def read(self) -> bytes:
        if self._breaks_after_b is not None and self.given_b >= self._breaks_after_b:
            raise OSError("the disk is gone")
        piece = bytes(min(256 * 1024, self.left_b))
        self.left_b -= len(piece)
        self.given_b += len(piece)
        return piece


class Door:
    """Handlers that show what a site must bear."""

    app = Klein()

    def __init__(self) -> None:
        self.resource = door_resource(self.app, self)
        self.events: list[str] = []
        self.source = Zeros(0)
        self.gate: Deferred[None] = Deferred()
        self.received_b = 0
        self.ended: Deferred[str] = Deferred()

    @app.route("/hello", methods=["GET"])
    async def hello(self, request: StreamingRequest) -> bytes:
        self.events.append(request.uri.decode())
        return b"hello " + request.query

    @app.route("/json", methods=["POST"])
    async def json(self, request: StreamingRequest) -> dict[str, Any]:
        return await read_json_object(request, limit_b=1000)

    @app.route("/count", methods=["PUT"])
    async def count(self, request: StreamingRequest) -> bytes:
        try:
            while piece := await request.body.read():
                self.received_b += len(piece)
        except StreamBroken:
            self.ended.callback("broken")
            raise
        return b"%d" % self.received_b

    @app.route("/first-piece", methods=["PUT"])
    async def first_piece(self, request: StreamingRequest) -> bytes:
        piece = await request.body.read()
        return b"%d" % len(piece)

    @app.route("/refuse", methods=["PUT", "GET"])
    async def refuse(self, request: StreamingRequest) -> bytes:
        raise Unauthorized()

    @app.route("/gated", methods=["PUT", "GET"])
    async def gated(self, request: StreamingRequest) -> bytes:
        self.events.append("gated")
        await self.gate
        return b"opened"

    @app.route("/cancelled", methods=["GET"])
    async def cancelled(self, request: StreamingRequest) -> bytes:
        self.events.append("waits")
        waiter: Deferred[None] = Deferred(lambda _: self.ended.callback("cancelled"))
        await waiter
        return b""

    @app.route("/source", methods=["GET"])
    async def send_source(self, request: StreamingRequest) -> None:
        request.setHeader(b"Content-Length", b"%d" % self.source.left_b)
        await write_body(request, self.source)

    @app.route("/chunked", methods=["GET"])
    async def send_chunked(self, request: StreamingRequest) -> None:
        await write_body(request, self.source)

    @app.route("/gated-write", methods=["PUT"])
    async def gated_write(self, request: StreamingRequest) -> bytes:
        self.events.append("writes")
        await self.gate
        self.events.append("written")
        return b""

    @app.route("/store", methods=["GET"])
    async def store(self, request: StreamingRequest) -> bytes:
        raise PersistenceUnavailable("the store is away")

    @app.route("/bug", methods=["GET"])
    async def bug(self, request: StreamingRequest) -> bytes:
        raise ZeroDivisionError("secret words")


def put(path: str, length_b: int, *headers: str) -> bytes:
    lines = [f"PUT {path} HTTP/1.1", "Host: x", f"Content-Length: {length_b}", *headers, "", ""]
    return "\r\n".join(lines).encode()


async def until(condition: Callable[[], bool]) -> None:
    """Return when ``condition`` holds; it is looked at between the reactor's turns."""
    for _ in range(2000):
        if condition():
            return
        await sleep(reactor, 0.005)
    raise AssertionError("it did not happen")


@ensureDeferred
async def test_requests_sent_byte_by_byte_are_understood(serve: Any) -> None:
    client = await (await serve(Door().resource)).connect()
    for byte in b"GET /hello?a=1 HTTP/1.1\r\nHost: x\r\n\r\n":
        client.send(bytes([byte]))
        await sleep(reactor, 0)
    assert (await client.read_answer()).body == b"hello a=1"


@ensureDeferred
async def test_pipelined_requests_are_answered_in_order(serve: Any) -> None:
    client = await (await serve(Door().resource)).connect()
    requests = [b"GET /hello?%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(50)]
    client.send(b"".join(requests))
    answers = [(await client.read_answer()).body for _ in requests]
    assert answers == [b"hello %d" % number for number in range(50)]


@ensureDeferred
async def test_a_pipelined_upload_waits_for_the_answer_before_it(serve: Any) -> None:
    door = Door()
    client = await (await serve(door.resource)).connect()
    client.send(b"GET /gated HTTP/1.1\r\nHost: x\r\n\r\n" + put("/count", 3 * MIB) + bytes(3 * MIB))
    await until(lambda: door.events == ["gated"])
    assert door.received_b == 0
    door.gate.callback(None)
    assert (await client.read_answer()).body == b"opened"
    assert (await client.read_answer()).body == b"3145728"


@ensureDeferred
async def test_the_handler_starts_before_the_body_has_come(serve: Any) -> None:
    door = Door()
    client = await (await serve(door.resource)).connect()
    client.send(put("/gated", 10))
    await until(lambda: door.events == ["gated"])
    door.gate.callback(None)
    assert (await client.read_answer()).body == b"opened"


@ensureDeferred
async def test_continue_is_sent_when_the_handler_reads(serve: Any) -> None:
    client = await (await serve(Door().resource)).connect()
    client.send(put("/count", 5, "Expect: 100-continue"))
    assert (await client.read_answer()).status == 100
    client.send(b"12345")
    assert (await client.read_answer()).body == b"5"


@ensureDeferred
async def test_a_refused_upload_gets_no_continue_and_is_closed(serve: Any) -> None:
    client = await (await serve(Door().resource)).connect()
    client.send(put("/refuse", 10 * MIB, "Expect: 100-continue"))
    answer = await client.read_answer()
    assert (answer.status, answer.headers["connection"]) == (401, "close")
    await client.read_to_end()
    assert not client.was_reset


@ensureDeferred
async def test_an_early_answer_survives_the_large_upload_it_refuses(serve: Any) -> None:
    client = await (await serve(Door().resource)).connect()
    client.send(put("/refuse", 8 * MIB) + bytes(8 * MIB))
    answer = await client.read_answer()
    assert (answer.status, answer.headers["connection"]) == (401, "close")
    await client.read_to_end()
    assert not client.was_reset


@ensureDeferred
async def test_an_early_answer_to_an_endless_upload_ends_it(serve: Any) -> None:
    served = await serve(Door().resource, limits=HttpLimits(linger_b=MIB, linger_timeout_s=1))
    client = await served.connect()
    client.send(put("/refuse", 10**12) + bytes(4 * MIB))
    await until(lambda: client.ended is not None or len(client.buffer) > 0)
    assert client.buffer.startswith(b"HTTP/1.1 401 ")
    await client.read_to_end()


@ensureDeferred
async def test_a_small_unread_body_keeps_the_connection(serve: Any) -> None:
    client = await (await serve(Door().resource)).connect()
    client.send(put("/refuse", 1000))
    assert (await client.read_answer()).status == 401
    client.send(bytes(1000) + b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await client.read_answer()).body == b"hello "


@ensureDeferred
async def test_the_rest_of_a_partly_read_body_is_dropped(serve: Any) -> None:
    client = await (await serve(Door().resource)).connect()
    client.send(put("/first-piece", 300_000) + bytes(299_999))
    assert (await client.read_answer()).status == 200
    client.send(b"xGET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await client.read_answer()).body == b"hello "


@ensureDeferred
async def test_chunked_bodies_of_any_chopping_are_read(serve: Any) -> None:
    client = await (await serve(Door().resource)).connect()
    client.send(b"PUT /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for size_b in (1, 70_000, 3, 1_000_000):
        client.send(b"%x;ext=1\r\n" % size_b + bytes(size_b) + b"\r\n")
    client.send(b"0\r\nTrailer: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await client.read_answer()).body == b"1070004"
    assert (await client.read_answer()).body == b"hello "


@ensureDeferred
async def test_a_malformed_chunk_is_a_bad_request(serve: Any) -> None:
    door = Door()
    client = await (await serve(door.resource)).connect()
    client.send(
        b"PUT /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense\r\n"
    )
    assert (await client.read_answer()).status == 400
    assert await door.ended == "broken"
    await client.read_to_end()


@ensureDeferred
async def test_a_client_gone_in_the_middle_of_an_upload_breaks_the_body(serve: Any) -> None:
    door = Door()
    client = await (await serve(door.resource)).connect()
    client.send(put("/count", 10 * MIB) + bytes(MIB))
    await until(lambda: door.received_b > 0)
    client.abort()
    assert await door.ended == "broken"


@ensureDeferred
async def test_a_body_shorter_than_announced_breaks_when_the_client_ends_it(serve: Any) -> None:
    door = Door()
    client = await (await serve(door.resource)).connect()
    client.send(put("/count", 100) + bytes(99))
    client.transport.loseConnection()
    assert await door.ended == "broken"


@ensureDeferred
async def test_a_reading_handler_is_cancelled_when_the_client_goes(serve: Any) -> None:
    door = Door()
    client = await (await serve(door.resource)).connect()
    client.send(b"GET /cancelled HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: door.events == ["waits"])
    client.abort()
    assert await door.ended == "cancelled"


@ensureDeferred
async def test_a_client_gone_in_the_middle_of_a_download_stops_the_source(serve: Any) -> None:
    door = Door()
    door.source = Zeros(10**12)
    served = await serve(door.resource)
    client = await served.connect()
    client.send(b"GET /source HTTP/1.1\r\nHost: x\r\n\r\n")
    await client.read_exactly(MIB)
    client.abort()
    await until(lambda: served.site.connection_count == 0)
    given_b = door.source.given_b
    await sleep(reactor, 0.05)
    assert door.source.given_b == given_b


@ensureDeferred
async def test_a_source_is_read_no_faster_than_the_client_takes(serve: Any) -> None:
    door = Door()
    door.source = Zeros(200 * MIB)
    client = await (await serve(door.resource)).connect()
    client.pause()
    client.send(b"GET /source HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: door.source.given_b > 0)
    await sleep(reactor, 0.2)
    assert door.source.given_b < 32 * MIB  # what the system's socket buffers take, and two pieces
    client.resume()
    await client.read_until(b"\r\n\r\n")
    taken_b = 0
    while taken_b < 200 * MIB:
        taken_b += len(await client.read_exactly(1)) + len(client.take(len(client.buffer)))
    assert taken_b == 200 * MIB


@ensureDeferred
async def test_an_upload_is_read_no_faster_than_the_handler_takes(serve: Any) -> None:
    door = Door()
    served = await serve(door.resource)
    client = await served.connect()
    client.send(put("/gated", 100 * MIB))
    await until(lambda: door.events == ["gated"])
    for _ in range(100):
        client.send(bytes(MIB))
    await sleep(reactor, 0.3)
    (channel,) = served.site._channels
    assert channel.requests[0].body.received_b <= MIB
    client.abort()


@ensureDeferred
async def test_a_source_that_fails_midway_aborts_the_connection(serve: Any) -> None:
    door = Door()
    door.source = Zeros(50 * MIB, breaks_after_b=10 * MIB)
    client = await (await serve(door.resource)).connect()
    client.send(b"GET /source HTTP/1.1\r\nHost: x\r\n\r\n")
    received = await client.read_to_end()
    assert len(received) < 50 * MIB
    assert client.was_reset


@ensureDeferred
async def test_a_chunked_answer_that_fails_midway_has_no_end_mark(serve: Any) -> None:
    door = Door()
    door.source = Zeros(MIB, breaks_after_b=512 * 1024)
    client = await (await serve(door.resource)).connect()
    client.send(b"GET /chunked HTTP/1.1\r\nHost: x\r\n\r\n")
    received = await client.read_to_end()
    assert not received.endswith(b"0\r\n\r\n")


@ensureDeferred
async def test_a_source_that_fails_at_once_is_an_ordinary_error(serve: Any) -> None:
    door = Door()
    door.source = Zeros(MIB, breaks_after_b=0)
    answer = await (await serve(door.resource)).ask(b"GET /chunked HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.status == 500


@ensureDeferred
async def test_a_bug_is_told_by_reference_only(serve: Any) -> None:
    answer = await (await serve(Door().resource)).ask(b"GET /bug HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.status == 500
    assert b"internalServerError" in answer.body
    assert b"secret" not in answer.body


@ensureDeferred
async def test_head_has_the_headers_and_no_body(serve: Any) -> None:
    client = await (await serve(Door().resource)).connect()
    client.send(b"HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = await client.read_answer(head_only=True)
    assert (answer.status, answer.headers["content-length"]) == (200, "6")
    assert (await client.read_answer()).body == b"hello "


@ensureDeferred
async def test_unknown_paths_and_methods_have_empty_bodies(serve: Any) -> None:
    served = await serve(Door().resource)
    missing = await served.ask(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
    wrong = await served.ask(b"DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (missing.status, missing.body) == (404, b"")
    assert (wrong.status, wrong.body, wrong.headers["allow"]) == (405, b"", "GET, HEAD")


@ensureDeferred
async def test_malformed_requests_are_answered_400_and_closed(serve: Any) -> None:
    served = await serve(Door().resource)
    for request in (
        b"nonsense\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nbad name: x\r\nHost: x\r\n\r\n",
        b"PUT /count HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"PUT /count HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"PUT /count HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"PUT /count HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ):
        client = await served.connect()
        client.send(request)
        assert (await client.read_answer()).status == 400, request
        assert await client.read_to_end() == b"", request
        assert not client.was_reset


@ensureDeferred
async def test_too_many_or_too_long_headers_are_answered_431(serve: Any) -> None:
    served = await serve(Door().resource)
    many = b"".join(b"X-%d: 1\r\n" % number for number in range(200))
    long = b"X: " + b"x" * 20_000 + b"\r\n"
    several = b"".join(b"X-%d: %b\r\n" % (number, b"x" * 3000) for number in range(10))
    for headers in (many, long, several):
        answer = await served.ask(b"GET /hello HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")
        assert answer.status == 431


@ensureDeferred
async def test_a_too_long_request_line_is_answered_414(serve: Any) -> None:
    answer = await (await serve(Door().resource)).ask(b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n")
    assert answer.status == 414


@ensureDeferred
async def test_small_bodies_are_limited_and_parsed(serve: Any) -> None:
    served = await serve(Door().resource)
    head = b"POST /json HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    good = await served.ask(head % 7 + b'{"a":1}')
    empty = await served.ask(head % 0)
    bad = await served.ask(head % 3 + b"{a}")
    half = await served.ask(head % 14 + b'{"a":"\\ud800"}')
    deep = await served.ask(head % 900 + b"[" * 900)
    lists = await served.ask(head % 2 + b"[]")
    long = await served.ask(head % 2000 + bytes(2000))
    assert (good.body, empty.body) == (b'{"a":1}', b"{}")
    assert [answer.status for answer in (bad, half, deep, lists, long)] == [400, 400, 400, 400, 413]
    assert b'"malformedData"' in bad.body


@ensureDeferred
async def test_http_1_0_clients_get_a_closed_connection(serve: Any) -> None:
    client = await (await serve(Door().resource)).connect()
    client.send(b"GET /hello HTTP/1.0\r\n\r\n")
    assert (await client.read_answer()).body == b"hello "
    assert await client.read_to_end() == b""


@ensureDeferred
async def test_connections_over_the_limit_are_closed(serve: Any) -> None:
    served = await serve(Door().resource, limits=HttpLimits(max_connections=2))
    clients = [await served.connect() for _ in range(3)]
    assert await clients[2].read_to_end() == b""
    clients[0].send(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await clients[0].read_answer()).status == 200


@ensureDeferred
async def test_stopping_lets_the_open_request_end_and_closes_idle_connections(serve: Any) -> None:
    door = Door()
    served = await serve(door.resource)
    busy, idle = await served.connect(), await served.connect()
    busy.send(b"GET /gated HTTP/1.1\r\nHost: x\r\n\r\n")
    idle.send(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
    await idle.read_answer()
    await until(lambda: door.events[-1:] == ["gated"] or "gated" in door.events)
    stopped = served.listener.stopService()
    assert await idle.read_to_end() == b""
    door.gate.callback(None)
    assert (await busy.read_answer()).body == b"opened"
    await stopped


@ensureDeferred
async def test_a_writing_handler_runs_to_its_end_when_the_client_goes(serve: Any) -> None:
    door = Door()
    served = await serve(door.resource)
    client = await served.connect()
    client.send(put("/gated-write", 0))
    await until(lambda: door.events == ["writes"])
    client.abort()
    await until(lambda: served.site.connection_count == 0)
    door.gate.callback(None)
    assert door.events == ["writes", "written"]


@ensureDeferred
async def test_a_store_that_is_away_is_answered_503_with_retry_after(serve: Any) -> None:
    answer = await (await serve(Door().resource)).ask(b"GET /store HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert b'"serviceUnavailable"' in answer.body


@ensureDeferred
async def test_head_of_a_streamed_answer_reads_nothing_of_its_source(serve: Any) -> None:
    door = Door()
    door.source = Zeros(10**12)
    answer = await (await serve(door.resource)).ask(b"HEAD /source HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (answer.status, answer.headers["content-length"]) == (200, str(10**12))
    assert door.source.given_b == 0


@ensureDeferred
async def test_stopping_does_not_wait_for_clients_that_never_close(serve: Any, web_tls: Any) -> None:
    served = await serve(Door().resource, tls=web_tls, grace_s=30)
    client = await served.connect()
    client.send(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
    await client.read_answer()
    client.pause()
    stopped = served.listener.stopService()
    await stopped.addTimeout(2, reactor)
    assert served.site.connection_count == 0
    client.abort()
