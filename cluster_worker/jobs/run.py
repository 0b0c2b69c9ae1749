"""One task being done by its owner: masters from the store, their slaves, retries, the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, DeferredList, FirstError, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from cluster_worker.jobs.context import Context, Surroundings
from cluster_worker.jobs.ledger import Ledger, OutcomeRefused
from cluster_worker.jobs.news import News
from cluster_worker.jobs.slots import PoolSlots
from cluster_worker.jobs.task import JobState, MasterJob, Tally, TaskStatus
from cluster_worker.jobs.tasks import Tasks
from cluster_worker.jobs.traverse import (
    MOST_MASTERS,
    MOST_SLAVES,
    AfterCrash,
    MasterOutcome,
    OnCancel,
    TaskCancelled,
    Traverse,
)
from cluster_worker.persistence.engine import PersistenceUnavailable
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.tenure.tenure import Deposed

T = TypeVar("T")
FLUSH_S = 2.0
"""How often what a job noted is kept although no job ended."""
_DROPPED_AT_ONCE = 100
_MOST_REFUSALS = 20


class JobGivenUp(Exception):
    """A job failed too often; what it failed with last is the cause."""


@define(eq=False)
class TaskRun:
    """Does one task to its end, or until it is cancelled as a coroutine: then it can be gone on with.

    A run that meets a trouble of the store, or is deposed, ends with it; the next run reads anew.

    Args:
        is_resumed: whether this tenure was at the task before.
    """

    _kind: Traverse
    _context: Context
    _around: Surroundings
    _slots: PoolSlots
    _is_resumed: bool
    _busy: dict[int, Deferred[None]] = field(init=False, factory=dict)
    _gone: set[int] = field(init=False, factory=set)
    _trouble: Failure | None = field(init=False, default=None)
    _news: News = field(init=False, factory=News)
    _log = Logger()

    @property
    def _ledger(self) -> Ledger:
        return self._context.ledger

    async def run(self) -> None:
        """Go on with the task. Raises: Deposed; PersistenceError; what the kind's own calls raise."""
        keeping = TaskOwner()
        keeping.spawn("notes of a task", self._flush_for_ever())
        try:
            await self._begin()
            await self._go_on()
        finally:
            await keeping.close()
            await self._stop_all()

    def want_no_more(self) -> None:
        """The task is to be cancelled."""
        if not self._ledger.is_unwanted:
            self._ledger.is_unwanted = True
            self._news.tell()
            if self._kind.on_cancel is OnCancel.STOP:
                for job in list(self._busy.values()):
                    job.cancel()

    async def hand_over(self) -> None:
        """After ``run`` was cancelled: let the next owner see that this was no crash."""
        if self._kind.after_crash is AfterCrash.CANCEL and self._ledger.task.status is TaskStatus.ONGOING:
            await self._ledger.hand_over()

    async def _begin(self) -> None:
        is_crashed = self._ledger.task.status is TaskStatus.ONGOING and not self._is_resumed
        await self._ledger.begin(self._around.owner, is_crashed)
        if is_crashed and self._kind.after_crash is AfterCrash.CANCEL:
            self._ledger.note("its owner crashed, so it is cancelled")
            self._ledger.is_unwanted = True
        if not self._ledger.is_unwanted:
            await self._kind.task_started(self._context)

    async def _go_on(self) -> None:
        while not self._ledger.is_unwanted:
            await self._work_off()
            if not self._ledger.is_unwanted:
                await self._kind.task_finished(self._context)
                if await self._ledger.finish():
                    return
        await self._until_idle()
        while waiting := await Tasks(self._around.engine).masters(self._ledger.id, _DROPPED_AT_ONCE):
            await self._ledger.drop(waiting)
        await self._kind.task_cancelled(self._context)
        await self._ledger.cancelled()

    async def _work_off(self) -> None:
        """Do masters until none waits and none is busy, or the task is not wanted."""
        tasks, width = Tasks(self._around.engine), self._kind.pool.limits.masters
        while not self._ledger.is_unwanted:
            self._gone.clear()
            found = await tasks.masters(self._ledger.id, len(self._busy) + width)
            known = self._busy.keys() | self._gone  # what ended meanwhile may still be among them
            for job in [job for job in found if job.number not in known][:width]:
                self._begin_master(job)
            if not self._busy and not self._gone and not found:
                return
            await self._until_news()

    async def _until_idle(self) -> None:
        while self._busy:
            await self._until_news()

    async def _until_news(self) -> None:
        """Return when a job has ended or the task is not wanted. Raises what a job ended with."""
        await self._news.wait()
        if self._trouble is not None:
            self._trouble.raiseException()

    async def _stop_all(self) -> None:
        jobs = list(self._busy.values())
        for job in jobs:
            job.cancel()
        await DeferredList(jobs, consumeErrors=True)

    async def _flush_for_ever(self) -> None:
        while True:
            await sleep(self._around.clock, FLUSH_S)
            await self._ledger.flush()

    def _begin_master(self, job: MasterJob) -> None:
        self._busy[job.number] = work = Deferred.fromCoroutine(self._master(job))
        work.addBoth(self._master_ended, job.number)

    def _master_ended(self, result: object, number: int) -> None:
        self._busy.pop(number, None)
        self._gone.add(number)
        if isinstance(result, Failure):
            is_told_to = self._ledger.is_unwanted and result.check(CancelledError, TaskCancelled)
            self._trouble = self._trouble if is_told_to else self._trouble or result
        self._news.tell()

    async def _master(self, job: MasterJob) -> None:
        """Do a master with its slaves, and strike it off."""
        async with self._slots.masters.turn(*self._ticket):
            self._ledger.note(f"master {job.number}: {JobState.ON_POOL.value}")
            for _ in range(_MOST_REFUSALS):
                if self._ledger.is_unwanted:
                    return
                try:
                    await self._do_once(job)
                except OutcomeRefused:
                    continue
                except JobGivenUp as end:
                    self._ledger.note(f"master {job.number}: {JobState.FAILED.value}: {end}")
                    await self._ledger.fail_master(job)
                return
            self._ledger.note(f"master {job.number}: {JobState.FAILED.value}: others changed what it changes")
            await self._ledger.fail_master(job)

    async def _do_once(self, job: MasterJob) -> None:
        outcome = await self._tried(f"master {job.number}", lambda: self._outcome(job))
        results = await self._slaves(outcome.slaves)
        tally = Tally(results.count(True), results.count(False), len(outcome.masters))
        told = f"{tally.slaves_done} slaves, {tally.slaves_failed} failed, {tally.masters} further masters"
        if None in results:
            self._ledger.note(f"master {job.number}: {JobState.CANCELED.value} with {told}")
            await self._ledger.cut_master(job, tally)
        else:
            self._ledger.note(f"master {job.number}: {JobState.ENDED.value} with {told}")
            await self._ledger.end_master(job, outcome, tally)

    async def _outcome(self, job: MasterJob) -> MasterOutcome:
        outcome = await self._kind.do_master(job, self._context)
        if len(outcome.slaves) > MOST_SLAVES or len(outcome.masters) > MOST_MASTERS:
            raise ValueError("a master came to too many jobs at once")
        return outcome

    async def _slaves(self, payloads: Sequence[bytes]) -> Sequence[bool | None]:
        """Do slaves; tell for each whether it went well, ``None`` if it was not done for it is unwanted."""
        works = [Deferred.fromCoroutine(self._slave(payload)) for payload in payloads]
        try:
            return await gatherResults(works, consumeErrors=True)
        except FirstError as first:
            first.subFailure.raiseException()
            raise
        finally:
            for work in works:
                work.cancel()
            await DeferredList(works, consumeErrors=True)

    async def _slave(self, payload: bytes) -> bool | None:
        async with self._slots.slaves.turn(*self._ticket):
            if self._ledger.is_unwanted:
                return None
            try:
                await self._tried("a slave", lambda: self._kind.do_slave(payload, self._context))
            except JobGivenUp:
                return False
            except TaskCancelled:
                return None
            return True

    async def _tried(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        """Return the result of a call that may fail some times. Raises: JobGivenUp.

        When the store is away, nothing that counts can be done: the run ends, and no try is counted.
        """
        failures = 0
        while True:
            try:
                return await call()
            except (CancelledError, Deposed, TaskCancelled, PersistenceUnavailable):
                raise
            except Exception as error:
                failures += 1
                reason = f"{type(error).__name__}: {error}"
                pause_s = self._kind.pool.retries.pause_s(failures)
                self._ledger.note(f"{what} failed, try {failures}: {reason}")
                if pause_s is None:
                    self._log.warn(
                        "{task}: {what} is given up: {reason}", task=self._ledger.id, what=what, reason=reason
                    )
                    raise JobGivenUp(reason) from error
            await sleep(self._around.clock, pause_s)
            if self._ledger.is_unwanted:
                raise TaskCancelled(str(self._ledger.id))

    @property
    def _ticket(self) -> tuple[str, str, int]:
        task = self._ledger.task
        return str(self._ledger.id), task.group, task.priority
