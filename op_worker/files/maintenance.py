"""Finishing what crashes and outages left undone: after the start, and from time to time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from itertools import count

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import PersistenceError
from cluster_worker.runtime.clock import sleep
from cluster_worker.tenure.tenure import Tenure
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId
from op_worker.files.charging.recharging import Recharging
from op_worker.files.committing.journal import Journal
from op_worker.files.committing.staging_sweep import StagingSweep
from op_worker.files.content.detached import DetachedTrees
from op_worker.files.removing.overdue import Overdue
from op_worker.files.removing.recycling import Recycling
from op_worker.files.removing.trash import Trash
from op_worker.files.tree.inodes import Inodes
from op_worker.files.tree.unfinished_copies import UnfinishedCopies
from op_worker.storage.helper import StorageError
from op_worker.storage.registry import Storages

PERIOD_S = 60.0
SWEEP_EVERY = 60
"""In so many rounds once, what takes as long as there are files is looked through."""


@frozen(eq=False)
class Maintenance:
    """Looks after every supported space, one after the other.

    Whatever is swept here is swept by commits that fail when it is in use again, or was swept already; so a
    node that slept in the middle of a round may go on with it.
    """

    _storages: Storages
    _journal: Journal
    _staging: StagingSweep
    _trash: Trash
    _recycling: Recycling
    _overdue: Overdue
    _inodes: Inodes
    _unfinished: UnfinishedCopies
    _recharging: Recharging
    _detached: DetachedTrees
    _clock: IReactorTime
    _rounds: Iterator[int] = field(factory=count)
    _log = Logger()

    async def run(self) -> None:
        """Settle in every space, at once and every minute: what each node does for itself, for ever."""
        while True:
            for support in list(self._storages.supported()):
                await self._done_or_logged(support.space_id, self.settle)
            await sleep(self._clock, PERIOD_S)

    async def look_after_all(self, tenure: Tenure) -> None:
        """Go through every space once: what one node does for all. Raises: Deposed."""
        work = self.recover if next(self._rounds) % SWEEP_EVERY == 0 else self.tidy
        for support in list(self._storages.supported()):
            tenure.require()
            await self._done_or_logged(support.space_id, work)

    async def settle(self, space_id: SpaceId) -> None:
        """Finish pending operations of this node and of lives that are over, purge, charge anew."""
        await self._journal.settle_all(space_id)
        self._trash.purge_soon(space_id)
        await self._recharging.go_on(space_id)

    async def tidy(self, space_id: SpaceId) -> None:
        """Settle, remove forgotten staging files and copies, give up trees that nobody makes any more, remove
        files whose retention ended if they were to go then, empty the bin of what expired."""
        await self._journal.settle_all(space_id)
        await self._staging.sweep(space_id)
        await self._unfinished.sweep(space_id)
        await self._detached.sweep(space_id)
        await self._overdue.sweep(space_id)
        await self._recycling.expire(space_id)
        if await self._trash.waiting(space_id, None):
            self._trash.purge_soon(space_id)
        await self._recharging.go_on(space_id)

    async def recover(self, space_id: SpaceId) -> None:
        """Tidy, and look through what lies in the system's folders on the storage."""
        await self.tidy(space_id)
        await self._trash.sweep(space_id)
        await self._inodes.sweep(space_id)

    async def _done_or_logged(self, space_id: SpaceId, work: Callable[[SpaceId], Awaitable[None]]) -> None:
        try:
            await work(space_id)
        except (PersistenceError, StorageError, ServiceUnavailable) as error:
            self._log.warn("recovery of {space} goes on later: {error}", space=space_id, error=error)
