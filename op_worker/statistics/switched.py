"""Which spaces have statistics to be kept, or to be taken away."""

from __future__ import annotations

from collections.abc import Callable, Collection

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import Engine, PersistenceError, Scope
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService
from onedata.ids import SpaceId
from op_worker.files.settings import FRESH_S, Settings
from op_worker.statistics.states import FIELD, STATE, Phase, State

LOOK_S = 5.0


class Switched(TaskService):
    """Knows the spaces whose feeds some node is to read for statistics.

    Spaces are looked at when they come, when they change while they are off, and every ``LOOK_S`` while they
    are on.

    Args:
        spaces: those that are supported now.
        on_new: told of each space soon after statistics were switched on there.
    """

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        spaces: Callable[[], Collection[Scope]],
        clock: IReactorTime,
        on_new: Callable[[Scope], None],
    ) -> None:
        super().__init__()
        self._engine, self._settings, self._spaces = engine, settings, spaces
        self._clock, self._on_new = clock, on_new
        self._on: set[Scope] = set()
        self._off: set[Scope] = set()
        self._looking: set[Scope] = set()
        self._unwatch: Callable[[], None] = lambda: None

    @property
    def scopes(self) -> Collection[Scope]:
        """The spaces to be read."""
        return self._on

    def startService(self) -> None:
        super().startService()
        self._unwatch = self._engine.watch(self._moved)
        self.spawn("look which spaces have statistics", self._look_around())

    def stopService(self) -> Deferred[None]:
        self._unwatch()
        return super().stopService()

    def _moved(self, scope: Scope) -> None:
        if scope in self._off and scope not in self._looking:
            self._looking.add(scope)
            self.spawn("look whether a space has statistics", self._look_soon(scope))

    async def _look_soon(self, scope: Scope) -> None:
        await sleep(self._clock, 2 * FRESH_S)  # the settings are fresh then, and many changes cause one look
        self._looking.discard(scope)
        await self._look_or_log(scope)

    async def _look_around(self) -> None:
        while True:
            spaces = set(self._spaces())
            self._on &= spaces
            self._off &= spaces
            for scope in spaces - self._off:
                await self._look_or_log(scope)
            await sleep(self._clock, LOOK_S)

    async def _look_or_log(self, scope: Scope) -> None:
        try:
            await self._look(scope)
        except PersistenceError as error:
            self._log.warn("statistics of {scope} are looked at later: {error}", scope=scope, error=error)
            self._off.discard(scope)

    async def _look(self, scope: Scope) -> None:
        is_on = (await self._settings.of(SpaceId(scope))).statistics
        if not is_on and scope not in self._off:
            state = State.decode((await self._engine.get(scope, STATE, [FIELD])).get(FIELD))
            is_on = state.phase is not Phase.DISABLED  # what was kept is to be taken away
        if not is_on:
            self._on.discard(scope)
            self._off.add(scope)
        elif scope not in self._on:
            self._off.discard(scope)
            self._on.add(scope)
            self._on_new(scope)
