"""An SFTP session inside an SSH connection: requests, of which many may wait for their answers at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.conch.ssh.channel import SSHChannel
from twisted.conch.ssh.common import NS
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IReactorTime

from op_worker.storage.helpers.sftp.failures import refusal
from op_worker.storage.helpers.sftp.packets import (
    VERSION,
    BadPacketError,
    Framing,
    Kind,
    Packet,
    encoded,
    extensions,
)

_WINDOW_B = 4 * 1024 * 1024
_MOST_DATA_B = 64 * 1024


class SftpChannel(SSHChannel):
    """Sends requests and matches answers; when it closes, all that waits fails with ConnectionLost.

    Attributes:
        ready: fires with this channel when the server has told its version, and fails when it never will.
        extensions: what the server offers besides.
    """

    name = b"session"

    def __init__(self, clock: IReactorTime, timeout_s: float) -> None:
        super().__init__(localWindow=_WINDOW_B, localMaxPacket=_MOST_DATA_B)
        self.ready: Deferred[SftpChannel] = Deferred()
        self.extensions: Mapping[bytes, bytes] = {}
        self._clock, self._timeout_s = clock, timeout_s
        self._framing = Framing()
        self._waiting: dict[int, Deferred[Packet]] = {}
        self._next = 1
        self.is_open = False

    @property
    def waiting(self) -> int:
        """How many requests have no answer yet."""
        return len(self._waiting)

    async def ask(self, kind: Kind, body: bytes) -> Packet:
        """Send a request and return its answer. Raises: Refused; ConnectionLost; TimeoutError."""
        if not self.is_open:
            raise ConnectionLost()
        number, self._next = self._next, (self._next + 1) % 2**32
        answer: Deferred[Packet] = Deferred()
        self._waiting[number] = answer
        self.write(encoded(Packet(kind, number, body)))
        found = await answer.addTimeout(self._timeout_s, self._clock)
        if found.kind == Kind.STATUS:
            refused = refusal(found.body)
            if refused is not None:
                raise refused
        return found

    def channelOpen(self, specificData: bytes) -> None:  # noqa: N803 - Twisted's name
        assert self.conn is not None  # it opened this channel
        asked: Deferred[Any] = self.conn.sendRequest(self, b"subsystem", NS(b"sftp"), wantReply=True)
        asked.addCallbacks(self._begin, self.openFailed)

    def hang_up(self) -> None:
        """End the connection that this session is in."""
        transport = None if self.conn is None else self.conn.transport
        if transport is not None:
            transport.loseConnection()

    def openFailed(self, reason: Any) -> None:
        self._end()

    def dataReceived(self, data: bytes) -> None:
        try:
            packets = self._framing.feed(data)
            for packet in packets:
                self._received(packet)
        except BadPacketError:
            self.hang_up()

    def closed(self) -> None:
        self._end()

    def _begin(self, _: object) -> None:
        self.write(encoded(Packet(Kind.INIT, VERSION, b"")))

    def _received(self, packet: Packet) -> None:
        if packet.kind == Kind.VERSION:
            self.extensions, self.is_open = extensions(packet.body), True
            if not self.ready.called:
                self.ready.callback(self)
            return
        waiting = self._waiting.pop(packet.number, None)
        if waiting is not None and not waiting.called:  # else nobody wants it any more
            waiting.callback(packet)

    def _end(self) -> None:
        self.is_open = False
        waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            if not each.called:
                each.errback(ConnectionLost())
        if not self.ready.called:
            self.ready.errback(ConnectionLost("the server has no SFTP"))
