"""Storages as users see them: each acts under his own credentials, and what he makes is his."""

from __future__ import annotations

import errno
from collections import OrderedDict

from attrs import field, frozen
from twisted.logger import Logger

from cluster_worker.runtime.locks import KeyedLocks
from onedata.ids import SpaceId, StorageId, UserId
from op_worker.mapping.feeds import Feed, FeedSettings
from op_worker.mapping.numbers import space_owner_of
from op_worker.mapping.resolution import PosixIds, automatic_ids, posix_ids, space_ids
from op_worker.mapping.service import UserMapping
from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.registry import Storages
from op_worker.storage.supports import Storage

_MOST_VIEWS = 4096
_SHARED_FOLDER = 0o2775
"""The group of a space may write, and what is made inside belongs to that group."""

Place = tuple[StorageId, SpaceId, UserId]


@frozen
class _View:
    """A storage as a user sees it, and what it was made of."""

    base: Storage
    changes: int
    view: Storage
    ids: PosixIds | None


@frozen(eq=False)
class ActingUsers:
    """Implements ``Acting``.

    Args:
        folders: paths, below a space's, of folders that its users write into; they are given to its group.
    """

    _storages: Storages
    _mapping: UserMapping
    _folders: tuple[str, ...] = ()
    _views: OrderedDict[Place, _View] = field(factory=OrderedDict, init=False)
    _prepared: set[tuple[StorageId, SpaceId, int]] = field(factory=set, init=False)
    _locks: KeyedLocks = field(factory=KeyedLocks, init=False)
    _log = Logger()

    async def storage_for(self, user_id: UserId, space_id: SpaceId, storage: Storage) -> Storage:
        return (await self._view(user_id, space_id, storage)).view

    async def hand_over(
        self, user_id: UserId, space_id: SpaceId, storage: Storage, path: StoragePath
    ) -> None:
        try:
            ids = (await self._view(user_id, space_id, storage)).ids
            if ids is not None and storage.owners is not None:
                await storage.owners.set_owner(path, ids.uid, ids.gid)
        except StorageError as error:
            name = storage.record.name
            self._log.warn(
                "a file on storage {name} stays without its owner: {error}", name=name, error=error
            )

    async def adopt(self, owner_id: UserId, space_id: SpaceId, storage: Storage, path: StoragePath) -> bool:
        if storage.record.is_imported or storage.record.is_readonly:
            return False
        stat = await storage.helper.stat(path)
        if stat.uid is None or str(stat.uid) != storage.record.credentials.get("uid", "0"):
            return False
        await self.hand_over(owner_id, space_id, storage, path)
        return True

    async def _view(self, user_id: UserId, space_id: SpaceId, storage: Storage) -> _View:
        place = (storage.storage_id, space_id, user_id)
        known, changes = self._views.get(place), self._mapping.changes
        if known is not None and known.base is storage and known.changes == changes:
            self._views.move_to_end(place)
            return known
        made = await self._made(user_id, space_id, storage, changes)
        self._views[place] = made
        if len(self._views) > _MOST_VIEWS:
            self._views.popitem(last=False)
        return made

    async def _made(self, user_id: UserId, space_id: SpaceId, storage: Storage, changes: int) -> _View:
        type_ = self._storages.type_of(storage.record)
        if type_ is not None and type_.is_posix:
            return await self._posix_view(user_id, space_id, storage, changes)
        is_auto = FeedSettings.of(storage.record).feed is Feed.AUTO
        if is_auto or user_id == space_owner_of(space_id):
            return _View(storage, changes, storage, None)
        user = await self._mapping.storage_user(storage.record, user_id)
        if user is None:
            raise _unknown(storage)
        return _View(storage, changes, self._storages.as_user(storage, user.credentials), None)

    async def _posix_view(self, user_id: UserId, space_id: SpaceId, storage: Storage, changes: int) -> _View:
        if not storage.has_users:
            return _View(storage, changes, storage, None)
        space = await self._space_ids(space_id, storage)
        if user_id == space_owner_of(space_id):
            ids: PosixIds | None = space
        else:
            ids = posix_ids(await self._mapping.storage_user(storage.record, user_id), space)
        if ids is None:
            raise _unknown(storage)
        await self._prepare(space_id, storage, space.gid)
        return _View(storage, changes, self._storages.as_user(storage, ids.credentials()), ids)

    async def _space_ids(self, space_id: SpaceId, storage: Storage) -> PosixIds:
        if FeedSettings.of(storage.record).feed is Feed.AUTO:
            return automatic_ids(space_id)
        told = await self._mapping.space_defaults(storage.record, space_id)
        if told is not None and told.uid is not None and told.gid is not None:
            return space_ids(told, None, space_id)
        root = await storage.helper.stat(StoragePath(""))
        mount = None if root.uid is None or root.gid is None else PosixIds(root.uid, root.gid)
        return space_ids(told, mount, space_id)

    async def _prepare(self, space_id: SpaceId, storage: Storage, gid: int) -> None:
        """Give the folders that users write into to the space's group, once in the life of a process."""
        done = (storage.storage_id, space_id, gid)
        if done in self._prepared or storage.record.is_readonly:
            return
        async with self._locks.hold(done):
            if done in self._prepared:
                return
            own = [] if storage.record.is_imported else [space_id]
            try:
                for path in (*own, *(f"{space_id}/{folder}" for folder in self._folders)):
                    await _share(storage, StoragePath(path), gid)
            except StorageError as error:
                self._log.warn(
                    "the folders of space {space_id} on storage {name} are not its group's: {error}",
                    space_id=space_id,
                    name=storage.record.name,
                    error=error,
                )
                return  # whoever may not write then is told so by the storage
            self._prepared.add(done)


async def _share(storage: Storage, path: StoragePath, gid: int) -> None:
    if storage.directories is None:
        return
    await storage.directories.make_directory(path)
    if storage.owners is not None and storage.modes is not None:
        await storage.owners.set_owner(path, -1, gid)
        await storage.modes.set_mode(path, _SHARED_FOLDER)


def _unknown(storage: Storage) -> StorageError:
    return StorageError(errno.EACCES, "", f"storage {storage.record.name} knows no such user")
