"""The Twisted shell of a link: bytes in, effects out, nothing decided here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from twisted.internet.interfaces import IAddress, IHandshakeListener, IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from cluster_worker.wire.conversation import Expectation, Side, State
from cluster_worker.wire.errors import BadFrame
from cluster_worker.wire.frames import FRAME_LIMIT_B, GREETING_FRAME_LIMIT_B, FrameDecoder
from cluster_worker.wire.handlers import LinkParts, LinkTransport
from cluster_worker.wire.link import Link
from cluster_worker.wire.tls import BadCredentials

Identify = Callable[[object], str]
"""Gives the node that a transport's peer has proven to be. Raises: BadCredentials."""


@implementer(IHandshakeListener, IPushProducer)
class LinkProtocol(Protocol):
    """Joins a transport and a ``Link``. The greeting begins when TLS has ended its handshake."""

    def __init__(self, link: Link, identify: Identify) -> None:
        self.link = link
        self._identify = identify
        self._decoder = FrameDecoder(GREETING_FRAME_LIMIT_B)

    def connectionMade(self) -> None:
        transport = cast(LinkTransport, self.transport)
        transport.setTcpNoDelay(True)  # or a notice waits for the acknowledgement of the one before
        transport.registerProducer(self, True)
        self.link.attached(transport)

    def handshakeCompleted(self) -> None:
        try:
            identity = self._identify(self.transport)
        except BadCredentials as problem:
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
                if conversation.state is State.OPEN:
                    decoder.limit_b = FRAME_LIMIT_B
        except BadFrame as problem:
            link.drop(f"bad frame: {problem}")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.link.detached(reason.getErrorMessage())

    def pauseProducing(self) -> None:
        self.link.congested(True)

    def resumeProducing(self) -> None:
        self.link.congested(False)

    def stopProducing(self) -> None:
        """The transport is gone; ``connectionLost`` follows and says why."""


class LinkFactory(Factory):
    """Makes the protocol of each new connection, in and out."""

    noisy = False

    def __init__(self, parts: LinkParts, expectation: Expectation, side: Side, identify: Identify) -> None:
        self._make_link = partial(Link, parts, expectation, side)
        self._identify = identify

    def buildProtocol(self, addr: IAddress | None) -> LinkProtocol:
        return LinkProtocol(self._make_link(), self._identify)
