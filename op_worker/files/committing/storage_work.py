"""What a pending operation does to the storage."""

from __future__ import annotations

import errno

from attrs import frozen

from cluster_worker.runtime.randomness import RandomBytes
from onedata.ids import SpaceId, StorageId
from op_worker.files.stored.intents import Intent, IntentKind
from op_worker.files.stored.paths import trash_path
from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.registry import Storages
from op_worker.storage.supports import Storage

_IN_THE_WAY = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR, errno.ENOTDIR})


@frozen(eq=False)
class StorageWork:
    """Carries out pending operations, whose paths are held."""

    _storages: Storages
    _random_bytes: RandomBytes

    async def perform(self, space_id: SpaceId, intent: Intent) -> None:
        """Do what is pending, or what is left of it; doing it again does no harm.

        Raises: StorageError; StorageUnavailable when its storage is not known here.
        """
        storage = self._storages.get(StorageId(intent.storage_id))
        if storage is None:
            raise StorageUnavailable(errno.ENODEV, intent.target, "its storage is not known here")
        match intent.kind:
            case IntentKind.PLACE | IntentKind.MOVE:
                await self._rename(space_id, storage, intent.source, intent.target)
            case IntentKind.REMOVE:
                await storage.helper.remove(intent.target)
            case IntentKind.TOUCH:
                await (await storage.helper.open_write(intent.target)).close()
            case IntentKind.TRIM:
                await _trim(storage, intent)
            case IntentKind.REMOVE_DIRECTORY:
                await self._remove_directory(space_id, storage, intent.target)

    async def _rename(
        self, space_id: SpaceId, storage: Storage, source: StoragePath, target: StoragePath
    ) -> None:
        """Rename; a missing source was renamed before, or never made. Strangers' files give way."""
        if storage.renames is None:
            raise StorageError(errno.ENOTSUP, target, "the storage cannot rename")
        try:
            await storage.renames.rename(source, target)
        except StorageError as error:
            if error.errno == errno.ENOENT:
                return
            if error.errno not in _IN_THE_WAY:
                raise
            await storage.renames.rename(target, self._junk_path(space_id))
            await storage.renames.rename(source, target)

    async def _remove_directory(self, space_id: SpaceId, storage: Storage, path: StoragePath) -> None:
        if storage.directories is None:
            return
        try:
            await storage.directories.remove_directory(path)
        except StorageError as error:
            if error.errno not in _IN_THE_WAY or storage.renames is None:
                raise
            await storage.renames.rename(path, self._junk_path(space_id))

    def _junk_path(self, space_id: SpaceId) -> StoragePath:
        """Return a place in the trash for what stands in the way and is not ours."""
        return trash_path(space_id, "junk-" + self._random_bytes(8).hex())


async def _trim(storage: Storage, intent: Intent) -> None:
    try:
        file = await storage.helper.open_update(intent.target)
    except StorageError as error:
        if error.errno == errno.ENOENT:
            return
        raise
    try:
        if await file.size() > intent.size_b:
            await file.truncate(intent.size_b)
            await file.sync()
    finally:
        await file.close()
