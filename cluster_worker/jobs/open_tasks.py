"""What a node knows of the tasks that are not ended: read when there is news, and from time to time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.jobs.layout import NEWS, Stored
from cluster_worker.jobs.news import News
from cluster_worker.jobs.task import PARTITIONS, TaskId
from cluster_worker.jobs.tasks import Tasks
from cluster_worker.persistence.engine import Engine, PersistenceError, Scope, Seq
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService

LOOK_EVERY_S = 30.0
"""How often all scopes are looked at: who began a task may have died before he told."""
MOST_OF_A_SCOPE = 10_000
"""How many tasks of a scope a node knows at a time: those that are ongoing, and the oldest."""
_RETRY_S = 1.0
_BATCH = 500


class OpenTasks(TaskService):
    """Knows the open tasks by partition.

    Args:
        scopes: in which there may be tasks.
        on_seen: called with each task that is read.
    """

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        scopes: Callable[[], Collection[Scope]],
        clock: IReactorTime,
        on_seen: Callable[[Stored], None],
    ) -> None:
        super().__init__()
        self._engine, self._scopes, self._clock, self._on_seen = engine, scopes, clock, on_seen
        self._tasks = Tasks(engine)
        self._by_scope: dict[Scope, dict[TaskId, Stored]] = {}
        self._listeners = [News() for _ in range(PARTITIONS)]
        self._feed = News()
        self._unwatch: Callable[[], None] | None = None

    def startService(self) -> None:
        super().startService()
        self._unwatch = self._engine.watch(self._on_moved)
        self.spawn("news of tasks", self._follow())
        self.spawn("look for tasks", self._look_around())

    def stopService(self) -> Deferred[None]:
        if self._unwatch is not None:
            self._unwatch()
        return super().stopService()

    def of(self, partition: int) -> Sequence[Stored]:
        """The open tasks of a partition; those of one scope in order of age, ongoing ones first."""
        known = self._by_scope.values()
        return [one for tasks in known for one in tasks.values() if one.id.partition == partition]

    @property
    def count(self) -> int:
        """How many are known."""
        return sum(map(len, self._by_scope.values()))

    def news(self, partition: int) -> News:
        """Told when something in a partition may have changed."""
        return self._listeners[partition]

    def forget(self, task_id: TaskId) -> None:
        """The task has ended."""
        self._by_scope.get(task_id.scope, {}).pop(task_id, None)

    async def look_at_all(self) -> None:
        """Read the open tasks of every scope. Raises: PersistenceError."""
        scopes = {NEWS, *self._scopes()}
        for scope in self._by_scope.keys() - scopes:
            del self._by_scope[scope]
        for scope in scopes:
            await self.look_at(scope)

    async def look_at(self, scope: Scope) -> None:
        """Read the open tasks of a scope. Raises: PersistenceError."""
        found = await self._tasks.open(scope, MOST_OF_A_SCOPE)
        if found or scope in self._by_scope:
            self._by_scope[scope] = {one.id: one for one in found}
        for one in found:
            self._on_seen(one)
        for partition in {one.id.partition for one in found}:
            self._listeners[partition].tell()

    def _on_moved(self, scope: Scope) -> None:
        if scope == NEWS:
            self._feed.tell()

    async def _look_around(self) -> None:
        while True:
            pause_s = LOOK_EVERY_S
            try:
                await self.look_at_all()
            except PersistenceError as error:
                self._log.warn("tasks are looked for later: {error}", error=error)
                pause_s = _RETRY_S
            await sleep(self._clock, pause_s)

    async def _follow(self) -> None:
        position: Seq | None = None
        while True:
            try:
                if position is None:
                    position = await self._engine.last_seq(NEWS)
                    await self.look_at_all()
                for change in await self._engine.changes(NEWS, position, _BATCH):
                    await self.look_at(Scope(change.key))
                    position = change.seq
                    self._feed.tell()
            except PersistenceError as error:
                self._log.debug("news of tasks is read later: {error}", error=error)
                await sleep(self._clock, _RETRY_S)
                continue
            await self._feed.wait()
