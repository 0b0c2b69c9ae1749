"""Bodies that move in pieces, with a bound on what may wait in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred


class ByteStream(Protocol):
    """A source of bytes that the consumer pulls."""

    async def read(self) -> bytes:
        """Return the next piece, ``b""`` at the end (again and again).

        Raises:
            StreamBroken: the source ended before its announced end.
        """


class StreamBroken(Exception):
    """The sender went away, or sent less or other than it announced."""


class BytesStream:
    """A stream over bytes that are in memory already."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self) -> bytes:
        data, self._data = self._data, b""
        return data


class BoundedStream:
    """A stream that a producer pushes into and one consumer pulls from.

    When more than ``high_b`` bytes wait, ``pause`` is called; when the consumer has drained them
    to ``low_b`` or less, ``resume`` is. Both may be called from within ``push`` and ``read``.
    """

    def __init__(
        self,
        pause: Callable[[], None],
        resume: Callable[[], None],
        *,
        high_b: int = 262144,
        low_b: int = 65536,
    ) -> None:
        self._pause, self._resume = pause, resume
        self._high_b, self._low_b = high_b, low_b
        self._pieces: deque[bytes] = deque()
        self._waiting_b = 0
        self._paused = False
        self._ended = False
        self._broken: Exception | None = None
        self._reader: Deferred[None] | None = None

    def push(self, data: bytes) -> None:
        """Add a piece. Pieces that come after ``end`` or ``fail`` are dropped."""
        if self._ended or self._broken is not None or not data:
            return
        self._pieces.append(data)
        self._waiting_b += len(data)
        if self._waiting_b > self._high_b and not self._paused:
            self._paused = True
            self._pause()
        self._wake()

    def end(self) -> None:
        """No more pieces will come; the reader gets what waits, then ``b""``."""
        self._ended = True
        self._wake()

    def fail(self, reason: Exception) -> None:
        """The source broke; what waits is dropped and the reader gets ``reason``."""
        if not self._ended and self._broken is None:
            self._broken = reason
            self._pieces.clear()
            self._waiting_b = 0
            self._wake()

    async def read(self) -> bytes:
        """Return the next piece or ``b""`` at the end. One reader at a time."""
        while not self._pieces:
            if self._broken is not None:
                raise self._broken
            if self._ended:
                return b""
            self._reader = Deferred(self._forget_reader)
            await self._reader
        piece = self._pieces.popleft()
        self._waiting_b -= len(piece)
        if self._paused and self._waiting_b <= self._low_b:
            self._paused = False
            self._resume()
        return piece

    def _forget_reader(self, _: Deferred[None]) -> None:
        self._reader = None

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.callback(None)


async def read_all(stream: ByteStream, limit_b: int) -> bytes | None:
    """Collect a small body; ``None`` when it is longer than ``limit_b`` bytes."""
    pieces: list[bytes] = []
    size_b = 0
    while piece := await stream.read():
        size_b += len(piece)
        if size_b > limit_b:
            return None
        pieces.append(piece)
    return b"".join(pieces)
