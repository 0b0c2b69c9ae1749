"""The WebSocket to the zone: TLS verified against the zone's domain, kept alive by pings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from attrs import field, frozen
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint


class Link(Protocol):
    """An open connection that carries texts."""

    def send(self, text: str) -> None:
        """Send a text."""

    def close(self) -> None:
        """Close the connection; ``on_lost`` follows."""


Connect = Callable[[Callable[[str], None], Callable[[str], None]], Awaitable[Link]]
"""Opens a link: called with ``on_text(text)`` and ``on_lost(reason)``; raises when it cannot.

``on_lost`` is called once, and only after the link was returned."""


@frozen(kw_only=True)
class LinkTimes:
    """Durations of the WebSocket, in seconds."""

    open_timeout_s: float = 10.0
    ping_interval_s: float = 15.0
    ping_timeout_s: float = 10.0


class LinkRefusedError(Exception):
    """The other end was reached, but did not open a WebSocket."""


_MAX_MESSAGE_B = 64 * 1024 * 1024


@frozen
class WebSocketConnector:
    """Opens WebSockets to one URL through one endpoint."""

    reactor: IReactorTime
    endpoint: IStreamClientEndpoint
    url: str
    times: LinkTimes = field(factory=LinkTimes)

    async def connect(self, on_text: Callable[[str], None], on_lost: Callable[[str], None]) -> Link:
        """Return an open link. Cancelling gives the attempt up.

        Raises: whatever the endpoint raises; LinkRefusedError.
        """
        factory = _LinkFactory(self.url, reactor=self.reactor)
        factory.on_text, factory.on_lost = on_text, on_lost
        factory.setProtocolOptions(
            openHandshakeTimeout=self.times.open_timeout_s,
            autoPingInterval=self.times.ping_interval_s,
            autoPingTimeout=self.times.ping_timeout_s,
            closeHandshakeTimeout=2,
            maxMessagePayloadSize=_MAX_MESSAGE_B,
            maxFramePayloadSize=_MAX_MESSAGE_B,
        )
        protocol = await self.endpoint.connect(factory)
        assert isinstance(protocol, _LinkProtocol)
        await protocol.opened
        return protocol


class _LinkProtocol(WebSocketClientProtocol):
    """Reports what happens to the functions of its factory."""

    factory: _LinkFactory

    def __init__(self) -> None:
        super().__init__()
        self._is_open = False
        self.opened: Deferred[None] = Deferred(lambda _: self.dropConnection(abort=True))

    def onOpen(self) -> None:
        self._is_open = True
        self.opened.callback(None)

    def onMessage(self, payload: bytes, is_binary: bool) -> None:
        if is_binary:
            self.sendClose(self.CLOSE_STATUS_CODE_UNSUPPORTED_DATA)
        else:
            self.factory.on_text(payload.decode())

    def onClose(self, was_clean: bool, code: int | None, reason: str | None) -> None:
        text = reason or ("closed" if was_clean else "connection lost")
        if self._is_open:
            self.factory.on_lost(text)
        elif not self.opened.called:
            self.opened.errback(LinkRefusedError(text))

    def send(self, text: str) -> None:
        self.sendMessage(text.encode())

    def close(self) -> None:
        self.sendClose(self.CLOSE_STATUS_CODE_NORMAL)


class _LinkFactory(WebSocketClientFactory):
    protocol = _LinkProtocol  # type: ignore[assignment]  # Twisted declares a function here
    noisy = False
    on_text: Callable[[str], Any]
    on_lost: Callable[[str], Any]
