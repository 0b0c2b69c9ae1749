"""Background jobs, for everybody: begin, cancel, look at."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping, Sequence

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.jobs.audit import AuditEntry
from cluster_worker.jobs.context import Surroundings
from cluster_worker.jobs.layout import NEWS, Stored
from cluster_worker.jobs.open_tasks import OpenTasks
from cluster_worker.jobs.owner import JobRunner
from cluster_worker.jobs.task import PARTITIONS, Task, TaskId, TaskStatus
from cluster_worker.jobs.tasks import Tasks, beginning
from cluster_worker.jobs.traverse import Traverse
from cluster_worker.persistence.engine import Engine, PersistenceError, Scope, Step
from cluster_worker.runtime.clock import WallClock, sleep
from cluster_worker.runtime.randomness import RandomBytes
from cluster_worker.runtime.services import TaskService
from cluster_worker.tenure.owned_works import OwnedWorks
from cluster_worker.tenure.tenure import Tenure
from cluster_worker.tenure.timing import TenureTimes

MOST_LISTED = 1000
FORGET_EVERY_S = 600.0
_SCANNED = 200
_MOST_SCANS = 50


class NoSuchTask(Exception):
    """There is no task of this id, or it was forgotten after its end."""


class NotCancellable(Exception):
    """Tasks of this kind are done to their end."""


@frozen
class PoolGauges:
    """How busy this node is with a pool: tasks that wait for a slot or have one, and jobs that run."""

    tasks_waiting: int
    tasks: int
    masters: int
    slaves: int


@frozen
class TaskPage:
    """Tasks, the newest first. ``next_token`` leads to older ones, if there may be any."""

    tasks: Sequence[Stored]
    next_token: str | None


class Jobs(TaskService):
    """The background jobs of a cluster, as one node has to do with them.

    Args:
        owner: who this node is; see ``owner_text``.
        scopes: in which there may be tasks, besides ``NEWS``.
        nodes: how many nodes share the work.
        wanted: whether this node may own work.
        preference_s: how much longer than others this node waits for a key of the ring (``jobs:<n>``).
        home_of: which node a key of the ring belongs to; an owner lets go of what has moved elsewhere.
    """

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        owner: str,
        scopes: Callable[[], Collection[Scope]],
        *,
        clock: IReactorTime,
        wall_clock: WallClock,
        random_bytes: RandomBytes,
        nodes: Callable[[], int] = lambda: 1,
        wanted: Callable[[], bool] = lambda: True,
        preference_s: Callable[[str], float] = lambda key: 0.0,
        home_of: Callable[[str], str | None] = lambda key: None,
        times: TenureTimes = TenureTimes(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__()
        self._engine, self._scopes, self._clock = engine, scopes, clock
        self._wall_clock, self._random_bytes = wall_clock, random_bytes
        self._tasks, self._kinds = Tasks(engine), dict[str, Traverse]()
        self._open = OpenTasks(engine, scopes, clock, lambda stored: self._runner.on_seen(stored))
        around = Surroundings(engine, clock, owner)
        self._runner = JobRunner(around, self._kinds, self._open, wall_clock, nodes)
        self._partitions = OwnedWorks(
            engine,
            "jobs",
            owner,
            lambda: [str(number) for number in range(PARTITIONS)],
            self._own,
            clock=clock,
            times=times,
            wanted=lambda key: wanted(),
            preference_s=preference_s,
            home_of=home_of,
        )

    def offer(self, kind: Traverse) -> None:
        """Let tasks of a kind be done; all nodes offer the same, before they start."""
        self._kinds[kind.pool.name] = kind

    def startService(self) -> None:
        super().startService()
        self._open.startService()
        self._partitions.startService()

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop(super().stopService()))

    async def _stop(self, own_ended: Deferred[None]) -> None:
        await self._partitions.stopService()
        await self._open.stopService()
        await own_ended

    async def start(
        self,
        pool: str,
        group: str,
        payload: bytes,
        *,
        scope: Scope = NEWS,
        name: str | None = None,
        priority: int = 0,
    ) -> TaskId:
        """Begin a task, kept in ``scope``; while one of this name is open there, nothing happens.

        Raises: BadTaskId; KeyError when no such kind is offered; PersistenceUnavailable.
        """
        kind, now_s = self._kinds[pool], self._wall_clock()
        task_id = TaskId(scope, name or self._random_bytes(16).hex())
        task = Task(pool=kind.pool.name, group=group, priority=priority, created_s=now_s, payload=payload)
        await self._tasks.start(task_id, task, now_s)
        return task_id

    def do_soon(self, pool: str, group: str, payload: bytes, *, scope: Scope, name: str) -> None:
        """Let a task be done, without waiting; one of this name that is ongoing is done once more.

        That it could not be begun is logged.
        """
        self.spawn(f"begin of {name}", self._do_or_log(pool, group, payload, TaskId(scope, name)))

    def beginning(self, pool: str, group: str, payload: bytes, *, scope: Scope, name: str) -> list[Step]:
        """Return the steps that begin a task of a name that was never used in ``scope``.

        So that it begins in one commit with what it is about; call ``look_soon`` after that.
        """
        now_s = self._wall_clock()
        task = Task(pool=self._kinds[pool].pool.name, group=group, created_s=now_s, payload=payload)
        return beginning(TaskId(scope, name), task, now_s)

    def look_soon(self, scope: Scope) -> None:
        """Let every node look for tasks of a scope soon; by themselves they do within half a minute."""
        self.spawn("news of tasks", self._tell_or_log(scope))

    async def cancel(self, task_id: TaskId) -> Stored:
        """Wish that a task is cancelled; return how it was. One that has ended stays as it is.

        Raises: NoSuchTask; NotCancellable; PersistenceUnavailable.
        """
        found = await self.status(task_id)
        kind = self._kinds.get(found.task.pool)
        if kind is not None and not kind.is_cancellable:
            raise NotCancellable(str(task_id))
        return await self._tasks.cancel(task_id) or found

    async def status(self, task_id: TaskId) -> Stored:
        """Return a task. Raises: NoSuchTask; PersistenceUnavailable."""
        found = await self._tasks.read(task_id)
        if found is None:
            raise NoSuchTask(str(task_id))
        return found

    async def list(
        self,
        status: TaskStatus,
        *,
        pool: str | None = None,
        group: str | None = None,
        token: str | None = None,
        limit: int = 100,
    ) -> TaskPage:
        """Return up to ``limit`` tasks of a status, the newest first, of all scopes.

        Of those that ended, finished and cancelled ones are told apart here. ``token`` is the one of the page
        before. A page may be short, even empty, although there are more.

        Raises: PersistenceUnavailable.
        """
        before = None if token is None else token.encode("utf-8", "replace")
        rows: list[tuple[bytes, Stored]] = []
        for scope in {NEWS, *self._scopes()}:
            page = await self._tasks.older(scope, status, before, limit)
            rows = heapq.nlargest(limit, [*rows, *page], key=lambda row: (row[0], row[1].id))
        shown = [stored for _, stored in rows if _is_meant(stored.task, status, pool, group)]
        return TaskPage(shown, rows[-1][0].decode() if len(rows) == limit else None)

    async def audit(
        self, task_id: TaskId, *, after: int | None = None, limit: int = 100
    ) -> Sequence[AuditEntry]:
        """Return entries of a task's audit with numbers greater than ``after``, in order.

        Raises: NoSuchTask; PersistenceUnavailable.
        """
        await self.status(task_id)
        return await self._tasks.audit(task_id, after, limit)

    def gauges(self) -> Mapping[str, PoolGauges]:
        """Return how busy this node is, by pool."""
        found = {}
        for name, kind in self._kinds.items():
            slots = self._runner.slots_of(kind.pool)
            found[name] = PoolGauges(
                slots.tasks.waiting, slots.tasks.busy, slots.masters.busy, slots.slaves.busy
            )
        return found

    @property
    def owned(self) -> Collection[int]:
        """The partitions that this node owns."""
        return [int(key) for key in self._partitions.owned]

    async def _own(self, key: str, tenure: Tenure) -> None:
        if key == "0":
            tidying = Deferred.fromCoroutine(self._forget_for_ever())
            tidying.addErrback(lambda _: None)
            try:
                await self._runner.own(0, tenure)
            finally:
                tidying.cancel()
        else:
            await self._runner.own(int(key), tenure)

    async def _forget_for_ever(self) -> None:
        """Forget tasks that ended long ago; the owner of the first partition does so for all."""
        while True:
            for scope in {NEWS, *self._scopes()}:
                try:
                    await self._tasks.forget_ended(scope, self._wall_clock())
                except PersistenceError as error:
                    self._log.debug(
                        "old tasks of {scope} are forgotten later: {error}", scope=scope, error=error
                    )
            await sleep(self._clock, FORGET_EVERY_S)

    async def _do_or_log(self, pool: str, group: str, payload: bytes, task_id: TaskId) -> None:
        now_s = self._wall_clock()
        task = Task(pool=pool, group=group, created_s=now_s, payload=payload)
        try:
            await self._tasks.do_again(task_id, task, now_s)
        except PersistenceError as error:
            self._log.warn("task {task} is not begun now: {error}", task=str(task_id), error=error)

    async def _tell_or_log(self, scope: Scope) -> None:
        try:
            await self._tasks.tell(scope)
        except PersistenceError as error:
            self._log.debug("tasks of {scope} are looked for later: {error}", scope=scope, error=error)


def _is_meant(task: Task, status: TaskStatus, pool: str | None, group: str | None) -> bool:
    return task.status is status and pool in (None, task.pool) and group in (None, task.group)
