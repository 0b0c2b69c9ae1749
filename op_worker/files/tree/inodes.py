"""Bytes that lie apart from names: a look for those that no file refers to any more."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from cluster_worker.persistence.engine import Engine, Key, Scope
from onedata.ids import SpaceId
from op_worker.files.removing.storage_trees import names_in
from op_worker.files.stored.documents import LOCATION
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.paths import INODES, inode_path
from op_worker.storage.helper import StoragePath
from op_worker.storage.registry import Storages

_PAGE = 1000


@frozen(eq=False)
class Inodes:
    """The folder of each space's storage that holds the bytes of files with several names."""

    _engine: Engine
    _storages: Storages

    async def sweep(self, space_id: SpaceId) -> None:
        """Remove bytes whose file is gone. Keys are never used again, so what is gone stays gone.

        Raises: PersistenceUnavailable; StorageError.
        """
        support = self._storages.for_space(space_id)
        named = None if support is None else support.named
        if named is None or named.directories is None:
            return
        names = await names_in(named.directories, StoragePath(f"{space_id}/{INODES}"))
        for first in range(0, len(names), _PAGE):
            for name in await self._forgotten(space_id, names[first : first + _PAGE]):
                await named.helper.remove(inode_path(space_id, name))

    async def _forgotten(self, space_id: SpaceId, names: Sequence[str]) -> list[str]:
        """Return those names that belong to no file and that nothing is pending at."""
        scope = Scope(space_id)
        found = await self._engine.get_many(scope, [Key(name) for name in names], [LOCATION])
        gone = [name for name, documents in zip(names, found, strict=True) if LOCATION not in documents]
        if not gone:
            return []
        pending = await self._engine.get(scope, INTENTS, [inode_path(space_id, name) for name in gone])
        return [name for name in gone if inode_path(space_id, name) not in pending]
