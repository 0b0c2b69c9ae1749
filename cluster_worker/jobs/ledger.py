"""The books of one task, kept by its owner: what ended counts once, and nobody else writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import evolve
from twisted.internet.defer import DeferredLock

from cluster_worker.jobs import audit
from cluster_worker.jobs.layout import (
    AGAIN,
    CANCEL,
    TASK,
    Stored,
    audit_key,
    masters_key,
    relisted,
    task_key,
)
from cluster_worker.jobs.task import MasterJob, Tally, Task, TaskStatus
from cluster_worker.jobs.tasks import Tasks, end_master_steps, new_master_steps
from cluster_worker.jobs.traverse import MasterOutcome
from cluster_worker.persistence.engine import (
    ABSENT,
    Batch,
    Check,
    Delete,
    Engine,
    Key,
    PreconditionFailed,
    Put,
    RequireEmpty,
    Step,
)
from cluster_worker.runtime.clock import WallClock
from cluster_worker.tenure.tenure import Fence

MOST_PENDING = 200
"""The most messages that wait for the next commit; later ones are only counted."""


class OutcomeRefused(Exception):
    """A step that a master came to does not hold any more; the master is to be done anew."""


class Ledger:
    """Writes one task. Commits are made one after the other, each guarded by the fence.

    Any method may raise ``Deposed`` or ``PersistenceError``; the ledger is of no use afterwards.

    Attributes:
        task: as it is stored.
        is_unwanted: whether it is to be cancelled.
    """

    def __init__(self, engine: Engine, fence: Fence, stored: Stored, wall_clock: WallClock) -> None:
        self.id, self.task, self.is_unwanted = stored.id, stored.task, stored.is_unwanted
        self._engine, self._fence, self._wall_clock = engine, fence, wall_clock
        self._tasks, self._revision, self._lock = Tasks(engine), stored.revision, DeferredLock()
        self._pending: list[str] = []
        self._unheard = 0
        self._progress = stored.task.progress

    def report(self, done: int, total: int) -> None:
        """Note how far the task is, for the next commit."""
        self._progress = (done, total)

    def note(self, message: str) -> None:
        """Note a message for the audit, for the next commit."""
        if len(self._pending) < MOST_PENDING:
            self._pending.append(message)
        else:
            self._unheard += 1

    async def begin(self, owner: str, is_crashed: bool) -> None:
        """The first owner begins, or one goes on: after a crash of the one before, or of its own run."""
        if self.task.status is TaskStatus.SCHEDULED:
            self.note(f"begins on {owner}")
            await self._write(lambda task: task.begun(self._wall_clock()))
        else:
            self.note(f"goes on, on {owner}")
            await self._write(Task.taken_over if is_crashed else lambda task: task)

    async def hand_over(self) -> None:
        """Let the next owner see that this one left in good order."""
        self.note("handed over")
        await self._write(Task.handed_over)

    async def end_master(self, job: MasterJob, outcome: MasterOutcome, tally: Tally) -> None:
        """A master and its slaves ended: strike it off, count, let its masters wait, in one commit.

        Raises: OutcomeRefused when a step of the outcome does not hold; nothing was written.
        """

        def steps_of(task: Task) -> list[Step]:
            first = task.counters.masters_delegated
            masters = [
                MasterJob(first + index, job.depth + 1, payload)
                for index, payload in enumerate(outcome.masters)
            ]
            waiting = [step for master in masters for step in new_master_steps(self.id, master)]
            return [*end_master_steps(self.id, job), *waiting, *outcome.steps]

        try:
            await self._write(lambda task: task.master_done(tally), steps_of, outcome.announce)
        except PreconditionFailed as refusal:
            if refusal.step in outcome.steps:
                raise OutcomeRefused(str(refusal)) from refusal
            raise

    async def cut_master(self, job: MasterJob, tally: Tally) -> None:
        """A master ends before all its slaves were done, for the task is not wanted."""
        await self._write(lambda task: task.master_cut(tally), lambda _: end_master_steps(self.id, job))

    async def fail_master(self, job: MasterJob) -> None:
        """A master is given up."""
        await self._write(Task.master_failed, lambda _: end_master_steps(self.id, job))

    async def drop(self, jobs: Sequence[MasterJob]) -> None:
        """Masters that wait are not wanted any more."""
        steps = [step for job in jobs for step in end_master_steps(self.id, job)]
        await self._write(lambda task: task.masters_dropped(len(jobs)), lambda _: steps)

    async def finish(self) -> bool:
        """End the task; ``False`` when there is a wish to cancel it, or to do it once more."""
        wanted, once = (Check(task_key(self.id), wish, ABSENT) for wish in (CANCEL, AGAIN))
        try:
            await self._end(TaskStatus.FINISHED, [wanted, once])
        except PreconditionFailed as refusal:
            if refusal.step == wanted:
                self.is_unwanted = True
            elif refusal.step == once:
                await self._begin_again()
            else:
                raise
            return False
        return True

    async def _begin_again(self) -> None:
        """Let the first master wait once more; it will find what wishes that come meanwhile are about."""

        def steps_of(task: Task) -> list[Step]:
            master = MasterJob(task.counters.masters_delegated, 0, task.payload)
            return [Delete(task_key(self.id), AGAIN), *new_master_steps(self.id, master)]

        self.note("once more")
        await self._write(lambda task: task.delegated(1), steps_of)

    async def cancelled(self) -> None:
        """End the task as cancelled."""
        await self._end(TaskStatus.CANCELLED, [])

    async def flush(self) -> None:
        """Keep what was noted, if anything was."""
        if self._pending or self._unheard or self._progress != self.task.progress:
            await self._write(lambda task: task)

    async def _end(self, status: TaskStatus, also: Sequence[Step]) -> None:
        steps = [RequireEmpty(masters_key(self.id)), *also]
        now_s = self._wall_clock()
        await self._write(lambda task: task.ended(status, now_s), lambda _: steps, last=[status.value])

    async def _write(
        self,
        change: Callable[[Task], Task],
        steps_of: Callable[[Task], Sequence[Step]] = lambda _: (),
        announce: Sequence[Key] = (),
        last: Sequence[str] = (),
    ) -> None:
        await self._lock.acquire()
        try:
            before, pending, unheard = self.task, list(self._pending), self._unheard
            left_out = [f"{unheard} messages were left out"] if unheard else []
            messages = [*pending, *left_out, *last]
            after = evolve(change(before), audited=before.audited + len(messages), progress=self._progress)
            now_s = self._wall_clock()
            steps = [
                *steps_of(before),
                Put(task_key(self.id), TASK, after.encode(), expect=self._revision),
                *relisted(self.id, before, after),
                *audit.written(audit_key(self.id), before.audited, now_s, messages),
            ]
            await self._fence.commit(self._engine, Batch(steps, announce))
            self.task, self._revision = after, self._revision + 1
            del self._pending[: len(pending)]
            self._unheard -= unheard
            if audit.is_trimmed_between(before.audited, after.audited):
                await self._tasks.trim(self.id, now_s)
        finally:
            self._lock.release()
