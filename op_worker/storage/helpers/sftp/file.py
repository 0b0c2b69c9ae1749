"""An open file of an SFTP server: the server keeps it, whatever becomes of its path."""

from __future__ import annotations

import errno
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, FirstError, gatherResults

from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.helpers.sftp.channel import SftpChannel
from op_worker.storage.helpers.sftp.failures import Refused, failure
from op_worker.storage.helpers.sftp.packets import Attributes, Kind, Packet, Reader, Status, text
from op_worker.storage.helpers.sftp.tree import Tree, asked

R = TypeVar("R")

PIECE_B = 32 * 1024
"""What every server takes and gives in one request."""
MOST_AT_ONCE = 64
"""So many requests of one read or write are under way at a time."""
_SYNC = b"fsync@openssh.com"


class SftpFile:
    """See ``StorageFile``. When its connection is lost, so is the file: ESTALE; it has to be opened anew."""

    def __init__(self, tree: Tree, session: SftpChannel, path: StoragePath, handle: bytes) -> None:
        self._tree, self._session, self._path = tree, session, path
        self._handle = text(handle)
        self._is_closed = False
        tree.sessions.entered()

    async def read(self, offset_b: int, size_b: int) -> bytes:
        step_b, found = PIECE_B * MOST_AT_ONCE, []
        for start_b in range(0, size_b, step_b):
            wanted_b = min(step_b, size_b - start_b)
            data = await self._read(offset_b + start_b, wanted_b)
            found.append(data)
            if len(data) < wanted_b:
                break
        return found[0] if len(found) == 1 else b"".join(found)

    async def write(self, offset_b: int, data: bytes) -> None:
        step_b = PIECE_B * MOST_AT_ONCE
        for start_b in range(0, len(data), step_b):
            ends = range(start_b, min(start_b + step_b, len(data)), PIECE_B)
            await self._together(
                [(Kind.WRITE, _at(offset_b + at) + text(data[at : at + PIECE_B])) for at in ends]
            )
        if not data:
            self._require_open()

    async def size(self) -> int:
        return (await self.attributes()).size_b or 0

    async def size_and_first(self, size_b: int) -> tuple[int, bytes]:
        """Return the size and the first ``size_b`` bytes, asked for at once."""
        asked_size = Deferred.fromCoroutine(self.size())
        try:
            first = await self.read(0, size_b)
        except BaseException:
            asked_size.addErrback(lambda _: None)
            asked_size.cancel()
            raise
        return await asked_size, first

    async def attributes(self) -> Attributes:
        """Return what the server says of the open file."""
        return Reader((await self._ask(Kind.FSTAT, b"")).body).attributes()

    async def truncate(self, size_b: int) -> None:
        await self._ask(Kind.FSETSTAT, Attributes(size_b=size_b).encode())

    async def set_mode(self, mode: int) -> None:
        """Give the file permission bits, whatever the mask of the server is."""
        await self._ask(Kind.FSETSTAT, Attributes(mode=mode).encode())

    async def sync(self) -> None:
        self._require_open()
        if _SYNC in self._session.extensions:
            try:
                await self._asked(Kind.EXTENDED, text(_SYNC) + self._handle)
            except Refused as refused:
                raise failure(refused, self._path) from refused

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._session.is_open:
                await self._asked(Kind.CLOSE, self._handle)
        except Refused as refused:
            raise await self._tree.write_failure(refused, self._path) from refused
        finally:
            self._tree.sessions.left()

    async def _read(self, offset_b: int, size_b: int) -> bytes:
        """Read with requests side by side; a server may give less than a piece, so ask again for its rest."""
        starts = range(offset_b, offset_b + size_b, PIECE_B)
        end_b = offset_b + size_b
        pieces = await self._gathered([self._piece(at, min(PIECE_B, end_b - at)) for at in starts])
        whole = bytearray()
        for piece in pieces:
            whole += piece
            if len(piece) < PIECE_B:
                break  # the end of the file
        return bytes(whole)

    async def _piece(self, offset_b: int, size_b: int) -> bytes:
        found = b""
        while len(found) < size_b:
            wanted_b = size_b - len(found)
            body = _at(offset_b + len(found)) + wanted_b.to_bytes(4, "big")
            try:
                data = Reader((await self._asked(Kind.READ, self._handle + body)).body).text()
            except Refused as refused:
                if refused.code == Status.EOF:
                    break
                raise failure(refused, self._path) from refused
            if not data or len(data) > wanted_b:
                raise StorageError(
                    errno.EIO, self._path, f"the server sends {len(data)} bytes for {wanted_b}"
                )
            found = found + data if found else data
        return found

    async def _together(self, requests: Sequence[tuple[Kind, bytes]]) -> None:
        await self._gathered([self._ask(kind, body) for kind, body in requests])

    async def _gathered(self, works: Sequence[Coroutine[Any, Any, R]]) -> list[R]:
        """Wait for all; the first failure is told, and the rest is waited for no more."""
        waiting = [Deferred.fromCoroutine(work) for work in works]
        try:
            return await gatherResults(waiting, consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()
            raise

    async def _ask(self, kind: Kind, body: bytes) -> Packet:
        try:
            return await self._asked(kind, self._handle + body)
        except Refused as refused:
            raise await self._tree.write_failure(refused, self._path) from refused

    async def _asked(self, kind: Kind, body: bytes) -> Packet:
        if kind is not Kind.CLOSE:
            self._require_open()
        return await asked(self._session, self._path, kind, body)

    def _require_open(self) -> None:
        if self._is_closed:
            raise StorageError(errno.EBADF, self._path, "the file is closed")
        if not self._session.is_open:
            raise StorageError(errno.ESTALE, self._path, "the connection that the file was open on is lost")


def _at(offset_b: int) -> bytes:
    return offset_b.to_bytes(8, "big")
