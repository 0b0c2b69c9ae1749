"""The objects of one store: transfers bounded in number, and changes that lose nobody's bytes."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from twisted.internet.defer import DeferredSemaphore

from op_worker.storage.helper import StorageError, StorageUnavailable
from op_worker.storage.objects.store import (
    ObjectKey,
    ObjectPiece,
    ObjectStat,
    ObjectStore,
    SupportsConditionalPuts,
    SupportsListingObjects,
    SupportsWritesInside,
)

T = TypeVar("T")

TRANSFERS_AT_ONCE = 16
_MOST_TRIES = 20
_NOTHING = ObjectPiece(b"", 0)


class ObjectAccess:
    """What files in objects do with their store.

    Args:
        transfers: the most objects that are on their way, or in memory to be changed, at the same time.
    """

    def __init__(self, store: ObjectStore, transfers: int = TRANSFERS_AT_ONCE) -> None:
        self.store = store
        self.lists = store if isinstance(store, SupportsListingObjects) else None
        self.inside = store if isinstance(store, SupportsWritesInside) else None
        self._conditional = store if isinstance(store, SupportsConditionalPuts) else None
        self._turns = DeferredSemaphore(transfers)

    async def get(self, key: ObjectKey, offset_b: int, size_b: int, tag: str = "") -> ObjectPiece:
        """See ``ObjectStore``."""
        async with self._turn():
            return await self.store.get(key, offset_b, size_b, tag)

    async def put(self, key: ObjectKey, data: bytes) -> str:
        """See ``ObjectStore``."""
        async with self._turn():
            return await self.store.put(key, data)

    async def put_new(self, key: ObjectKey, data: bytes) -> str:
        """Make an object that is not there.

        Raises StorageError(ESTALE) if it is, where the store can tell.
        """
        async with self._turn():
            return await self._put_if(key, data, "")

    async def write(self, inside: SupportsWritesInside, key: ObjectKey, offset_b: int, data: bytes) -> None:
        """Write inside an object."""
        async with self._turn():
            await inside.write(key, offset_b, data)

    async def change(
        self, key: ObjectKey, most_b: int, changed: Callable[[bytes], bytes], *, is_new: bool = False
    ) -> None:
        """Replace an object by what ``changed`` makes of its bytes; a missing one has none.

        Where the store puts under conditions, what another node puts meanwhile is changed, not lost.

        Args:
            is_new: the object is believed not to exist.

        Raises: StorageError(EIO) when it has more than ``most_b`` bytes.
        """
        async with self._turn():
            for _ in range(_MOST_TRIES):
                found = None if is_new else await or_missing(self.store.get(key, 0, most_b + 1))
                old = found or _NOTHING
                if len(old.data) > most_b:
                    raise StorageError(errno.EIO, key, f"the object has more than {most_b} bytes")
                try:
                    await self._put_if(key, changed(old.data), None if old.data and not old.tag else old.tag)
                    return
                except StorageError as error:
                    if error.errno != errno.ESTALE:
                        raise
                    is_new = False
            raise StorageUnavailable(errno.EBUSY, key, "others change this object all the time")

    async def change_exactly(
        self, key: ObjectKey, size_b: int, tag: str, changed: Callable[[bytes], bytes]
    ) -> str:
        """Replace the object with ``tag`` and ``size_b`` by what ``changed`` makes of it; return the new tag.

        Raises: StorageError(ESTALE) when it is another; StorageError(ENOENT).
        """
        async with self._turn():
            old = await self.store.get(key, 0, size_b, tag) if size_b else _NOTHING
            if len(old.data) != size_b:
                raise StorageError(errno.ESTALE, key, f"the object has not {size_b} bytes any more")
            return await self._put_if(key, changed(old.data), tag or None)

    async def size(self, key: ObjectKey) -> int | None:
        """Return the size of an object; ``None`` when it is missing."""
        found = await or_missing(self.store.stat(key))
        return None if found is None else found.size_b

    async def first_with(self, lists: SupportsListingObjects, prefix: str) -> ObjectStat | None:
        """Return the first object whose key begins with ``prefix``."""
        page = await lists.list(prefix, limit=1)
        return page.objects[0] if page.objects else None

    async def _put_if(self, key: ObjectKey, data: bytes, tag: str | None) -> str:
        """Put under the condition of ``tag`` (``None``: under none), where the store can do that."""
        if self._conditional is not None and tag is not None:
            try:
                return await self._conditional.put_if(key, data, tag)
            except StorageError as error:
                if error.errno != errno.ENOTSUP:
                    raise
        return await self.store.put(key, data)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        await self._turns.acquire()
        try:
            yield
        finally:
            self._turns.release()


async def or_missing(work: Coroutine[Any, Any, T]) -> T | None:
    """Return what work returns, ``None`` when it raises StorageError(ENOENT)."""
    try:
        return await work
    except StorageError as error:
        if error.errno == errno.ENOENT:
            return None
        raise
