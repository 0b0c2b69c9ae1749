"""A node's part in background jobs: it owns partitions, and does the tasks in them as far as limits allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from cluster_worker.jobs.context import Context, Surroundings
from cluster_worker.jobs.layout import Stored
from cluster_worker.jobs.ledger import Ledger
from cluster_worker.jobs.open_tasks import OpenTasks
from cluster_worker.jobs.pool import Pool
from cluster_worker.jobs.run import TaskRun
from cluster_worker.jobs.scheduling import shortlist
from cluster_worker.jobs.slots import PoolSlots, Slots
from cluster_worker.jobs.task import TaskId
from cluster_worker.jobs.tasks import Tasks
from cluster_worker.jobs.traverse import Traverse
from cluster_worker.persistence.engine import PersistenceError
from cluster_worker.runtime.clock import WallClock, sleep
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.tenure.tenure import Deposed, Tenure
from cluster_worker.tenure.timing import TenureTimes

_TIMES = TenureTimes()


@frozen
class Candidate:
    """A task that may be begun here."""

    id: TaskId
    pool: str
    group: str
    priority: int

    @property
    def task(self) -> str:
        return str(self.id)


@define(eq=False)
class Partition:
    """What is going on in a partition that this node owns; ``entered``: tasks begun and not ended."""

    number: int
    tenure: Tenure
    runs: TaskOwner = field(factory=TaskOwner)
    begun: set[TaskId] = field(factory=set)
    entered: set[TaskId] = field(factory=set)
    failures: dict[TaskId, int] = field(factory=dict)
    end: Deposed | None = None


class JobRunner:
    """Does tasks.

    Args:
        kinds: by the name of their pool.
        nodes: of how many nodes this is one.
    """

    _log = Logger()

    def __init__(
        self,
        around: Surroundings,
        kinds: Mapping[str, Traverse],
        open_tasks: OpenTasks,
        wall_clock: WallClock,
        nodes: Callable[[], int],
    ) -> None:
        self._around, self._kinds, self._open = around, kinds, open_tasks
        self._wall_clock, self._nodes = wall_clock, nodes
        self._slots: dict[str, PoolSlots] = {}
        self._runs: dict[TaskId, TaskRun] = {}

    def slots_of(self, pool: Pool) -> PoolSlots:
        """The slots of a pool on this node."""
        if pool.name not in self._slots:
            limits = pool.limits
            self._slots[pool.name] = PoolSlots(
                Slots(lambda: limits.on_one_of(self._nodes()).tasks),
                Slots(lambda: limits.on_one_of(self._nodes()).masters),
                Slots(lambda: limits.on_one_of(self._nodes()).slaves),
            )
        return self._slots[pool.name]

    def on_seen(self, stored: Stored) -> None:
        """A task was read; when it is not wanted any more, its run is told, or it waits no longer for one."""
        if not stored.is_unwanted:
            return
        if stored.id in self._runs:
            self._runs[stored.id].want_no_more()
        elif stored.task.pool in self._slots:
            self._slots[stored.task.pool].tasks.let_through(str(stored.id))

    async def own(self, number: int, tenure: Tenure) -> None:
        """Do the tasks of a partition, until it is taken from this node. Raises: Deposed."""
        partition, news = Partition(number, tenure), self._open.news(number)
        try:
            while partition.end is None:
                self._begin_some(partition)
                await news.wait()
            raise partition.end
        finally:
            await partition.runs.close()

    def _begin_some(self, partition: Partition) -> None:
        """Let tasks wait for their turn: of each pool enough that no slot stays empty.

        Those that are to be cancelled need no slot.
        """
        by_pool: dict[str, list[Candidate]] = {}
        for stored in self._open.of(partition.number):
            if stored.task.pool not in self._kinds:
                continue
            candidate = Candidate(stored.id, stored.task.pool, stored.task.group, stored.task.priority)
            if stored.is_unwanted:
                self._begin(partition, candidate)
                self.slots_of(self._kinds[candidate.pool].pool).tasks.let_through(candidate.task)
            else:
                by_pool.setdefault(candidate.pool, []).append(candidate)
        for pool, candidates in by_pool.items():
            for candidate in shortlist(candidates, 4 * self._kinds[pool].pool.limits.tasks):
                self._begin(partition, candidate)

    def _begin(self, partition: Partition, candidate: Candidate) -> None:
        if candidate.id not in partition.begun:
            partition.begun.add(candidate.id)
            partition.runs.spawn(f"task {candidate.id}", self._do(partition, candidate))

    async def _do(self, partition: Partition, candidate: Candidate) -> None:
        kind, pause_s = self._kinds[candidate.pool], 0.0
        try:
            async with self.slots_of(kind.pool).tasks.turn(
                candidate.task, candidate.group, candidate.priority
            ):
                await self._run(partition, candidate.id, kind)
            partition.failures.pop(candidate.id, None)
            self._open.forget(candidate.id)
            partition.entered.discard(candidate.id)
        except CancelledError:
            raise
        except Deposed as end:
            partition.end = end
        except Exception as error:  # noqa: BLE001 - whatever it is, the task is gone on with later
            pause_s = self._failed(partition, candidate.id, error)
        if pause_s:
            await sleep(self._around.clock, pause_s)
        partition.begun.discard(candidate.id)
        self._open.news(partition.number).tell()

    async def _run(self, partition: Partition, task_id: TaskId, kind: Traverse) -> None:
        tenure = partition.tenure
        fence = await tenure.fence(task_id.scope)
        stored = await Tasks(self._around.engine).read(task_id)
        if stored is None or not stored.task.status.is_open:
            return
        ledger = Ledger(self._around.engine, fence, stored, self._wall_clock)
        context = Context(ledger, self._around.clock, self._around, fence, tenure)
        run = TaskRun(kind, context, self._around, self.slots_of(kind.pool), task_id in partition.entered)
        self._runs[task_id] = run
        partition.entered.add(task_id)
        try:
            await run.run()
        except CancelledError:
            if tenure.holds():
                await run.hand_over()
            raise
        finally:
            del self._runs[task_id]

    def _failed(self, partition: Partition, task_id: TaskId, error: Exception) -> float:
        """Return how long to wait before the task is gone on with."""
        failures = partition.failures[task_id] = partition.failures.get(task_id, 0) + 1
        if isinstance(error, PersistenceError):
            self._log.warn("task {task} goes on later: {error}", task=str(task_id), error=error)
        else:
            self._log.failure("task {task} goes on later", task=str(task_id))
        return _TIMES.pause_s(failures)
