"""What one node does for each space that is imported: the first scan, scans from time to time, notices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine
from typing import Any

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.runtime.clock import WallClock, sleep
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.tenure.owned_works import OwnedWorks
from cluster_worker.tenure.tenure import Tenure
from cluster_worker.tenure.works import Works
from onedata.errors import NotFound, OnedataError
from onedata.ids import SpaceId
from op_worker.importing.due import is_scan_due, is_waiting
from op_worker.importing.service import Imports

LOOK_EVERY_S = 1.0
BEGIN_AGAIN_S = 2.0
"""How often a scan that waits is begun again: whoever wanted it may have died, or the last one was ending."""

Notices = Callable[[SpaceId, Tenure], Coroutine[Any, Any, None]]
"""Follows the notices of a space, as long as they are wanted, until it is cancelled."""


@frozen(eq=False)
class Following:
    """Follows spaces. What the store or the zone refuses now is tried again a second later."""

    _imports: Imports
    _notices: Notices
    _clock: IReactorTime
    _wall_clock: WallClock
    _log = Logger()

    def works(self, works: Works, supported: Callable[[], Collection[SpaceId]]) -> OwnedWorks:
        """Return the service that lets one node follow each imported space."""
        return works.each("importing", lambda: self._imports.imported(supported()), self.follow)

    async def follow(self, key: str, tenure: Tenure) -> None:
        """Follow a space until cancelled. Raises: Deposed; PersistenceError, after which it begins anew."""
        space_id = SpaceId(key)
        tasks = TaskOwner()
        tasks.spawn(f"notices of {space_id}", self._notices(space_id, tenure))
        begun_s = -BEGIN_AGAIN_S
        try:
            while True:
                tenure.require()
                begun_s = await self._begin_scans(space_id, begun_s)
                await sleep(self._clock, LOOK_EVERY_S)
        finally:
            await tasks.close()

    async def _begin_scans(self, space_id: SpaceId, begun_s: float) -> float:
        """Begin what is due; return when a scan that waits was begun last."""
        try:
            config = await self._imports.config(space_id)
            last = (await self._imports.info(space_id)).scan
            if is_waiting(last) and last is not None:
                if self._clock.seconds() - begun_s >= BEGIN_AGAIN_S:
                    await self._imports.begin_task(space_id, last.scan_id)
                    return self._clock.seconds()
            elif is_scan_due(config, last, self._wall_clock()):
                await self._imports.start_scan(space_id)
        except NotFound:
            return begun_s  # nothing is chosen yet, or it is not imported any more
        except OnedataError as error:
            self._log.warn("a scan of {space} is not begun now: {error}", space=space_id, error=error)
        return begun_s
