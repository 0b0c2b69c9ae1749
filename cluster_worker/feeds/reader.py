"""Reading the feeds of scopes, each from a position of its own, for as long as the service runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import Change, Engine, PersistenceError, Scope, Seq
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService

BATCH = 500
"""The most changes that are handed over at a time."""
POLL_S = 5.0
"""A scope that is not known to be read to its end is looked at so often also without news."""
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0


class Consumer(Protocol):
    """What is done with the changes of a scope."""

    @property
    def name(self) -> str:
        """What the log calls it."""

    async def position(self, scope: Scope) -> Seq | None:
        """Return the number of the last change consumed; ``None`` when it is not our turn now."""

    async def consume(self, scope: Scope, changes: Sequence[Change]) -> None:
        """Take in changes in order and move the position behind them, both or neither.

        Raises: PersistenceError to be asked again later, from the position.
        """


class FeedReader(TaskService):
    """Hands the changes of scopes to a consumer: soon after they happen, in order, each at least once.

    Args:
        scopes: which scopes are read now; asked again at each look.

    Attributes:
        reached: the last change consumed of each scope whose turn is this node's.
    """

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        consumer: Consumer,
        scopes: Callable[[], Collection[Scope]],
        clock: IReactorTime,
    ) -> None:
        super().__init__()
        self._engine, self._consumer, self._scopes, self._clock = engine, consumer, scopes, clock
        self._busy: set[Scope] = set()
        self._again: set[Scope] = set()
        self._read_up: set[Scope] = set()
        self._unwatch: Callable[[], None] | None = None
        self.reached: dict[Scope, Seq] = {}

    @property
    def reader_name(self) -> str:
        """What the log and metrics call it."""
        return self._consumer.name

    def startService(self) -> None:
        super().startService()
        self._unwatch = self._engine.watch(self.wake)
        self.spawn(f"look for {self._consumer.name}", self._look_around())

    def stopService(self) -> Deferred[None]:
        if self._unwatch is not None:
            self._unwatch()
        return super().stopService()

    async def catch_up(self, scope: Scope) -> bool:
        """Consume what is in the feed of a scope now; ``False`` when it is not our turn to the end.

        Raises: PersistenceError.
        """
        while (position := await self._consumer.position(scope)) is not None:
            self.reached[scope] = position
            changes = await self._engine.changes(scope, position, BATCH)
            if not changes:
                return True
            await self._consumer.consume(scope, changes)
        self.reached.pop(scope, None)
        return False

    async def _look_around(self) -> None:
        while True:
            for scope in list(self._scopes()):
                if scope not in self._read_up:
                    self.wake(scope)
            await sleep(self._clock, POLL_S)

    def wake(self, scope: Scope) -> None:
        """Look at the feed of a scope soon."""
        self._read_up.discard(scope)
        if scope not in self._scopes():
            return
        if scope in self._busy:
            self._again.add(scope)
            return
        self._busy.add(scope)
        self.spawn(f"{self._consumer.name} of {scope}", self._read(scope))

    async def _read(self, scope: Scope) -> None:
        pause_s = _FIRST_PAUSE_S
        try:
            while True:
                self._again.discard(scope)
                try:
                    is_read_up = await self.catch_up(scope)
                except PersistenceError as error:
                    self._log.warn(
                        "{name} of {scope} goes on later: {error}",
                        name=self._consumer.name,
                        scope=scope,
                        error=error,
                    )
                    await sleep(self._clock, pause_s)
                    pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                    continue
                if scope not in self._again:
                    if is_read_up:
                        self._read_up.add(scope)
                    return
        finally:
            self._busy.discard(scope)
