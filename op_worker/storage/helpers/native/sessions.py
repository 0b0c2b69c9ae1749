"""What a C library does for a storage, in the words of POSIX. Everything here blocks, in a thread of a pool.

Paths are absolute from the root of the storage, in bytes, without ``.`` and ``..``; ``/`` is the root.
Errors are ``OSError`` with an errno, and ``Lost``. Symbolic links are refused: ELOOP or ENOTDIR.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from attrs import frozen

from op_worker.storage.helper import Capacity, Scanned, StorageStat

Handle = Any
"""An open file or directory, as the library has it."""


class Lost(OSError):
    """The server does not answer, or refused to let us in; later it may."""


@frozen
class User:
    """As whom the storage is used."""

    uid: int
    gid: int

    @classmethod
    def of(cls, credentials: Mapping[str, str]) -> User:
        """Read the credentials of a storage; a ``gid`` of -1 is the group of this process."""
        gid = int(credentials["gid"])
        return cls(int(credentials["uid"]), gid if gid >= 0 else os.getegid())


class Session(Protocol):
    """A connection for as long as one job takes, as one user."""

    def open(self, path: bytes, flags: int) -> Handle:
        """Open an existing file, whatever kind it is."""

    def create(self, path: bytes, mode: int) -> Handle:
        """Make a file and open it for reading and writing. EEXIST when there is anything."""

    def close(self, handle: Handle) -> None: ...

    def pread(self, handle: Handle, offset_b: int, size_b: int) -> bytes:
        """Empty only at the end of the file."""

    def pwrite(self, handle: Handle, offset_b: int, data: memoryview) -> int:
        """Return how many bytes were taken, at least one."""

    def forget_cached(self, handle: Handle) -> None:
        """Let the next read ask the server, whatever was read ahead."""

    def fstat(self, handle: Handle) -> StorageStat: ...

    def ftruncate(self, handle: Handle, size_b: int) -> None: ...

    def fsync(self, handle: Handle) -> None: ...

    def lstat(self, path: bytes) -> StorageStat: ...

    def mkdir(self, path: bytes, mode: int) -> None: ...

    def rmdir(self, path: bytes) -> None: ...

    def unlink(self, path: bytes) -> None: ...

    def rename(self, source: bytes, target: bytes) -> None: ...

    def link(self, source: bytes, target: bytes) -> None: ...

    def chmod(self, path: bytes, mode: int) -> None: ...

    def chown(self, path: bytes, uid: int, gid: int) -> None: ...

    def open_directory(self, path: bytes) -> Handle: ...

    def read_directory(self, handle: Handle, most: int) -> Sequence[Scanned]:
        """Return the next names, at most so many; none at the end. ``.`` and ``..`` are left out."""

    def close_directory(self, handle: Handle) -> None: ...

    def capacity(self) -> Capacity: ...


class Sessions(Protocol):
    """The connections to one storage, opened when they are needed."""

    def session(self, user: User) -> AbstractContextManager[Session]:
        """Give a session to the calling thread. Raises: Lost."""

    def close(self) -> None:
        """Let all connections go; no session is in use. Does not block."""
