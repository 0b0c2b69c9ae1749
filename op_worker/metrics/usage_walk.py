"""The walk over a space that sums up what its users hold, page by page."""

from __future__ import annotations

from attrs import define, field
from twisted.logger import Logger

from cluster_worker.persistence.engine import Batch, Engine, Put, Seq
from cluster_worker.runtime.clock import WallClock
from cluster_worker.tenure.tenure import Fence
from op_worker.metrics.records import METRICS, MOST_USERS, USAGE, USERS, decode_users
from op_worker.metrics.usage import USAGE_FIELDS, Sums, Usage

WALK_PAGE = 500
WALK_PAUSE_S = 0.1
"""How long an owner waits between pages, so that neither the reactor nor the store is busy with a walk."""
USER_USAGE_S = 3600.0


@define(eq=False)
class Turn:
    """Given to one walk of a node at a time."""

    _holder: object = None

    def take(self, walk: object) -> bool:
        """Give the turn to a walk if it is free; return whether the walk has it."""
        if self._holder is None:
            self._holder = walk
        return self._holder is walk

    def give_back(self, walk: object) -> None:
        """Free the turn if this walk has it."""
        if self._holder is walk:
            self._holder = None


@define(eq=False)
class UsageWalk:
    """Reads the change feed of a space, which names every file once, and stores what each owner holds.

    A file that changes meanwhile comes again at the end of the feed, and is not counted again. What was
    summed up so far is in memory only: who takes over begins anew.
    """

    _log = Logger()

    _engine: Engine
    _fence: Fence
    _turn: Turn
    _wall_clock: WallClock
    _every_s: float = USER_USAGE_S
    _page: int = WALK_PAGE
    _ended_s: float | None = field(default=None, init=False)
    _is_known: bool = field(default=False, init=False)
    _sums: Sums | None = field(default=None, init=False)
    _position: Seq = field(default=Seq(0), init=False)

    async def step(self) -> bool:
        """Read a page if a walk is due, and store the sums after the last one.

        Returns whether there are more pages.

        Raises: Deposed; PersistenceUnavailable.
        """
        if self._sums is None and not await self._begins():
            return False
        assert self._sums is not None
        is_last = await self._read_page(self._sums)
        if is_last:
            await self._store(self._sums.ended(self._wall_clock()))
        return not is_last

    def stop(self) -> None:
        """Forget what was summed up."""
        self._sums = None
        self._turn.give_back(self)

    async def _begins(self) -> bool:
        if not self._is_known:
            found = await self._engine.get(self._fence.scope, METRICS, [USAGE])
            usage = Usage.decode(found.get(USAGE))
            self._ended_s, self._is_known = None if usage is None else usage.ended_s, True
        if self._ended_s is not None and 0 <= self._wall_clock() - self._ended_s < self._every_s:
            return False
        if not self._turn.take(self):
            return False
        found = await self._engine.get(self._fence.scope, METRICS, [USERS])
        self._sums, self._position = Sums.of(decode_users(found.get(USERS)), MOST_USERS), Seq(0)
        return True

    async def _read_page(self, sums: Sums) -> bool:
        """Return whether the end of the feed was reached."""
        scope = self._fence.scope
        changes = await self._engine.changes(scope, self._position, self._page)
        keys = [change.key for change in changes]
        found = await self._engine.get_many(scope, keys, USAGE_FIELDS) if keys else ()
        for key, documents in zip(keys, found, strict=True):
            try:
                sums.add(key, documents)
            except Exception as error:  # noqa: BLE001 - whatever damage does to a record
                self._log.warn("{key} counts for nobody: {error}", key=key, error=error)
        if changes:
            self._position = changes[-1].seq
        return len(changes) < self._page

    async def _store(self, usage: Usage) -> None:
        await self._fence.commit(self._engine, Batch([Put(METRICS, USAGE, usage.encode())]))
        self._ended_s = usage.ended_s
        self.stop()
