"""The trash of a space: what was removed waits here until its content is purged.

What is in the trash is nobody's any more: its files cannot be found by id or path.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import Engine, Key, PersistenceError, Scope
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskOwner
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId, trash_uuid
from op_worker.files.removing.purging import PAGE, Purging
from op_worker.files.removing.storage_trees import names_in, remove_tree
from op_worker.files.stored.documents import BASE, META
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.paths import TRASH, trash_path
from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.registry import Storages

_MOST_FAILURES = 5
_SWEPT = 1000
_PAUSE_S = 1.0


@define(eq=False)
class Trash:
    """Empties the trash of each space, one purge at a time in each."""

    _engine: Engine
    _storages: Storages
    _purging: Purging
    _tasks: TaskOwner
    _clock: IReactorTime
    _busy: set[SpaceId] = field(factory=set)
    _again: set[SpaceId] = field(factory=set)
    _log = Logger()

    def purge_soon(self, space_id: SpaceId) -> None:
        """Start a purge, or let the one that runs go around once more."""
        if space_id in self._busy:
            self._again.add(space_id)
            return
        self._busy.add(space_id)
        self._tasks.spawn("purge", self._purge_with_retries(space_id))

    async def purge(self, space_id: SpaceId) -> None:
        """Empty the trash of a space; returns when nothing is left that can be removed now."""
        scope, trash = Scope(space_id), Key(trash_uuid(space_id))
        while entries := await self._engine.page(scope, trash, None, PAGE, BASE):
            for item in entries:
                await self._purging.purge(space_id, item)

    async def _purge_with_retries(self, space_id: SpaceId) -> None:
        failures = 0
        try:
            while failures < _MOST_FAILURES:
                self._again.discard(space_id)
                try:
                    await self.purge(space_id)
                except (PersistenceError, StorageError, ServiceUnavailable) as error:
                    failures += 1
                    self._log.warn("purging {space} goes on later: {error}", space=space_id, error=error)
                    await sleep(self._clock, _PAUSE_S * 2**failures)
                    continue
                if space_id not in self._again:
                    return
        finally:
            self._busy.discard(space_id)

    async def sweep(self, space_id: SpaceId) -> None:
        """Remove what lies in the trash folder of the storage and belongs to no file of the space.

        Keys are never used again, so what has no documents now has none later.

        Raises: PersistenceUnavailable; StorageError.
        """
        support = self._storages.for_space(space_id)
        if support is None or support.storage.directories is None:
            return
        names = await names_in(support.storage.directories, StoragePath(f"{space_id}/{TRASH}"))
        for first in range(0, len(names), _SWEPT):
            for path in await self._forgotten(space_id, names[first : first + _SWEPT]):
                await remove_tree(support.storage, path)

    async def _forgotten(self, space_id: SpaceId, names: Sequence[str]) -> list[StoragePath]:
        """Return where those of ``names`` are that belong to no file and that nothing is pending at."""
        found = await self._engine.get_many(Scope(space_id), [Key(name) for name in names], [META])
        pairs = zip(names, found, strict=True)
        paths = [trash_path(space_id, name) for name, documents in pairs if META not in documents]
        pending = await self._engine.get(Scope(space_id), INTENTS, paths) if paths else {}
        return [path for path in paths if path not in pending]
