"""Receiving the dump of one server into a file.

Files are written in the reactor's thread: a backup has a process of its own, and a slow disk is to slow the
server's sending down.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IReactorTime,
    IStreamClientEndpoint,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from cluster_worker.persistence.address import RedisAddress
from cluster_worker.persistence.backup.errors import DumpBroken
from cluster_worker.persistence.backup.sync_stream import (
    ASK_FOR_DUMP,
    Command,
    SyncStream,
)

_SILENT_S = 60.0


@frozen
class Dump:
    """What was received."""

    size_b: int
    sha256: str
    history: str


async def receive_dump(
    clock: IReactorTime,
    endpoint: IStreamClientEndpoint,
    address: RedisAddress,
    path: Path,
    progress: Callable[[int], None],
) -> Dump:
    """Ask a server for everything it has at one moment, and write that to ``path``; it is on the disk then.

    Args:
        progress: called with the number of bytes that came.

    Raises: DumpBroken; OSError.
    """
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        receiver = _Receiver(clock, [*_log_in(address), *ASK_FOR_DUMP], file, progress)
        try:
            await endpoint.connect(_One(receiver))
        except ConnectError as exc:
            raise DumpBroken(f"{address}: {exc}") from exc
        dump = await receiver.ended
        file.flush()
        os.fsync(file.fileno())
    return dump


def _log_in(address: RedisAddress) -> list[Command]:
    if address.password is None:
        return []
    user = [] if address.username is None else [address.username.encode()]
    return [Command((b"AUTH", *user, address.password.encode()))]


class _Receiver(Protocol):
    """Writes what comes; ``ended`` fires with the dump, or fails."""

    transport: ITCPTransport

    def __init__(
        self, clock: IReactorTime, commands: list[Command], file: BinaryIO, progress: Callable[[int], None]
    ) -> None:
        self.ended: Deferred[Dump] = Deferred(lambda _: self.transport.abortConnection())
        self._clock, self._file, self._progress = clock, file, progress
        self._stream = SyncStream(commands)
        self._sum = sha256()
        self._size_b = 0
        self._silence: IDelayedCall | None = None

    def connectionMade(self) -> None:
        self._silence = self._clock.callLater(_SILENT_S, self._fail, f"nothing came for {_SILENT_S:.0f} s")
        self.transport.write(self._stream.take_request())

    def dataReceived(self, data: bytes) -> None:
        if self.ended.called:
            return
        if self._silence is not None:
            self._silence.reset(_SILENT_S)
        try:
            piece = self._stream.feed(data)
            self._file.write(piece)
        except (DumpBroken, OSError) as exc:
            self._fail(str(exc))
            return
        self.transport.write(self._stream.take_request())
        self._sum.update(piece)
        self._size_b += len(piece)
        self._progress(self._size_b)
        if self._stream.is_done:
            self.ended.callback(Dump(self._size_b, self._sum.hexdigest(), self._stream.history))
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._silence is not None and self._silence.active():
            self._silence.cancel()
        self._fail("the server ended the connection")

    def _fail(self, reason: str) -> None:
        if not self.ended.called:
            self.ended.errback(DumpBroken(reason))
            self.transport.abortConnection()


class _One(Factory):
    """Builds the one protocol it was given."""

    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return self._protocol
