"""Finishing what crashes and outages left undone: after the start, and from time to time."""

from __future__ import annotations

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import PersistenceError
from cluster_worker.runtime.clock import sleep
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId
from op_worker.files.journal import Journal
from op_worker.files.trash import Trash
from op_worker.storage.helper import StorageError
from op_worker.storage.registry import Storages

PERIOD_S = 60.0


@frozen(eq=False)
class Maintenance:
    """Looks after every supported space, one after the other."""

    _storages: Storages
    _journal: Journal
    _trash: Trash
    _clock: IReactorTime
    _log = Logger()

    async def run(self) -> None:
        """Recover every space once, and again every minute: little to do when all is well."""
        while True:
            for support in list(self._storages.supported()):
                await self._recover_or_log(support.space_id)
            await sleep(self._clock, PERIOD_S)

    async def recover(self, space_id: SpaceId) -> None:
        """Settle pending operations, remove forgotten staging files, purge the trash."""
        await self._journal.settle_all(space_id)
        await self._journal.sweep_staging(space_id)
        self._trash.purge_soon(space_id)

    async def _recover_or_log(self, space_id: SpaceId) -> None:
        try:
            await self.recover(space_id)
        except (PersistenceError, StorageError, ServiceUnavailable) as error:
            self._log.warn("recovery of {space} goes on later: {error}", space=space_id, error=error)
