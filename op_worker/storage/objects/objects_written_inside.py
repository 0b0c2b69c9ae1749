"""Files that are one object each, in a store that writes inside objects."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import frozen
from twisted.internet.defer import DeferredSemaphore

from op_worker.storage.helper import StorageError, StoragePath, StorageStat
from op_worker.storage.objects.access import ObjectAccess
from op_worker.storage.objects.contents import Content
from op_worker.storage.objects.store import ObjectKey, SupportsWritesInside

_WRITES_AT_ONCE = 8
_MOVED_B = 4 << 20


class ObjectWrittenInside:
    """See ``Content``.

    Its size is what was found when it was opened, and what was written since; what others append is looked
    for by those who read past the end. Writes run beside each other; cutting waits until it is alone.
    """

    def __init__(
        self, access: ObjectAccess, inside: SupportsWritesInside, key: ObjectKey, size_b: int
    ) -> None:
        self._access, self._inside, self._key = access, inside, key
        self.size_b = size_b
        self.changes = 0
        self._cuts = self._working = 0
        self._is_stale = False
        self._writers = DeferredSemaphore(_WRITES_AT_ONCE)

    @property
    def is_busy(self) -> bool:
        return self._working > 0

    def is_same(self, fresh: Content) -> bool:
        self._is_stale = fresh.size_b < self.size_b
        if not self._is_stale:
            self.size_b = fresh.size_b
        return not self._is_stale

    async def read(self, offset_b: int, size_b: int) -> bytes:
        self._check_fresh()
        if offset_b + size_b > self.size_b:
            await self._look_again()
        while True:
            cuts = self._cuts
            wanted_b = min(size_b, self.size_b - offset_b)
            if wanted_b <= 0:
                return b""
            try:
                data = (await self._access.get(self._key, offset_b, wanted_b)).data
            except StorageError as error:
                if error.errno != errno.ENOENT:
                    raise
                data = b""
            if len(data) == wanted_b:
                return data
            if cuts == self._cuts:
                raise self._stale()

    async def write(self, offset_b: int, data: bytes) -> None:
        self._check_fresh()
        async with self._changing(1):
            await self._access.write(self._inside, self._key, offset_b, data)
            self.size_b = max(self.size_b, offset_b + len(data))

    async def size(self) -> int:
        self._check_fresh()
        await self._look_again()
        return self.size_b

    async def truncate(self, size_b: int) -> None:
        self._check_fresh()
        async with self._changing(_WRITES_AT_ONCE):
            self._cuts += 1
            try:
                await self._inside.truncate(self._key, size_b)
            except StorageError as error:
                raise (self._stale() if error.errno == errno.ENOENT else error) from error
            self.size_b = size_b

    async def replace(self, data: bytes) -> None:
        async with self._changing(_WRITES_AT_ONCE):
            self._cuts += 1
            await self._access.put(self._key, data)
            self.size_b = len(data)

    async def move(self, base: str) -> None:
        async with self._changing(_WRITES_AT_ONCE):
            old, key = self._key, ObjectKey(base)
            await self._access.put(key, b"")
            for offset_b in range(0, self.size_b, _MOVED_B):
                wanted_b = min(_MOVED_B, self.size_b - offset_b)
                piece = await self._access.get(old, offset_b, wanted_b)
                await self._access.write(self._inside, key, offset_b, piece.data)
            self._cuts += 1
            self._key = key
            await self._access.store.delete([old])

    async def remove(self) -> None:
        await self._access.store.delete([self._key])

    async def _look_again(self) -> None:
        """Learn of what others appended. Raises StorageError(ESTALE) when they cut or removed it."""
        changes = self.changes
        found_b = await self._access.size(self._key)
        if self.is_busy or changes != self.changes:
            return
        if found_b is None or found_b < self.size_b:
            raise self._stale()
        self.size_b = found_b

    @asynccontextmanager
    async def _changing(self, turns: int) -> AsyncIterator[None]:
        """Be one of the writers, or, with all turns, the only one."""
        taken = 0
        self._working += 1
        try:
            for _ in range(turns):
                await self._writers.acquire()
                taken += 1
            yield
        finally:
            self.changes += 1
            self._working -= 1
            for _ in range(taken):
                self._writers.release()

    def _check_fresh(self) -> None:
        if self._is_stale:
            raise self._stale()

    def _stale(self) -> StorageError:
        return StorageError(errno.ESTALE, self._key, "the object was cut, replaced or removed elsewhere")


@frozen
class ObjectsWrittenInside:
    """See ``Arrangement``."""

    _access: ObjectAccess
    _inside: SupportsWritesInside
    _mode: int | None = None

    async def find(self, path: StoragePath) -> ObjectWrittenInside:
        found = await self._access.store.stat(ObjectKey(path))
        return self._content(path, found.size_b)

    async def make(self, path: StoragePath) -> ObjectWrittenInside:
        await self._access.put_new(ObjectKey(path), b"")
        return self.unseen(path)

    def unseen(self, path: StoragePath) -> ObjectWrittenInside:
        return self._content(path, 0)

    async def first(self, path: StoragePath, size_b: int) -> tuple[ObjectWrittenInside, bytes]:
        content = await self.find(path)
        return content, await content.read(0, min(size_b, content.size_b)) if size_b else b""

    async def stat(self, path: StoragePath) -> StorageStat:
        found = await self._access.store.stat(ObjectKey(path))
        return StorageStat(found.size_b, found.mtime_s, mode=self._mode, tag=found.tag)

    def _content(self, path: StoragePath, size_b: int) -> ObjectWrittenInside:
        return ObjectWrittenInside(self._access, self._inside, ObjectKey(path), size_b)
