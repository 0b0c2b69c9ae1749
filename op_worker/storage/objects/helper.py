"""A storage helper over any store of objects."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from twisted.logger import Logger

from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.randomness import RandomBytes
from op_worker.storage.helper import (
    Opened,
    Scanned,
    StorageError,
    StorageFile,
    StoragePath,
    StorageStat,
    StorageUnavailable,
)
from op_worker.storage.objects.access import TRANSFERS_AT_ONCE, ObjectAccess, or_missing
from op_worker.storage.objects.block_files import BlockFiles
from op_worker.storage.objects.contents import Arrangement, Content
from op_worker.storage.objects.layout import Layout, check_path
from op_worker.storage.objects.listing import Modes
from op_worker.storage.objects.objects_written_inside import ObjectsWrittenInside
from op_worker.storage.objects.opened import OpenFiles, Shared
from op_worker.storage.objects.scanning import Folders
from op_worker.storage.objects.single_objects import SingleObjects
from op_worker.storage.objects.store import ObjectStore

DEFAULT_MAXIMUM_B = 64 << 20
ASIDE = ".__onedata__deleted"
"""Below it lie files that were removed while open and then made anew."""
UNTOLD = Modes()
_MOST_TRIES = 5


class ObjectHelper:
    """Files of an ``Arrangement`` of objects. Make one with ``object_helper``.

    The store forgets removed objects at once. So a file that is open in this process is removed when it is
    closed, and until then does not seem to be there; when its path is made anew before, its objects are moved
    aside. What another process removes or replaces is ESTALE to those who have it open.
    """

    _log = Logger()

    def __init__(
        self, access: ObjectAccess, files: Arrangement, random_bytes: RandomBytes = os.urandom
    ) -> None:
        self._access, self._files = access, files
        self._random_bytes = random_bytes
        self._open = OpenFiles()
        self._paths = KeyedLocks()
        self._is_closed = False

    async def open_read(self, path: StoragePath) -> StorageFile:
        shared, _ = await self._opened(path, lambda: self._files.first(path, 0))
        return ObjectFile(self, shared)

    async def open_update(self, path: StoragePath) -> StorageFile:
        return await self.open_read(path)

    async def open_with_first(self, path: StoragePath, size_b: int) -> Opened:
        shared, first = await self._opened(path, lambda: self._files.first(path, size_b))
        size_b = shared.content.size_b
        if len(first) < size_b:
            return Opened(size_b, first, ObjectFile(self, shared))
        await self.let_go(shared)
        return Opened(len(first), first, None)

    async def open_write(self, path: StoragePath) -> StorageFile:
        self._check(path)
        async with self._paths.hold(path):
            await self._vacate(path)
            before = self._open.before(path)
            return ObjectFile(self, self._open.join(path, await self._found_or_made(path), before))

    async def write_whole(self, path: StoragePath, data: bytes) -> None:
        self._check(path)
        async with self._paths.hold(path):
            await self._vacate(path)
            shared = self._open.get(path)
            content = self._files.unseen(path) if shared is None else shared.content
            await content.replace(data)

    async def remove(self, path: StoragePath) -> None:
        self._check(path)
        async with self._paths.hold(path):
            if not self._open.remove(path):
                await self._files.unseen(path).remove()

    async def stat(self, path: StoragePath) -> StorageStat:
        self._check(path)
        self._open.before(path)
        return await self._files.stat(path)

    async def check(self) -> None:
        await self._access.store.check()

    async def close(self) -> None:
        self._is_closed = True
        await self._close_if_unused()

    async def let_go(self, shared: Shared) -> None:
        """Take back a handle, and do what its file waited for. Does not fail; a removal that does is told."""
        if self._open.let_go(shared):
            async with self._paths.hold(shared.path):
                try:
                    await shared.content.remove()
                except StorageError as error:
                    self._log.warn("objects of a removed file stay: {error}", error=error)
                self._open.forget_removed(shared)
        await self._close_if_unused()

    async def _opened(
        self, path: StoragePath, look: Callable[[], Awaitable[tuple[Content, bytes]]]
    ) -> tuple[Shared, bytes]:
        """Open what ``look`` finds at a path, as it was before or after somebody here removes or makes it."""
        self._check(path)
        if not self._paths.is_held(path):
            before = self._open.before(path)
            content, first = await look()
            if not self._paths.is_held(path):
                return self._open.join(path, content, before), first
        async with self._paths.hold(path):
            before = self._open.before(path)
            content, first = await look()
            return self._open.join(path, content, before), first

    async def _found_or_made(self, path: StoragePath) -> Content:
        for _ in range(_MOST_TRIES):
            found = await or_missing(self._files.find(path))
            if found is not None:
                return found
            try:
                return await self._files.make(path)
            except StorageError as error:
                if error.errno != errno.ESTALE:
                    raise  # else somebody at another node was faster
        raise StorageUnavailable(errno.EBUSY, path, "the file is made and removed all the time")

    async def _vacate(self, path: StoragePath) -> None:
        """Move away what was removed and is still open, so that the path can be made anew."""
        removed = self._open.removed(path)
        if removed is not None:
            await removed.content.move(f"{ASIDE}/{self._random_bytes(16).hex()}")
            self._open.forget_removed(removed)

    async def _close_if_unused(self) -> None:
        if self._is_closed and not self._open.handles:
            await self._access.store.close()

    def _check(self, path: StoragePath) -> None:
        if self._is_closed:
            raise StorageUnavailable(errno.ESHUTDOWN, path, "the storage is not used any more")
        check_path(path)


class ScanningObjectHelper(ObjectHelper):
    """An ``ObjectHelper`` that sees folders in keys."""

    def __init__(
        self, access: ObjectAccess, files: Arrangement, folders: Folders, random_bytes: RandomBytes
    ) -> None:
        super().__init__(access, files, random_bytes)
        self._folders = folders

    async def scan(self, path: StoragePath) -> AsyncIterator[Sequence[Scanned]]:
        """See ``SupportsScanning``."""
        if path:
            self._check(path)
        async for found in self._folders.scan(path):
            yield found


class ObjectFile:
    """An open file of an object storage."""

    __slots__ = ("_helper", "_is_closed", "_shared")

    def __init__(self, helper: ObjectHelper, shared: Shared) -> None:
        self._helper, self._shared = helper, shared
        self._is_closed = False

    async def read(self, offset_b: int, size_b: int) -> bytes:
        return await self._content().read(offset_b, size_b)

    async def write(self, offset_b: int, data: bytes) -> None:
        if data:
            await self._content().write(offset_b, data)

    async def size(self) -> int:
        return await self._content().size()

    async def truncate(self, size_b: int) -> None:
        await self._content().truncate(size_b)

    async def sync(self) -> None:
        self._content()  # an object that was put is kept

    async def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            await self._helper.let_go(self._shared)

    def _content(self) -> Content:
        if self._is_closed:
            raise StorageError(errno.EBADF, self._shared.path)
        return self._shared.content


def object_helper(
    store: ObjectStore,
    block_size_b: int,
    *,
    maximum_b: int = DEFAULT_MAXIMUM_B,
    modes: Modes = UNTOLD,
    transfers: int = TRANSFERS_AT_ONCE,
    random_bytes: RandomBytes = os.urandom,
) -> ObjectHelper:
    """Make a helper of a store.

    Args:
        block_size_b: of the objects that a file is cut into; 0 for one object per file, under its path.
        maximum_b: the most that a file of one object may have when it is written as a whole, which is always
            where the store does not write inside objects, or lists them.
        modes: what is told of every file and folder.
        transfers: the most objects on their way, or in memory to be changed, at the same time.
    """
    access = ObjectAccess(store, transfers)
    if block_size_b:
        return ObjectHelper(access, BlockFiles(access, Layout(block_size_b), modes.file), random_bytes)
    if access.inside is not None and access.lists is None:
        return ObjectHelper(access, ObjectsWrittenInside(access, access.inside, modes.file), random_bytes)
    files = SingleObjects(access, maximum_b, modes)
    if access.lists is None:
        return ObjectHelper(access, files, random_bytes)
    return ScanningObjectHelper(access, files, Folders(access, access.lists, modes), random_bytes)
