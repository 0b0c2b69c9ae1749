"""A provider's end of the Graph Sync channel, made with Autobahn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IReactorTime

from cluster_worker.runtime.clock import sleep
from onedata.graphsync import (
    ErrorResponse,
    GraphPush,
    GraphRequest,
    GraphResponse,
    Gri,
    HandshakeRequest,
    Message,
    NosubPush,
    Operation,
    TokenAuth,
    decode,
    encode,
)

CLOCK = IReactorTime(reactor)


class GraphClient(WebSocketClientProtocol):
    """Sends requests one at a time and keeps every push."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: Deferred[None] = Deferred()
        self.closed: Deferred[None] = Deferred()
        self.pushes: list[GraphPush | NosubPush] = []
        self._answer: Deferred[Message] | None = None
        self._last_id = 0

    def onOpen(self) -> None:
        self.opened.callback(None)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N803
        message = decode(payload)
        if isinstance(message, GraphPush | NosubPush):
            self.pushes.append(message)
        else:
            answer, self._answer = self._answer, None
            assert answer is not None
            answer.callback(message)

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:  # noqa: N803
        self.closed.callback(None)

    async def ask(self, message: Message) -> Any:
        """Send a request, return its response."""
        return await self.ask_text(encode(message))

    async def ask_text(self, text: str) -> Any:
        """Send a frame, return what comes next that is no push."""
        self._answer = Deferred()
        self.sendMessage(text.encode())
        return await self._answer

    async def handshake(self, token: str) -> Any:
        return await self.ask(HandshakeRequest(id="hand", auth=TokenAuth(token)))

    async def graph(self, gri: str, operation: str = "get", data: Any = None) -> Any:
        """Run an operation, subscribing to what is read; return the response."""
        self._last_id += 1
        request = GraphRequest(
            id=str(self._last_id),
            gri=Gri.parse(gri),
            operation=Operation(operation),
            data=data,
            subscribe=operation == "get",
        )
        return await self.ask(request)

    async def read(self, gri: str) -> dict[str, Any]:
        """Return a resource."""
        response = await self.graph(gri)
        assert isinstance(response, GraphResponse), response
        data: dict[str, Any] = response.data
        return data

    async def refused(self, gri: str, operation: str = "get", data: Any = None) -> str:
        """Return the id of the error that an operation ends with."""
        response = await self.graph(gri, operation, data)
        assert isinstance(response, ErrorResponse), response
        return response.error.id

    async def push_of(self, gri: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the next push of a resource whose data fits, dropping those before it."""
        for _ in range(200):
            while self.pushes:
                push = self.pushes.pop(0)
                if push.gri.text == gri and (isinstance(push, NosubPush) or fits(push.data)):
                    return push
            await sleep(CLOCK, 0.01)
        raise AssertionError(f"no push of {gri}")

    async def hang_up(self) -> None:
        self.sendClose()
        await self.closed


async def dial(port: int) -> GraphClient:
    """Open a channel without a handshake."""
    factory = WebSocketClientFactory(f"ws://127.0.0.1:{port}/graph_sync/provider")
    factory.protocol = GraphClient
    factory.noisy = False
    client = await TCP4ClientEndpoint(reactor, "127.0.0.1", port).connect(factory)
    assert isinstance(client, GraphClient)
    await client.opened
    return client


async def connect(port: int, token: str) -> GraphClient:
    """Open a channel as a provider."""
    client = await dial(port)
    response = await client.handshake(token)
    assert not isinstance(response, ErrorResponse), response
    return client
