"""Bodies of requests: of bytes that are there, and of bytes that come while the request is sent."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from zope.interface import implementer

PIECE_B = 256 * 1024


class UploadBroken(Exception):
    """The body will not come to its end."""


@implementer(IBodyProducer)
class WholeBody:
    """A body of bytes that are there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.length = len(data)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._data)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Everything was given at once."""

    def resumeProducing(self) -> None:
        """Everything was given at once."""

    def stopProducing(self) -> None:
        """Everything was given at once."""


@implementer(IBodyProducer)
class GrowingBody:
    """A body that is written while it is sent; a write returns when the connection takes more.

    One writer at a time. ``end`` completes the request, ``fail`` breaks its connection.
    """

    length = UNKNOWN_LENGTH

    def __init__(self) -> None:
        self._consumer: IConsumer | None = None
        self._ended: Deferred[None] = Deferred()
        self._waiting: Deferred[None] | None = None
        self._is_paused = True
        self._is_over = False

    async def write(self, data: bytes) -> None:
        """Send ``data``; a little of it may wait in memory when this returns. Raises: UploadBroken."""
        for start in range(0, len(data), PIECE_B):
            await self._flowing()
            if self._consumer is None:
                raise UploadBroken
            self._consumer.write(data[start : start + PIECE_B] if len(data) > PIECE_B else data)

    def end(self) -> None:
        """There is no more. Does nothing when the request is over."""
        if not self._is_over:
            self._is_over = True
            self._ended.callback(None)

    def fail(self) -> None:
        """Break the request, so that the server cannot take what came for the whole."""
        if not self._is_over:
            self._is_over = True
            self._ended.errback(UploadBroken())

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        self._consumer = consumer
        self.resumeProducing()
        return self._ended

    def pauseProducing(self) -> None:
        self._is_paused = True

    def resumeProducing(self) -> None:
        self._is_paused = False
        self._wake()

    def stopProducing(self) -> None:
        """The connection is gone, or the request was never made."""
        self._consumer, self._is_over = None, True
        self._is_paused = False
        self._wake()

    async def _flowing(self) -> None:
        while self._is_paused:
            self._waiting = Deferred(self._forget)
            await self._waiting

    def _forget(self, _: Deferred[None]) -> None:
        self._waiting = None

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)
