"""The body of an answer, read as fast as its reader wants."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from cluster_worker.runtime.streams import BoundedStream, StreamBroken


class Receiving(Protocol):
    """Takes a body from its connection and pauses it while too much waits to be read.

    Args:
        timeout_s: so long may the server be silent before a read fails.
    """

    def __init__(self, clock: IReactorTime, timeout_s: float) -> None:
        self._clock, self._timeout_s = clock, timeout_s
        self._stream = BoundedStream(self._pause, self._resume)
        self._is_over = False

    def dataReceived(self, data: bytes) -> None:
        self._stream.push(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._is_over = True
        if reason.check(ResponseDone, PotentialDataLoss):  # readers know how much there has to be
            self._stream.end()
        else:
            broken = StreamBroken("the answer broke off")
            broken.__cause__ = reason.value
            self._stream.fail(broken)

    async def read(self) -> bytes:
        """Return the next piece, ``b""`` at the end. Raises: StreamBroken; TimeoutError."""
        return await Deferred.fromCoroutine(self._stream.read()).addTimeout(self._timeout_s, self._clock)

    async def skip(self, limit_b: int) -> None:
        """Read to the end and forget it; no further than ``limit_b``."""
        while limit_b > 0 and (piece := await self.read()):
            limit_b -= len(piece)

    def let_go(self) -> None:
        """Have no more of it: a body that has not ended takes its connection with it."""
        if not self._is_over and self.transport is not None:
            self.transport.loseConnection()
            self._resume()

    def _pause(self) -> None:
        if self.transport is not None and not self._is_over:
            self.transport.pauseProducing()  # type: ignore[attr-defined]

    def _resume(self) -> None:
        if self.transport is not None and not self._is_over:
            self.transport.resumeProducing()  # type: ignore[attr-defined]
