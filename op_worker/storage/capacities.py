"""How much room storages have themselves, remembered for a while."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from onedata.ids import StorageId
from op_worker.storage.helper import Capacity, StorageError, StorageHelper, SupportsCapacity

FRESH_S = 10.0


@define(eq=False)
class Capacities:
    """Asks storages how full they are, each at most every ``FRESH_S``, whatever it answers."""

    _clock: IReactorTime
    _known: dict[StorageId, tuple[float, Capacity | None]] = field(factory=dict)
    _log = Logger()

    async def of(self, storage_id: StorageId, helper: StorageHelper) -> Capacity | None:
        """Return how full a storage is; ``None`` where it cannot tell, or not now."""
        if not isinstance(helper, SupportsCapacity):
            return None
        known, now_s = self._known.get(storage_id), self._clock.seconds()
        if known is not None and now_s - known[0] < FRESH_S:
            return known[1]
        found: Capacity | None = None
        try:
            found = await helper.capacity()
        except StorageError as error:
            self._log.warn("a storage does not tell how full it is: {error}", error=error)
        self._known[storage_id] = (now_s, found)
        return found
