"""The body of one request, pulled by its handler, pushed by the channel, bounded in between."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import Deferred

from cluster_worker.runtime.streams import StreamBroken


class BodyGate(Protocol):
    """What a body needs from the connection that it arrives on."""

    def pause_body(self) -> None:
        """Read no more from the client for now."""

    def resume_body(self) -> None:
        """Read from the client again."""

    def send_continue(self) -> None:
        """Tell the client that its body is wanted (``100 Continue``)."""


class EmptyBody:
    """The body of a request that has none."""

    is_complete = True
    wants_continue = False
    received_b = 0

    async def read(self) -> bytes:
        return b""


EMPTY_BODY = EmptyBody()


class RequestBody:
    """A ``ByteStream`` with back-pressure onto the socket.

    A read gives at least ``piece_b`` bytes unless the body ends before; the socket is paused while more
    than ``waiting_b`` bytes wait. One reader at a time.
    """

    def __init__(
        self, gate: BodyGate, announced_b: int | None, piece_b: int, waiting_b: int, wants_continue: bool
    ) -> None:
        self._gate = gate
        self._announced_b = announced_b
        self._piece_b, self._high_b = piece_b, waiting_b
        self.wants_continue = wants_continue
        self.received_b = 0
        self.is_complete = False
        self._pieces: list[bytes] = []
        self._waiting_b = 0
        self._paused = self._discarding = False
        self._broken: StreamBroken | None = None
        self._reader: Deferred[None] | None = None

    @property
    def missing_b(self) -> int | None:
        """How many announced bytes have not arrived; ``None`` when the length was not announced."""
        return None if self._announced_b is None else self._announced_b - self.received_b

    async def read(self) -> bytes:
        """Return the next piece or ``b""`` at the end. The first read asks a waiting client to send.

        Raises:
            StreamBroken: the client went away, stalled, or sent what is not a body.
        """
        if self.wants_continue:
            self.wants_continue = False
            if not self.received_b:
                self._gate.send_continue()
        while self._waiting_b < self._piece_b and not self.is_complete:
            if self._broken is not None:
                raise self._broken
            self._reader = Deferred(self._forget_reader)
            await self._reader
        return self._take()

    def push(self, data: bytes) -> None:
        """Add what the client sent."""
        self.received_b += len(data)
        if self._discarding:
            return
        self._pieces.append(data)
        self._waiting_b += len(data)
        if self._waiting_b > self._high_b and not self._paused:
            self._paused = True
            self._gate.pause_body()
        if self._waiting_b >= self._piece_b:
            self._wake()

    def end(self) -> None:
        """The whole body is in."""
        if self._broken is None:
            self.is_complete = True
            self._wake()

    def fail(self, reason: StreamBroken) -> None:
        """The body will not be completed; the reader gets ``reason`` after nothing more."""
        if not self.is_complete and self._broken is None:
            self._broken = reason
            self._pieces.clear()
            self._waiting_b = 0
            self._wake()

    def discard(self) -> None:
        """Nobody will read the rest: drop it as it comes."""
        self._discarding = True
        self._take()

    def _take(self) -> bytes:
        data = b"".join(self._pieces) if len(self._pieces) != 1 else self._pieces[0]
        self._pieces.clear()
        self._waiting_b = 0
        if self._paused:
            self._paused = False
            self._gate.resume_body()
        return data

    def _forget_reader(self, _: Deferred[None]) -> None:
        self._reader = None

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.callback(None)
