"""The contract of a storage helper: a small required part, and named optional powers.

A storage path is relative to the storage's root: components joined by ``/``, no leading slash, no
``.`` or ``..``. Errors are ``StorageError``s with an errno; nothing here knows users or spaces.
"""

from __future__ import annotations

import errno as codes
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NewType, Protocol, runtime_checkable

from attrs import frozen

StoragePath = NewType("StoragePath", str)


class StorageError(Exception):
    """A storage refused or failed: the POSIX number, where, and the reason in the words of the storage."""

    def __init__(self, errno: int, path: str, reason: str = "") -> None:
        name = codes.errorcode.get(errno, str(errno))
        super().__init__(f"{name} at {path!r}{': ' + reason if reason else ''}")
        self.errno, self.path, self.reason = errno, path, reason


class StorageUnavailable(StorageError):
    """The storage cannot be reached or its root is missing; the caller may retry later."""


@frozen
class StorageStat:
    """What the storage says of a path. Times are seconds since the epoch; ``None`` is what it does not keep.

    ``is_other`` tells of what is neither a file nor a directory. ``tag`` is another after every change of the
    content, as an ETag is; empty when the storage has none.
    """

    size_b: int
    mtime_s: float
    is_directory: bool = False
    is_other: bool = False
    ctime_s: float | None = None
    atime_s: float | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    tag: str = ""


class StorageFile(Protocol):
    """An open file.

    It is the file that was opened, until it is closed: it stays readable and writable with the same bytes
    when its path, or a directory above, is renamed, replaced or removed meanwhile. A helper whose storage
    forgets removed files at once must keep them itself until the last handle is closed.
    """

    async def read(self, offset_b: int, size_b: int) -> bytes:
        """Return at most ``size_b`` bytes from ``offset_b``; shorter only at the end of the file."""

    async def write(self, offset_b: int, data: bytes) -> None:
        """Write all of ``data`` at ``offset_b``; a gap before it reads as zeros."""

    async def size(self) -> int:
        """Return the file's present size in bytes."""

    async def truncate(self, size_b: int) -> None:
        """Cut, or extend with zeros."""

    async def sync(self) -> None:
        """Return when what was written survives power loss, as far as the storage promises that."""

    async def close(self) -> None:
        """Give the handle back. Idempotent."""


class StorageHelper(Protocol):
    """What every helper can do.

    Removing, renaming and replacing never break a file that is open; see ``StorageFile``.
    """

    async def open_read(self, path: StoragePath) -> StorageFile:
        """Open an existing file. Raises StorageError(ENOENT)."""

    async def open_write(self, path: StoragePath) -> StorageFile:
        """Open for reading and writing; the file and its parent directories are made when missing."""

    async def open_update(self, path: StoragePath) -> StorageFile:
        """Open an existing file for reading and writing. Raises StorageError(ENOENT)."""

    async def remove(self, path: StoragePath) -> None:
        """Remove a file; removing a missing one succeeds."""

    async def stat(self, path: StoragePath) -> StorageStat:
        """Raises StorageError(ENOENT)."""

    async def check(self) -> None:
        """Raise StorageUnavailable when the storage cannot be used now."""


@frozen
class Opened:
    """An open file together with its first bytes; no handle when these are the whole file."""

    size_b: int
    first: bytes
    file: StorageFile | None


@runtime_checkable
class SupportsOpenWithFirst(Protocol):
    """The storage opens a file and reads its beginning in one go."""

    async def open_with_first(self, path: StoragePath, size_b: int) -> Opened:
        """Open an existing file and read its first ``size_b`` bytes. Raises StorageError(ENOENT)."""


@runtime_checkable
class SupportsRename(Protocol):
    """The storage moves files and whole directories without copying."""

    async def rename(self, source: StoragePath, target: StoragePath) -> None:
        """Move atomically; parents of ``target`` are made, a file at ``target`` is replaced.

        A directory replaces an empty directory. Raises: StorageError(ENOENT) when ``source`` is
        missing and only then; StorageError(ENOTEMPTY, EISDIR, ENOTDIR) when ``target`` is in the way.
        """


@runtime_checkable
class SupportsDirectories(Protocol):
    """The storage has directories of its own."""

    async def make_directory(self, path: StoragePath) -> None:
        """Make a directory and its parents; an existing one is fine."""

    async def remove_directory(self, path: StoragePath) -> None:
        """Remove an empty directory; a missing one is fine. Raises StorageError(ENOTEMPTY)."""

    async def list_directory(self, path: StoragePath) -> Sequence[str]:
        """Return the names in a directory, in any order. Raises StorageError(ENOENT)."""


@runtime_checkable
class SupportsModes(Protocol):
    """The storage keeps POSIX permission bits."""

    async def set_mode(self, path: StoragePath, mode: int) -> None:
        """Set permission bits. Raises StorageError(ENOENT)."""


@runtime_checkable
class SupportsWholeWrites(Protocol):
    """The storage writes a small file and reads it back in one go, faster than by handle."""

    async def write_whole(self, path: StoragePath, data: bytes) -> None:
        """Make or replace the file at ``path`` with ``data``; not atomic for concurrent readers."""


@frozen
class Scanned:
    """A name in a directory with what the storage says of it."""

    name: str
    stat: StorageStat


@runtime_checkable
class SupportsScanning(Protocol):
    """The storage lists a directory together with what each name leads to, however long it is."""

    def scan(self, path: StoragePath) -> AsyncIterator[Sequence[Scanned]]:
        """Give the directory in batches of at most 1000, in any order, each name once.

        Memory does not grow with the directory. What goes meanwhile may be left out; links are not
        followed. Raises: StorageError(ENOENT, ENOTDIR).
        """


@runtime_checkable
class SupportsOwners(Protocol):
    """The storage keeps who owns a file."""

    async def set_owner(self, path: StoragePath, uid: int, gid: int) -> None:
        """Set the owner and group; -1 keeps one as it is. Raises: StorageError(ENOENT, EPERM)."""


@runtime_checkable
class SupportsUsers(Protocol):
    """The storage decides by who asks."""

    def for_user(self, credentials: Mapping[str, str]) -> StorageHelper:
        """Return this storage as somebody with these credentials sees it: those of the storage, changed.

        Cheap, and shares connections where it can.
        """


@frozen
class Capacity:
    """How much a storage holds, and how much more it takes, in bytes."""

    total_b: int
    free_b: int


@runtime_checkable
class SupportsCapacity(Protocol):
    """The storage knows how full it is."""

    async def capacity(self) -> Capacity:
        """Return how full it is now."""


@runtime_checkable
class SupportsClosing(Protocol):
    """The helper holds connections or threads."""

    async def close(self) -> None:
        """Let them go once the files that are open are closed; nothing is opened after this. Idempotent."""
