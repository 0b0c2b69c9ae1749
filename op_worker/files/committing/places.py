"""Places on storages for contents: where the bytes of each go before the commit that makes them a file's."""

from __future__ import annotations

import errno

from attrs import frozen
from twisted.logger import Logger

from cluster_worker.persistence.engine import (
    Batch,
    Engine,
    Key,
    PersistenceError,
    PreconditionFailed,
    Scope,
)
from cluster_worker.runtime.randomness import RandomBytes
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId, new_id
from op_worker.files.committing.journal import Journal
from op_worker.files.stored.documents import Location
from op_worker.files.stored.landings import Landing, Wanted, growing
from op_worker.files.stored.paths import flat_path, moved_path, staging_path
from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.registry import Storages
from op_worker.storage.supports import Storage, Support
from op_worker.storage.types import PathType


def is_named(support: Support, storage: Storage) -> bool:
    """Whether files of a space lie on a storage under the names that users see."""
    return support.named is not None and support.named.storage_id == storage.storage_id


def is_as_made(support: Support, storage: Storage) -> bool:
    """Whether files lie under the names that they had when they were made, because nothing moves there."""
    is_first = support.keeps_names and support.storage.storage_id == storage.storage_id
    return is_first and storage.path_type is PathType.CANONICAL and not storage.keeps_names


@frozen(eq=False)
class Places:
    """Gives places to contents that are written whole, and takes them back."""

    _engine: Engine
    _storages: Storages
    _journal: Journal
    _random_bytes: RandomBytes
    _log = Logger()

    async def land(self, support: Support, storage: Storage, wanted: Wanted) -> Landing:
        """Return a place for a content on a storage of the space.

        Raises: PersistenceUnavailable; StorageError; ServiceUnavailable when every place is taken.
        """
        space_id = support.space_id
        name, generation = await self._journal.new_staging_name(space_id), self._random_bytes(8)
        key = wanted.key if wanted.is_new else Key(new_id(self._random_bytes))  # no key is used twice
        if is_named(support, storage):
            path = staging_path(space_id, name)
            return Landing(storage.storage_id, name, path, key, generation)
        paths = [wanted.flat_path(space_id, generation)]
        if is_as_made(support, storage):
            paths = wanted.paths_as_made(space_id, generation)
        for path in paths:
            landing = Landing(storage.storage_id, name, path, key, generation, stays=True, is_entered=True)
            if await self._is_ours(space_id, storage, landing, may_exist=path is paths[-1]):
                return landing
        raise ServiceUnavailable()

    async def empty(
        self, support: Support, storage: Storage, wanted: Wanted
    ) -> tuple[Location, Landing | None]:
        """Return where the bytes of a new empty file will be, and the place that was made for it if need be.

        Raises: as ``land``; StorageError.
        """
        if not is_as_made(support, storage):
            return empty_location(support, storage, wanted.key), None
        landing = await self.land(support, storage, wanted)
        try:
            await (await storage.helper.open_write(landing.path)).close()
        except BaseException:
            await self.give_back(support.space_id, landing)
            raise
        return Location(storage.storage_id, is_apart=True, at=landing.path), landing

    async def apart(self, support: Support, storage: Storage, key: Key) -> Landing:
        """Return a place that no name is a part of, for bytes of a file that lie elsewhere now.

        Raises: PersistenceUnavailable.
        """
        space_id, generation = support.space_id, self._random_bytes(8)
        name = await self._journal.new_staging_name(space_id)
        path_of = moved_path if is_named(support, storage) else flat_path
        path = path_of(space_id, key, generation.hex())
        landing = Landing(storage.storage_id, name, path, key, generation, stays=True, is_entered=True)
        await self._engine.commit(Scope(space_id), Batch(landing.enter()))
        return landing

    async def aside(self, support: Support, storage: Storage) -> Landing:
        """Return a place for bytes that become part of no file. Raises: PersistenceUnavailable."""
        space_id = support.space_id
        name = await self._journal.new_staging_name(space_id)
        is_entered = not is_named(support, storage)
        path, key = staging_path(space_id, name), Key(new_id(self._random_bytes))
        landing = Landing(storage.storage_id, name, path, key, b"", is_entered=is_entered)
        if is_entered:
            await self._engine.commit(Scope(space_id), Batch(landing.enter()))
        return landing

    def growing(self, support: Support, storage: Storage, name: str) -> Landing:
        """Return the place of a content that grows over many requests, the same each time."""
        generation, stays = self._random_bytes(8), not is_named(support, storage)
        return growing(support.space_id, storage.storage_id, name, generation, stays=stays)

    async def give_back(self, space_id: SpaceId, landing: Landing) -> None:
        """Remove bytes that no commit refers to; what fails now is swept when this life is over."""
        storage = self._storages.get(landing.storage_id)
        try:
            if storage is not None:
                await storage.helper.remove(landing.path)
                if landing.is_entered:
                    await self._engine.commit(Scope(space_id), Batch(landing.strike_off()))
        except (StorageError, PersistenceError) as error:
            self._log.warn("bytes of nobody stay for now: {error}", error=error)

    async def _is_ours(
        self, space_id: SpaceId, storage: Storage, landing: Landing, *, may_exist: bool
    ) -> bool:
        """Enter a place; ``False`` when another content has it, or what another file left is there still."""
        scope = Scope(space_id)
        try:
            await self._engine.commit(scope, Batch(landing.enter()))
        except PreconditionFailed:
            return False
        if may_exist or await _is_free(storage, landing.path):
            return True
        await self._engine.commit(scope, Batch(landing.strike_off()))
        return False


def empty_location(support: Support, storage: Storage, key: Key) -> Location:
    """Return where the bytes of a file will be that has none yet, when nothing is done for it before."""
    if is_named(support, storage):
        return Location(storage.storage_id)
    return Location(storage.storage_id, is_apart=True, at=flat_path(support.space_id, key))


async def _is_free(storage: Storage, path: StoragePath) -> bool:
    try:
        await storage.helper.stat(path)
    except StorageError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return True
        raise
    return False
