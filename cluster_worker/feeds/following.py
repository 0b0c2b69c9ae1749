"""Keeping something in memory true to what a scope holds, whichever node changes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import Engine, PersistenceError, Scope
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


class Following(TaskService):
    """Has ``read`` called soon after each time that the feed of a scope moved, from any node.

    One call at a time; news that comes meanwhile causes one more. What fails because the store is away is
    tried again, after growing pauses, until it succeeds. It keeps no position, so it may follow a store that
    lost its last changes.

    Args:
        read: reads everything anew.
    """

    _log = Logger()

    def __init__(
        self, engine: Engine, scope: Scope, read: Callable[[], Awaitable[object]], clock: IReactorTime
    ) -> None:
        super().__init__()
        self._engine, self._scope, self._read, self._clock = engine, scope, read, clock
        self._is_behind = self._is_reading = False
        self._unwatch: Callable[[], None] = lambda: None

    def startService(self) -> None:
        super().startService()
        self._unwatch = self._engine.watch(self._moved)

    def stopService(self) -> Deferred[None]:
        self._unwatch()
        return super().stopService()

    def _moved(self, scope: Scope) -> None:
        if scope != self._scope:
            return
        self._is_behind = True
        if not self._is_reading and self.running:
            self._is_reading = True
            self.spawn(f"follow {scope}", self._catch_up())

    async def _catch_up(self) -> None:
        pause_s = _FIRST_PAUSE_S
        try:
            while self._is_behind:
                self._is_behind = False
                try:
                    await self._read()
                except PersistenceError as error:
                    self._log.warn("{scope} is read again later: {error}", scope=self._scope, error=error)
                    self._is_behind = True
                    await sleep(self._clock, pause_s)
                    pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        finally:
            self._is_reading = False
