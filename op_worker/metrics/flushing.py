"""Bringing what was counted on this node to the store, where the samples of all nodes are made."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import (
    ABSENT,
    Batch,
    Engine,
    OutcomeUnknown,
    PersistenceError,
    PreconditionFailed,
    Put,
    Scope,
)
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService
from onedata.ids import SpaceId, UserId
from op_worker.files.tallies import Tallies, Tally
from op_worker.metrics.records import PASSED, encode_tallies

FLUSH_S = 30.0
SURE_S = 240.0
"""For so long the store still knows of a parcel that it has had it; see ``KEPT_SLOTS``."""


@define(eq=False)
class _Parcel:
    """Tallies under the name by which they are stored, once.

    ``sent_s`` is when it was sent first without learning what became of it.
    """

    name: str
    tallies: dict[UserId, Tally]
    sent_s: float | None = None


class Flushing(TaskService):
    """Stores every ``flush_s``, and at the stop, what was counted meanwhile.

    Each parcel has a name and is stored once: when the store did not answer, the same parcel is tried again.
    A crash loses what was counted since the last flush, a store that is away for long loses a parcel that was
    on its way; nothing counts twice.

    Args:
        owner: of this run of this node; see ``owner_text``.
        taken: told of everything that was counted.
    """

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        tallies: Tallies,
        owner: str,
        taken: Callable[[SpaceId, dict[UserId, Tally]], None],
        *,
        clock: IReactorTime,
        flush_s: float = FLUSH_S,
    ) -> None:
        super().__init__()
        self._engine, self._tallies, self._owner, self._taken = engine, tallies, owner, taken
        self._clock, self._flush_s = clock, flush_s
        self._number = 0
        self._open: dict[SpaceId, _Parcel] = {}
        self._next: dict[SpaceId, dict[UserId, Tally]] = {}

    def startService(self) -> None:
        super().startService()
        self.spawn("flushing metrics", self._run())

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop())

    async def flush(self) -> None:
        """Store what was counted so far; what cannot be stored now is stored later."""
        self.collect()
        for space_id in [*self._open, *(one for one in self._next if one not in self._open)]:
            await self._flush_space(space_id)

    def collect(self) -> None:
        """Take over what was counted."""
        for space_id, tallies in self._tallies.take().items():
            self._taken(space_id, tallies)
            waiting = self._next.setdefault(space_id, {})
            for user_id, tally in tallies.items():
                waiting.setdefault(user_id, Tally()).add(tally)

    async def _run(self) -> None:
        while True:
            await sleep(self._clock, self._flush_s)
            await self.flush()

    async def _stop(self) -> None:
        await super().stopService()
        await self.flush()

    async def _flush_space(self, space_id: SpaceId) -> None:
        while parcel := self._parcel(space_id):
            put = Put(PASSED, parcel.name, encode_tallies(parcel.tallies), expect=ABSENT)
            tried_s = self._clock.seconds()
            try:
                if parcel.sent_s is None or tried_s - parcel.sent_s < SURE_S:
                    await self._engine.commit(Scope(space_id), Batch([put]))
            except PreconditionFailed:
                pass  # an earlier try succeeded after all
            except PersistenceError as error:
                if isinstance(error, OutcomeUnknown) and parcel.sent_s is None:
                    parcel.sent_s = tried_s
                self._log.warn("metrics of {space} are stored later: {error}", space=space_id, error=error)
                return
            self._open.pop(space_id, None)

    def _parcel(self, space_id: SpaceId) -> _Parcel | None:
        if space_id not in self._open and (tallies := self._next.pop(space_id, None)):
            self._number += 1
            self._open[space_id] = _Parcel(f"{self._owner}/{self._number}", tallies)
        return self._open.get(space_id)
