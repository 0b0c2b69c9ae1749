"""What files in objects have in common, be they one object or many."""

from __future__ import annotations

from typing import Protocol

from op_worker.storage.helper import StoragePath, StorageStat


class Content(Protocol):
    """The bytes of a file that is open, shared by all who have it open in this process.

    ``changes`` counts what was changed through it, ``is_busy`` tells whether something is being changed now.
    """

    size_b: int

    @property
    def changes(self) -> int: ...

    @property
    def is_busy(self) -> bool: ...

    async def read(self, offset_b: int, size_b: int) -> bytes:
        """See ``StorageFile``. Raises StorageError(ESTALE) when it was cut, removed or replaced elsewhere."""

    async def write(self, offset_b: int, data: bytes) -> None:
        """See ``StorageFile``. Raises StorageError(EFBIG, ERANGE) for what no file here can hold."""

    async def size(self) -> int:
        """See ``StorageFile``. Raises as ``read``."""

    async def truncate(self, size_b: int) -> None:
        """See ``StorageFile``. Raises as ``write``."""

    async def replace(self, data: bytes) -> None:
        """Write the whole file anew; it is made when missing."""

    async def move(self, base: str) -> None:
        """Copy it to other keys, which are its own from now on, and forget the old ones."""

    async def remove(self) -> None:
        """Remove it; what is missing is fine."""

    def is_same(self, fresh: Content) -> bool:
        """Whether ``fresh``, just found at the same path, is this; it takes over what is newer there.

        If not, somebody else replaced the file, and this one is stale from now on.
        """


class Arrangement(Protocol):
    """How files are made of objects."""

    async def find(self, path: StoragePath) -> Content:
        """Return what is at a path. Raises StorageError(ENOENT)."""

    async def make(self, path: StoragePath) -> Content:
        """Make an empty file.

        Raises StorageError(ESTALE) when somebody else made one, as far as that is seen.
        """

    def unseen(self, path: StoragePath) -> Content:
        """Return a content of which nothing is known, to replace or remove it as a whole."""

    async def first(self, path: StoragePath, size_b: int) -> tuple[Content, bytes]:
        """Return what is at a path, with its first bytes. Raises StorageError(ENOENT)."""

    async def stat(self, path: StoragePath) -> StorageStat:
        """See ``StorageHelper``."""
