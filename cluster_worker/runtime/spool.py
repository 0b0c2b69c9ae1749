"""Bodies that must wait until more is known: short ones in memory, long ones in a file without a name."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from threading import Lock
from typing import IO

from attrs import frozen

from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import Errno, Posix

MEMORY_B = 1024 * 1024
"""How much of a body waits in memory; also how much is written at once."""
PIECE_B = 256 * 1024
"""How much is read back at once."""
RESERVE_B = 1024 * 1024 * 1024
"""How much of the disk is never taken by waiting bodies: the daemon's own state lies there too."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@frozen
class Spools:
    """Where bodies wait. ``folder`` is made by somebody else; ``None`` means the system's own one."""

    folder: Path | None
    blocking: Blocking
    memory_b: int = MEMORY_B
    reserve_b: int = RESERVE_B

    def new(self) -> Spool:
        """Return an empty spool."""
        return Spool(self)


class Spool:
    """Bytes that are written once and then read, from the beginning, as often as wanted.

    An asynchronous context manager: when it is left, whatever happened, nothing of it remains. The file
    has no name, so that it is gone when the process is.
    """

    def __init__(self, spools: Spools) -> None:
        self._spools = spools
        self._waiting: list[bytes] = []
        self._waiting_b = 0
        self._file = _File(spools)
        self.size_b = 0

    async def __aenter__(self) -> Spool:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._waiting = []
        await self._file.close()

    async def write(self, data: bytes) -> None:
        """Add bytes at the end.

        Raises:
            Posix: ENOSPC when the disk is too full, EIO when it fails.
        """
        self._waiting.append(data)
        self._waiting_b += len(data)
        self.size_b += len(data)
        if self._waiting_b > self._spools.memory_b:
            pieces, self._waiting, self._waiting_b = self._waiting, [], 0
            await self._file.write(b"".join(pieces))

    async def fill(self, stream: ByteStream, limit_b: int | None = None) -> bool:
        """Add a whole body. Return whether it ended within ``limit_b`` bytes; what is longer is not read on.

        Raises: as ``write``; StreamBroken.
        """
        while data := await stream.read():
            if limit_b is not None and self.size_b + len(data) > limit_b:
                return False
            await self.write(data)
        return True

    def stream(self) -> ByteStream:
        """Return the bytes from the beginning; to be read before the spool is left and written no more."""
        return _SpoolStream(self._file, b"".join(self._waiting))


class _SpoolStream:
    def __init__(self, file: _File, rest: bytes) -> None:
        self._file, self._rest = file, rest
        self._at_b = 0

    async def read(self) -> bytes:
        """Return the next piece. Raises Posix(EIO)."""
        if self._at_b < self._file.size_b:
            data = await self._file.read(self._at_b, PIECE_B)
            self._at_b += len(data)
            return data
        rest, self._rest = self._rest, b""
        return rest


class _File:
    """A file without a name, made when something is written. A lock keeps its end apart from calls of
    cancelled waits, which still run in a thread."""

    def __init__(self, spools: Spools) -> None:
        self._spools = spools
        self._file: IO[bytes] | None = None
        self._is_closed, self._lock = False, Lock()
        self.size_b = 0

    async def write(self, data: bytes) -> None:
        offset_b = self.size_b
        self.size_b += len(data)
        await self._spools.blocking.run(self._write, offset_b, data)

    async def read(self, offset_b: int, size_b: int) -> bytes:
        return await self._spools.blocking.run(self._read, offset_b, size_b)

    async def close(self) -> None:
        if self.size_b:
            await self._spools.blocking.run(self._close)

    def _write(self, offset_b: int, data: bytes) -> None:
        """In a thread."""
        with self._lock:
            if self._is_closed:
                return
            try:
                if self._file is None:
                    self._file = tempfile.TemporaryFile(buffering=0, dir=self._spools.folder)
                self._require_room(self._file.fileno(), len(data))
                view = memoryview(data)
                while view:
                    written_b = os.pwrite(self._file.fileno(), view, offset_b)
                    offset_b, view = offset_b + written_b, view[written_b:]
            except OSError as error:
                raise _typed(error) from None

    def _require_room(self, descriptor: int, size_b: int) -> None:
        state = os.fstatvfs(descriptor)
        if state.f_bavail * state.f_frsize < self._spools.reserve_b + size_b:
            raise OSError(errno.ENOSPC, "the disk is nearly full")

    def _read(self, offset_b: int, size_b: int) -> bytes:
        """In a thread."""
        with self._lock:
            data = b""
            try:
                if self._file is not None and not self._is_closed:
                    data = os.pread(self._file.fileno(), size_b, offset_b)
            except OSError as error:
                raise _typed(error) from None
            if not data:
                raise Posix(Errno.EIO, "a waiting body cannot be read back")
            return data

    def _close(self) -> None:
        """In a thread."""
        with self._lock:
            self._is_closed = True
            if self._file is not None:
                self._file.close()


def _typed(error: OSError) -> Posix:
    if error.errno in _FULL:
        return Posix(Errno.ENOSPC, "no room for a body that must wait")
    return Posix(Errno.EIO, "a waiting body cannot be stored")
