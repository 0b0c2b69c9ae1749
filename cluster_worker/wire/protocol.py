"""The Twisted shell of a link: bytes in, effects out, nothing decided here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from OpenSSL import SSL
from twisted.internet.interfaces import (
    IAddress,
    IHandshakeListener,
    IProtocolFactory,
    IPushProducer,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from cluster_worker.wire.conversation import Expectation, Side, State
from cluster_worker.wire.errors import BadFrame, FrameTooLarge
from cluster_worker.wire.frames import FRAME_LIMIT_B, GREETING_FRAME_LIMIT_B, FrameDecoder
from cluster_worker.wire.half_open import HalfOpen
from cluster_worker.wire.handlers import LinkParts, LinkTransport
from cluster_worker.wire.link import Link
from cluster_worker.wire.refusals import Reason
from cluster_worker.wire.tls import BadCredentials

Identify = Callable[[object], str]
"""Gives the node that a transport's peer has proven to be. Raises: BadCredentials."""


def _nothing() -> None:
    """Nobody counts connections that this end has opened."""


@implementer(IHandshakeListener, IPushProducer)
class LinkProtocol(Protocol):
    """Joins a transport and a ``Link``. The greeting begins when TLS has ended its handshake.

    Args:
        address: of the peer, for the log.
        greeted: called once, when the link is open or has ended without.
    """

    def __init__(
        self,
        link: Link,
        identify: Identify,
        address: str = "?",
        greeted: Callable[[], None] = _nothing,
    ) -> None:
        self.link = link
        self._identify, self._address, self._greeted = identify, address, greeted
        self._is_secure = self._has_greeted = False
        self._decoder = FrameDecoder(GREETING_FRAME_LIMIT_B)

    def connectionMade(self) -> None:
        transport = cast(LinkTransport, self.transport)
        transport.setTcpNoDelay(True)  # or a notice waits for the acknowledgement of the one before
        transport.registerProducer(self, True)
        self.link.attached(transport, self._address)

    def handshakeCompleted(self) -> None:
        self._is_secure = True
        try:
            identity = self._identify(self.transport)
        except BadCredentials as problem:
            self.link.refuse(Reason.IDENTITY, str(problem))
            self.link.drop(str(problem))
        else:
            self.link.perform(self.link.conversation.start(identity))

    def dataReceived(self, data: bytes) -> None:
        link, conversation, decoder = self.link, self.link.conversation, self._decoder
        link.heard()
        decoder.feed(data)
        try:
            while conversation.state is not State.CLOSED and (frame := decoder.next_frame()) is not None:
                link.perform(conversation.receive(frame))
                if conversation.state is State.OPEN and not self._has_greeted:
                    decoder.limit_b = FRAME_LIMIT_B
                    self._end_greeting()
        except BadFrame as problem:
            link.refuse(
                Reason.OVERSIZED if isinstance(problem, FrameTooLarge) else Reason.BAD_FRAME, str(problem)
            )
            link.drop(f"bad frame: {problem}")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self._is_secure and reason.check(SSL.Error):
            self.link.refuse(Reason.TLS, reason.getErrorMessage())
        if not self._has_greeted:
            self._end_greeting()
        self.link.detached(reason.getErrorMessage())

    def pauseProducing(self) -> None:
        self.link.congested(True)

    def resumeProducing(self) -> None:
        self.link.congested(False)

    def stopProducing(self) -> None:
        """The transport is gone; ``connectionLost`` follows and says why."""

    def _end_greeting(self) -> None:
        self._has_greeted = True
        self._greeted()


class LinkFactory(Factory):
    """Makes the protocol of each new connection, in and out."""

    noisy = False

    def __init__(
        self,
        parts: LinkParts,
        expectation: Expectation,
        side: Side,
        identify: Identify,
        half_open: HalfOpen | None = None,
    ) -> None:
        self._make_link = partial(Link, parts, expectation, side)
        self._identify, self._half_open = identify, half_open

    def buildProtocol(self, addr: IAddress | None) -> LinkProtocol:
        address = host_of(addr)
        greeted = _nothing if self._half_open is None else partial(self._half_open.leave, address)
        return LinkProtocol(self._make_link(), self._identify, address, greeted)


class Gate(Factory):
    """Closes connections at once while too many have not greeted yet; others reach ``secured``.

    It stands before TLS, so that a flood costs no handshake.

    Args:
        secured: the factory of secured links, whose ``LinkFactory`` has the same ``half_open``.
    """

    noisy = False

    def __init__(self, secured: IProtocolFactory, half_open: HalfOpen, parts: LinkParts) -> None:
        self._secured, self._half_open, self._refusals = secured, half_open, parts.refusals

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        address = host_of(addr)
        if not self._half_open.enter(address):
            self._refusals.count(Reason.HALF_OPEN, address, "too many connections without a greeting")
            return None
        return cast(Protocol, self._secured.buildProtocol(addr))  # type: ignore[arg-type]  # there is one


def host_of(address: IAddress | None) -> str:
    """The host of an address, for counting."""
    return str(getattr(address, "host", "?"))
