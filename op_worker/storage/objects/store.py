"""What is asked of a storage that keeps objects under keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NewType, Protocol, runtime_checkable

from attrs import frozen

ObjectKey = NewType("ObjectKey", str)


@frozen
class ObjectStat:
    """What the store says of an object. ``tag`` is another after every change; empty when not known."""

    key: ObjectKey
    size_b: int
    mtime_s: float = 0.0
    tag: str = ""


@frozen
class ObjectPiece:
    """A range of an object, with what the store said of the whole in the same answer.

    ``size_b`` is the size of the whole object, ``None`` when the store does not tell it along with a range;
    ``tag`` is empty likewise.
    """

    data: bytes
    size_b: int | None = None
    tag: str = ""


@frozen
class ObjectPage:
    """Objects in the order of their keys; ``follows`` is where the next page starts, empty after the last.

    ``prefixes`` are the beginnings of keys that were folded at a delimiter, with it, in order, too.
    """

    objects: Sequence[ObjectStat]
    follows: str = ""
    prefixes: Sequence[str] = ()


class ObjectStore(Protocol):
    """Objects, each read and written by its key. Errors are ``StorageError``s; a missing object is ENOENT.

    A change that was answered is seen by whoever asks next.
    """

    async def get(self, key: ObjectKey, offset_b: int, size_b: int, tag: str = "") -> ObjectPiece:
        """Return at most ``size_b`` bytes (1 or more) from ``offset_b``.

        Fewer, also none, only at the object's end.

        Raises: StorageError(ENOENT); StorageError(ESTALE) when the object is not the one with ``tag``.
        """

    async def put(self, key: ObjectKey, data: bytes) -> str:
        """Make or replace an object as a whole; return its tag, empty when the store does not tell it."""

    async def delete(self, keys: Sequence[ObjectKey]) -> None:
        """Remove any number of objects, in any order; those that are missing are fine."""

    async def stat(self, key: ObjectKey) -> ObjectStat:
        """Raises: StorageError(ENOENT)."""

    async def check(self) -> None:
        """Raise StorageUnavailable, or StorageError(EACCES), when the store cannot be used now."""

    async def close(self) -> None:
        """Let connections go. Idempotent."""


@runtime_checkable
class SupportsListingObjects(Protocol):
    """The store lists keys by prefix."""

    async def list(self, prefix: str, start: str = "", limit: int = 1000, delimiter: str = "") -> ObjectPage:
        """Return a page of objects whose keys begin with ``prefix``, in the order of their keys' bytes.

        Args:
            start: ``follows`` of the page before.
            limit: the most objects and prefixes of a page.
            delimiter: keys that have it after ``prefix`` are folded up to it into one of the page's prefixes.
        """


@runtime_checkable
class SupportsConditionalPuts(Protocol):
    """The store replaces an object only when nobody else did, so that writers at two nodes lose nothing."""

    async def put_if(self, key: ObjectKey, data: bytes, tag: str) -> str:
        """Replace the object with this ``tag``, or make one when ``tag`` is empty; return the new tag.

        Raises: StorageError(ESTALE) when another object is there, or none; StorageError(ENOTSUP) when this
            server cannot tell.
        """


@runtime_checkable
class SupportsWritesInside(Protocol):
    """The store writes inside an object."""

    async def write(self, key: ObjectKey, offset_b: int, data: bytes) -> None:
        """Write at ``offset_b``; the object is made when missing, a gap before reads as zeros."""

    async def truncate(self, key: ObjectKey, size_b: int) -> None:
        """Cut an object, or extend it with zeros. Raises: StorageError(ENOENT)."""
