"""The ``sftp`` helper: files behind an SSH server."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing

from op_worker.storage.helper import (
    Capacity,
    Opened,
    Scanned,
    StorageError,
    StorageFile,
    StorageHelper,
    StoragePath,
    StorageStat,
    StorageUnavailable,
)
from op_worker.storage.helpers.paths import name, parts
from op_worker.storage.helpers.sftp.file import SftpFile
from op_worker.storage.helpers.sftp.packets import Attributes, OpenFlag
from op_worker.storage.helpers.sftp.tree import DIRECTORY_MODE, FILE_MODE, Tree

_BATCH = 1000
_ROOT = StoragePath("")


class SftpHelper:
    """See ``StorageHelper`` and its powers; one user's view of a server.

    Args:
        as_user: makes the tree that somebody with other credentials sees.
    """

    def __init__(self, tree: Tree, as_user: Callable[[Mapping[str, str]], Tree]) -> None:
        self._tree, self._as_user = tree, as_user

    async def open_read(self, path: StoragePath) -> StorageFile:
        return await self._open_existing(path, OpenFlag.READ)

    async def open_update(self, path: StoragePath) -> StorageFile:
        return await self._open_existing(path, OpenFlag.READ | OpenFlag.WRITE)

    async def open_write(self, path: StoragePath) -> StorageFile:
        try:
            return await self._open_existing(path, OpenFlag.READ | OpenFlag.WRITE)
        except StorageError as error:
            if error.errno != errno.ENOENT:
                raise
        return await self._open_new(path, OpenFlag.READ | OpenFlag.WRITE | OpenFlag.CREATE)

    async def open_with_first(self, path: StoragePath, size_b: int) -> Opened:
        file = await self._open_existing(path, OpenFlag.READ)
        try:
            total_b, first = await file.size_and_first(size_b)
        except BaseException:
            await file.close()
            raise
        if len(first) < total_b:
            return Opened(total_b, first, file)
        await file.close()
        return Opened(len(first), first, None)

    async def write_whole(self, path: StoragePath, data: bytes) -> None:
        parts(path)
        await self._tree.check_way(path)
        flags = OpenFlag.WRITE | OpenFlag.CREATE | OpenFlag.TRUNCATE
        file = await self._open_new(path, flags)
        try:
            await file.write(0, data)
        finally:
            await file.close()

    async def remove(self, path: StoragePath) -> None:
        parts(path)
        await self._tree.remove(path)

    async def rename(self, source: StoragePath, target: StoragePath) -> None:
        for path in (source, target):
            parts(path)
        await self._tree.rename(source, target)

    async def stat(self, path: StoragePath) -> StorageStat:
        return _stat_of(await self._tree.find(path))

    async def make_directory(self, path: StoragePath) -> None:
        parts(path)
        await self._tree.make_directory(path)

    async def remove_directory(self, path: StoragePath) -> None:
        parts(path)
        await self._tree.remove_directory(path)

    async def list_directory(self, path: StoragePath) -> Sequence[str]:
        return [each.name async for batch in self.scan(path) for each in batch]

    async def scan(self, path: StoragePath) -> AsyncIterator[Sequence[Scanned]]:
        """See ``SupportsScanning``; the server gives about 100 names at a time."""
        if path:
            parts(path)
        async with aclosing(self._tree.entries(path)) as entries:
            async for batch in entries:
                for start in range(0, len(batch), _BATCH):
                    some = batch[start : start + _BATCH]
                    yield [Scanned(name(raw_name), _stat_of(found)) for raw_name, found in some]

    async def set_mode(self, path: StoragePath, mode: int) -> None:
        await self._tree.set_attributes(path, Attributes(mode=mode))

    async def set_owner(self, path: StoragePath, uid: int, gid: int) -> None:
        found = await self._tree.find(path)  # SFTP sets both or none
        both = (found.uid or 0 if uid == -1 else uid, found.gid or 0 if gid == -1 else gid)
        await self._tree.set_attributes(path, Attributes(uid=both[0], gid=both[1]))

    async def capacity(self) -> Capacity:
        return await self._tree.capacity()

    async def check(self) -> None:
        found = await self._tree.look(_ROOT)
        if found is None or not found.is_directory:
            raise StorageUnavailable(errno.EIO, "", "the root of the storage is missing")

    def for_user(self, credentials: Mapping[str, str]) -> StorageHelper:
        """See ``SupportsUsers``; users have connections of their own. Raises: BadStorageError."""
        return SftpHelper(self._as_user(credentials), self._as_user)

    async def close(self) -> None:
        self._tree.sessions.close()

    async def _open_existing(self, path: StoragePath, flags: int) -> SftpFile:
        """Open a regular file; others are never opened, because that could keep the server waiting."""
        found = await self._tree.find(path)
        if not found.is_file:
            raise StorageError(errno.EISDIR if found.is_directory else errno.EINVAL, path)
        session = await self._tree.sessions.session()
        return SftpFile(self._tree, session, path, await self._tree.open(session, path, flags))

    async def _open_new(self, path: StoragePath, flags: int) -> SftpFile:
        session = await self._tree.sessions.session()
        file = SftpFile(self._tree, session, path, await self._tree.open(session, path, flags))
        try:
            await file.set_mode(FILE_MODE)
        except BaseException:
            await file.close()
            raise
        return file


def _stat_of(found: Attributes) -> StorageStat:
    is_directory = found.is_directory
    default = DIRECTORY_MODE if is_directory else FILE_MODE
    return StorageStat(
        0 if is_directory else found.size_b or 0,
        float(found.mtime_s or 0),
        is_directory,
        not is_directory and not found.is_file,
        atime_s=None if found.atime_s is None else float(found.atime_s),
        mode=default if found.mode is None else found.mode & 0o7777,
        uid=found.uid,
        gid=found.gid,
    )
