"""Emptying the trash without background jobs: for a file service by itself, such as in tools and tests."""

from __future__ import annotations

from attrs import define, field
from twisted.logger import Logger

from cluster_worker.persistence.engine import Engine, Key, PersistenceError, Scope
from cluster_worker.runtime.services import TaskOwner
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId, trash_uuid
from op_worker.files.removing.purging import PAGE, Purging
from op_worker.files.stored.documents import BASE
from op_worker.storage.helper import StorageError


@define(eq=False)
class PurgesHere:
    """Purges in this process, one space's trash at a time, without retries: the next round comes anyway."""

    _engine: Engine
    _purging: Purging
    _tasks: TaskOwner
    _busy: set[SpaceId] = field(factory=set)
    _again: set[SpaceId] = field(factory=set)
    _log = Logger()

    def soon(self, space_id: SpaceId) -> None:
        """Start a purge, or let the one that runs go around once more."""
        if space_id in self._busy:
            self._again.add(space_id)
        else:
            self._busy.add(space_id)
            self._tasks.spawn("purge", self._purge(space_id))

    async def _purge(self, space_id: SpaceId) -> None:
        scope, trash, is_wanted = Scope(space_id), Key(trash_uuid(space_id)), True
        try:
            while is_wanted:
                self._again.discard(space_id)
                while entries := await self._engine.page(scope, trash, None, PAGE, BASE):
                    for item in entries:
                        await self._purging.purge(space_id, item)
                is_wanted = space_id in self._again
        except (PersistenceError, StorageError, ServiceUnavailable) as error:
            self._log.warn("purging {space} goes on later: {error}", space=space_id, error=error)
        finally:
            self._busy.discard(space_id)
