"""Which spaces can be searched now: looked at from time to time, and whenever one is searched."""

from __future__ import annotations

from collections.abc import Callable, Collection

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.feeds.reader import FeedReader
from cluster_worker.persistence.engine import Engine, PersistenceError, Scope
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService
from onedata.ids import SpaceId
from op_worker.search.indexing import Indexing

LOOK_S = 5.0


class Switching(TaskService):
    """Has the feeds of spaces read while search is on there, and no others.

    Attributes:
        reader: reads the feeds; to be started apart.
    """

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        indexing: Indexing,
        spaces: Callable[[], Collection[SpaceId]],
        clock: IReactorTime,
    ) -> None:
        super().__init__()
        self._indexing, self._spaces, self._clock = indexing, spaces, clock
        self._on: set[Scope] = set()
        self.reader = FeedReader(engine, indexing, lambda: self._on, clock)

    def startService(self) -> None:
        super().startService()
        self.spawn("look which spaces are searched", self._run())

    def switch_on(self, scope: Scope) -> None:
        """Read the feed of a space from now on."""
        if scope not in self._on:
            self._on.add(scope)
            self.reader.wake(scope)

    async def _run(self) -> None:
        while True:
            try:
                await self._look()
            except PersistenceError as error:
                self._log.warn("which spaces are searched is looked up later: {error}", error=error)
            await sleep(self._clock, LOOK_S)

    async def _look(self) -> None:
        for space_id in list(self._spaces()):
            scope = Scope(space_id)
            if await self._indexing.position(scope) is None:
                self._on.discard(scope)
            else:
                self.switch_on(scope)
