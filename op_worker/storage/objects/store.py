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
class ObjectPage:
    """Objects in the order of their keys; ``follows`` is where the next page starts, empty after the last."""

    objects: Sequence[ObjectStat]
    follows: str = ""


class ObjectStore(Protocol):
    """Objects, each read and written by its key. Errors are ``StorageError``s; a missing object is ENOENT."""

    async def get(self, key: ObjectKey, offset_b: int, size_b: int, tag: str = "") -> bytes:
        """Return at most ``size_b`` bytes from ``offset_b``; shorter, also empty, only at the object's end.

        Raises: StorageError(ENOENT); StorageError(ESTALE) when the object is not the one with ``tag``.
        """

    async def put(self, key: ObjectKey, data: bytes) -> None:
        """Make or replace an object."""

    async def delete(self, keys: Sequence[ObjectKey]) -> None:
        """Remove objects; those that are missing are fine."""

    async def stat(self, key: ObjectKey) -> ObjectStat:
        """Raises: StorageError(ENOENT)."""

    async def check(self) -> None:
        """Raise StorageUnavailable, or StorageError(EACCES), when the store cannot be used now."""

    async def close(self) -> None:
        """Let connections go. Idempotent."""


@runtime_checkable
class SupportsListingObjects(Protocol):
    """The store lists keys by prefix."""

    async def list(self, prefix: str, start: str = "", limit: int = 1000) -> ObjectPage:
        """Return a page of objects whose keys begin with ``prefix``; ``start`` is a page's ``follows``."""


@runtime_checkable
class SupportsWritesInside(Protocol):
    """The store writes inside an object."""

    async def write(self, key: ObjectKey, offset_b: int, data: bytes) -> None:
        """Write at ``offset_b``; the object is made when missing, a gap before reads as zeros."""

    async def truncate(self, key: ObjectKey, size_b: int) -> None:
        """Cut an object, or extend it with zeros. Raises: StorageError(ENOENT)."""
