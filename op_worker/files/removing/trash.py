"""The trash of a space: what was removed waits here until its content is purged.

What is in the trash is nobody's any more: its files cannot be found by id or path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen

from cluster_worker.persistence.engine import Engine, Entry, Key, Scope
from onedata.ids import SpaceId, trash_uuid
from op_worker.files.removing.purging import PAGE, Purging
from op_worker.files.removing.storage_trees import names_in, remove_tree
from op_worker.files.stored.documents import BASE, META
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.paths import TRASH, trash_path
from op_worker.storage.helper import StoragePath
from op_worker.storage.registry import Storages

_SWEPT = 1000


PurgeSoon = Callable[[SpaceId], None]
"""Lets the trash of a space be emptied soon, and once more when that goes on already."""


@frozen(eq=False)
class Trash:
    """The trash of each space."""

    _engine: Engine
    _storages: Storages
    _purging: Purging
    _purge_soon: PurgeSoon

    def purge_soon(self, space_id: SpaceId) -> None:
        """Let the trash of a space be emptied soon, once more if that goes on already."""
        self._purge_soon(space_id)

    async def waiting(self, space_id: SpaceId, after: bytes | None) -> Sequence[Entry]:
        """Return the next entries of the trash, behind the name ``after``."""
        found = await self._engine.page(Scope(space_id), Key(trash_uuid(space_id)), after, PAGE, ())
        return [item.entry for item in found]

    async def purge(self, space_id: SpaceId, name: bytes) -> None:
        """Remove an entry of the trash with all it holds; nothing happens when it is gone.

        Raises: as ``Purging.purge``.
        """
        scope, trash = Scope(space_id), Key(trash_uuid(space_id))
        for item in await self._engine.page_from(scope, trash, name, 0, 1, BASE):
            if item.entry.name == name:
                await self._purging.purge(space_id, item)

    async def sweep(self, space_id: SpaceId) -> None:
        """Remove what lies in the trash folder of the storage and belongs to no file of the space.

        Keys are never used again, so what has no documents now has none later.

        Raises: PersistenceUnavailable; StorageError.
        """
        support = self._storages.for_space(space_id)
        named = None if support is None else support.named
        if named is None or named.directories is None:
            return
        names = await names_in(named.directories, StoragePath(f"{space_id}/{TRASH}"))
        for first in range(0, len(names), _SWEPT):
            for path in await self._forgotten(space_id, names[first : first + _SWEPT]):
                await remove_tree(named, path)

    async def _forgotten(self, space_id: SpaceId, names: Sequence[str]) -> list[StoragePath]:
        """Return where those of ``names`` are that belong to no file and that nothing is pending at."""
        found = await self._engine.get_many(Scope(space_id), [Key(name) for name in names], [META])
        pairs = zip(names, found, strict=True)
        paths = [trash_path(space_id, name) for name, documents in pairs if META not in documents]
        pending = await self._engine.get(Scope(space_id), INTENTS, paths) if paths else {}
        return [path for path in paths if path not in pending]
