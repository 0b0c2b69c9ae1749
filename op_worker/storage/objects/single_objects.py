"""Files that are one object each, under the path of the file."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

from attrs import field, frozen

from cluster_worker.runtime.locks import KeyedLocks
from op_worker.storage.helper import StorageError, StoragePath, StorageStat, StorageUnavailable
from op_worker.storage.objects.access import ObjectAccess
from op_worker.storage.objects.contents import Content
from op_worker.storage.objects.layout import fitted, overlaid
from op_worker.storage.objects.listing import Modes
from op_worker.storage.objects.store import ObjectKey, ObjectStat

_CHANGING = "changing"


class SingleObject:
    """See ``Content``.

    Every read names the tag of the object that was opened. A write fetches the object, changes it and puts it
    back, so there is a most that it may have; reading has no limit.

    A put whose answer never came is in doubt: the server may carry it out, even later on, so another tag is
    no sign of others until a put is answered again.
    """

    def __init__(self, access: ObjectAccess, most_b: int, key: ObjectKey, size_b: int, tag: str) -> None:
        self._access, self._most_b, self._key = access, most_b, key
        self.size_b, self._tag = size_b, tag
        self.changes = 0
        self._is_stale = self._is_in_doubt = False
        self._locks = KeyedLocks()

    @property
    def is_busy(self) -> bool:
        return self._locks.is_held(_CHANGING)

    def is_same(self, fresh: Content) -> bool:
        assert isinstance(fresh, SingleObject)
        self._is_stale = (fresh.size_b, fresh._tag) != (self.size_b, self._tag)
        return not self._is_stale

    async def read(self, offset_b: int, size_b: int) -> bytes:
        while True:
            self._check_fresh()
            tag = self._tag
            wanted_b = min(size_b, self.size_b - offset_b)
            if wanted_b <= 0:
                return b""
            try:
                piece = await self._access.get(self._key, offset_b, wanted_b, tag)
            except StorageError as error:
                await self._changed_here(tag, self._as_stale(error))
            else:
                if len(piece.data) == wanted_b:
                    return piece.data
                missing = StorageError(
                    errno.EIO, self._key, f"{wanted_b - len(piece.data)} bytes are missing"
                )
                await self._changed_here(tag, missing)

    async def write(self, offset_b: int, data: bytes) -> None:
        if data:
            await self._change(
                lambda: max(self.size_b, offset_b + len(data)),
                partial(overlaid, offset_b=offset_b, data=data),
            )

    async def truncate(self, size_b: int) -> None:
        if size_b != self.size_b:
            await self._change(lambda: size_b, partial(fitted, size_b=size_b))

    async def size(self) -> int:
        self._check_fresh()
        async with self._locks.hold(_CHANGING):
            if self._is_in_doubt:
                await self._adopt()
                return self.size_b
            found = await self._found()
            if (found.size_b, found.tag) != (self.size_b, self._tag):
                raise self._stale()
        return self.size_b

    async def replace(self, data: bytes) -> None:
        self._check_size(len(data))
        async with self._locks.hold(_CHANGING):
            await self._settle(await self._access.put(self._key, data), len(data))

    async def move(self, base: str) -> None:
        """See ``Content``. One that is larger than may be written is given up instead: it becomes stale."""
        async with self._locks.hold(_CHANGING):
            old, key = self._key, ObjectKey(base)
            if self.size_b > self._most_b:
                self._is_stale = True
            else:
                data = b""
                if self.size_b:
                    data = (await self._access.get(old, 0, self.size_b, self._tag)).data
                tag = await self._access.put(key, data)
                self._key = key
                await self._settle(tag, len(data))
            await self._access.store.delete([old])

    async def remove(self) -> None:
        if not self._is_stale:
            await self._access.store.delete([self._key])

    async def _change(self, size_b: Callable[[], int], changed: Callable[[bytes], bytes]) -> None:
        async with self._locks.hold(_CHANGING):
            self._check_fresh()
            was_in_doubt = self._is_in_doubt
            if was_in_doubt:
                await self._adopt()
            self._check_size(max(size_b(), self.size_b))
            after_b = size_b()
            self._is_in_doubt = True
            try:
                tag = await self._access.change_exactly(self._key, self.size_b, self._tag, changed)
            except StorageUnavailable:
                raise
            except StorageError as error:
                self._is_in_doubt = was_in_doubt
                raise self._as_stale(error) from error
            self._is_in_doubt = False
            await self._settle(tag, after_b)

    async def _settle(self, tag: str, size_b: int) -> None:
        """Know the object that was put."""
        if not tag:
            tag = (await self._access.store.stat(self._key)).tag
        self.size_b, self._tag = size_b, tag
        self.changes += 1

    async def _changed_here(self, tag: str, otherwise: StorageError) -> None:
        """Return when this process has put another object than that with ``tag``; raise ``otherwise`` if not.

        A server may answer anything to those who read what is just replaced.
        """
        async with self._locks.hold(_CHANGING):
            if self._tag == tag and self._is_in_doubt:
                await self._adopt()
            if self._tag == tag:
                raise otherwise

    async def _adopt(self) -> None:
        """Take the object that is there for ours: nobody knows what became of our last put."""
        found = await self._found()
        if (found.size_b, found.tag) != (self.size_b, self._tag):
            await self._settle(found.tag, found.size_b)

    async def _found(self) -> ObjectStat:
        try:
            return await self._access.store.stat(self._key)
        except StorageError as error:
            raise self._as_stale(error) from error

    def _check_size(self, size_b: int) -> None:
        if size_b > self._most_b:
            reason = f"an object that is written may have {self._most_b} bytes"
            raise StorageError(errno.ERANGE, self._key, reason)

    def _check_fresh(self) -> None:
        if self._is_stale:
            raise self._stale()

    def _as_stale(self, error: StorageError) -> StorageError:
        return self._stale() if error.errno in (errno.ENOENT, errno.ESTALE) else error

    def _stale(self) -> StorageError:
        return StorageError(errno.ESTALE, self._key, "the object was removed or replaced elsewhere")


@frozen
class SingleObjects:
    """See ``Arrangement``."""

    _access: ObjectAccess
    _most_b: int
    _modes: Modes = field(factory=Modes)

    async def find(self, path: StoragePath) -> SingleObject:
        found = await self._access.store.stat(ObjectKey(path))
        return self._content(path, found.size_b, found.tag)

    async def make(self, path: StoragePath) -> SingleObject:
        tag = await self._access.put_new(ObjectKey(path), b"")
        return self._content(path, 0, tag) if tag else await self.find(path)

    def unseen(self, path: StoragePath) -> SingleObject:
        return self._content(path, 0, "")

    async def first(self, path: StoragePath, size_b: int) -> tuple[SingleObject, bytes]:
        if not size_b:
            return await self.find(path), b""
        piece = await self._access.get(ObjectKey(path), 0, size_b)
        if piece.size_b is not None:
            return self._content(path, piece.size_b, piece.tag), piece.data
        content = await self.find(path)
        return content, await content.read(0, size_b)

    async def stat(self, path: StoragePath) -> StorageStat:
        try:
            found = await self._access.store.stat(ObjectKey(path))
        except StorageError as error:
            if error.errno != errno.ENOENT or not await self._is_folder(path):
                raise
            return self._modes.of_folder()
        return self._modes.of_file(found)

    async def _is_folder(self, path: StoragePath) -> bool:
        lists = self._access.lists
        return lists is not None and bool((await lists.list(path + "/", limit=1)).objects)

    def _content(self, path: StoragePath, size_b: int, tag: str) -> SingleObject:
        return SingleObject(self._access, self._most_b, ObjectKey(path), size_b, tag)
