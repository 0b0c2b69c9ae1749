"""Memory does not depend on the size of a body, in either direction."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.interfaces import IPullProducer
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from cluster_worker.http.request import StreamingRequest
from cluster_worker.http.streaming import write_body
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskOwner

MIB = 1024 * 1024
BODY_B = 200 * MIB
PIECE = bytes(64 * 1024)
BOUND_B = 12 * MIB


class Slow(Resource):
    """Takes and gives large bodies, a little at a time."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.tasks = TaskOwner()
        self.received_b = 0

    def render_PUT(self, request: StreamingRequest) -> int:
        self.tasks.spawn("take", self._take(request))
        return NOT_DONE_YET

    def render_GET(self, request: StreamingRequest) -> int:
        request.setHeader(b"Content-Length", b"%d" % BODY_B)
        self.tasks.spawn("give", write_body(request, Fresh(BODY_B)))
        return NOT_DONE_YET

    async def _take(self, request: StreamingRequest) -> None:
        while piece := await request.body.read():
            self.received_b += len(piece)
            await sleep(reactor, 0)
        request.finish()


class Fresh:
    """A source whose pieces are new objects, as those of a disk are."""

    def __init__(self, left_b: int) -> None:
        self._left_b = left_b

    async def read(self) -> bytes:
        piece = bytes(min(256 * 1024, self._left_b))
        self._left_b -= len(piece)
        return piece


@implementer(IPullProducer)
class Pushing:
    """Sends pieces when the transport asks for more."""

    def __init__(self, transport: Any, left_b: int) -> None:
        self._transport, self._left_b = transport, left_b

    def resumeProducing(self) -> None:
        self._transport.write(PIECE)
        self._left_b -= len(PIECE)
        if not self._left_b:
            self._transport.unregisterProducer()

    def stopProducing(self) -> None:
        self._left_b = 0


class Peak:
    """The most memory that Python objects took inside the block."""

    def __enter__(self) -> Callable[[], int]:
        tracemalloc.start()
        return lambda: tracemalloc.get_traced_memory()[1]

    def __exit__(self, *_: object) -> None:
        tracemalloc.stop()


@ensureDeferred
async def test_a_large_upload_to_a_slow_handler_takes_little_memory(serve: Any, web_tls: Any) -> None:
    resource = Slow()
    client = await (await serve(resource, tls=web_tls)).connect()
    with Peak() as peak_b:
        client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % BODY_B)
        client.transport.registerProducer(Pushing(client.transport, BODY_B), False)
        assert (await client.read_answer()).status == 200
        assert peak_b() < BOUND_B
    assert resource.received_b == BODY_B


@ensureDeferred
async def test_a_large_download_by_a_slow_client_takes_little_memory(serve: Any, web_tls: Any) -> None:
    client = await (await serve(Slow(), tls=web_tls)).connect()
    with Peak() as peak_b:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await client.read_until(b"\r\n\r\n")
        taken_b = 0
        while taken_b < BODY_B:
            client.pause()
            taken_b += len(client.take(len(client.buffer)))
            await sleep(reactor, 0)
            client.resume()
            if taken_b < BODY_B:
                taken_b += len(await client.read_exactly(1))
        assert peak_b() < BOUND_B
    assert taken_b == BODY_B
