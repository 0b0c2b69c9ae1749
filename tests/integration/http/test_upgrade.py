"""Autobahn's WebSocket resource inside the site's tree."""

from __future__ import annotations

from typing import Any

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
    WebSocketServerFactory,
    WebSocketServerProtocol,
)
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, wrapClientTLS
from twisted.internet.ssl import CertificateOptions
from twisted.web.resource import Resource

from cluster_worker.http.site import HttpLimits
from cluster_worker.http.tree import Branch
from cluster_worker.runtime.clock import sleep

BIG_B = 3_000_000


class Echo(WebSocketServerProtocol):
    """Sends back what it gets."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N803
        self.sendMessage(payload, isBinary)


class Client(WebSocketClientProtocol):
    """Keeps what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: Deferred[None] = Deferred()
        self.message: Deferred[bytes] = Deferred()
        self.closed: Deferred[bool] = Deferred()

    def onOpen(self) -> None:
        self.opened.callback(None)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N803
        message, self.message = self.message, Deferred()
        message.callback(payload)

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:  # noqa: N803
        self.closed.callback(wasClean)


class Plain(Resource):
    """Another resource of the tree."""

    isLeaf = True

    def render_GET(self, request: object) -> bytes:
        return b"plain"


def tree() -> Resource:
    factory = WebSocketServerFactory()
    factory.protocol = Echo
    root = Branch()
    root.mount("/graph_sync", WebSocketResource(factory))
    root.mount("/some/place", Plain())
    return root


async def dial(served: Any) -> Client:
    factory = WebSocketClientFactory(f"ws://127.0.0.1:{served.listener.port}/graph_sync/gui")
    factory.protocol = Client
    endpoint: Any = TCP4ClientEndpoint(reactor, "127.0.0.1", served.listener.port)
    if served.is_tls:
        endpoint = wrapClientTLS(CertificateOptions(), endpoint)
    client: Client = await endpoint.connect(factory)
    await client.opened
    return client


async def talk(served: Any) -> None:
    client = await dial(served)
    for payload in (b"small", bytes(BIG_B), b"again"):
        answered = client.message
        client.sendMessage(payload, isBinary=True)
        assert await answered == payload
    await sleep(reactor, 2.1)
    answered = client.message
    client.sendMessage(b"still here", isBinary=True)
    assert await answered == b"still here"
    assert served.site.connection_count == 0
    client.sendClose()
    assert await client.closed


LIMITS = HttpLimits(header_timeout_s=0.5, idle_timeout_s=0.5, response_stall_timeout_s=0.5)


@ensureDeferred
async def test_a_websocket_takes_over_a_plain_connection(serve: Any) -> None:
    await talk(await serve(tree(), limits=LIMITS))


@ensureDeferred
async def test_a_websocket_takes_over_a_tls_connection(serve: Any, web_tls: Any) -> None:
    await talk(await serve(tree(), limits=LIMITS, tls=web_tls))


@ensureDeferred
async def test_stopping_does_not_wait_for_websockets(serve: Any) -> None:
    served = await serve(tree())
    client = await dial(served)
    await served.listener.stopService()
    client.sendClose()
    assert await client.closed


@ensureDeferred
async def test_other_resources_of_the_tree_still_answer(serve: Any) -> None:
    served = await serve(tree())
    assert (await served.ask(b"GET /some/place HTTP/1.1\r\nHost: x\r\n\r\n")).body == b"plain"
    for path in (b"/", b"/some", b"/some/other", b"/elsewhere"):
        answer = await served.ask(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path)
        assert (answer.status, answer.body) == (404, b"")
