"""What a kind of background work is made of: the seam between the framework and who uses it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.jobs.pool import Pool
from cluster_worker.jobs.task import MasterJob, TaskId
from cluster_worker.persistence.engine import Batch, Committed, Key, Step

MOST_SLAVES = 1000
MOST_MASTERS = 1000
"""The most that one master may come to."""


class AfterCrash(Enum):
    """What becomes of a task whose owner died."""

    RESTART = "it goes on where it was"
    CANCEL = "it is cancelled"


class OnCancel(Enum):
    """What becomes of jobs that run when their task is cancelled."""

    LET_END = "they end by themselves"
    STOP = "they are cancelled"


class TaskCancelled(Exception):
    """The task is to be cancelled: the job ends here."""


@frozen
class MasterOutcome:
    """What a master came to.

    Attributes:
        slaves: what each slave is about; they run at once, as many as the pool allows.
        masters: what each further master is about.
        steps: go into the commit in which the master ends, after its slaves. When one of them does not
            hold, the master is done anew.
        announce: keys that the feed of the scope tells of with that commit.
    """

    slaves: Sequence[bytes] = ()
    masters: Sequence[bytes] = ()
    steps: Sequence[Step] = ()
    announce: Sequence[Key] = ()


class JobContext(Protocol):
    """What a job sees of its task."""

    @property
    def task_id(self) -> TaskId: ...

    @property
    def payload(self) -> bytes:
        """What the task is about."""

    @property
    def clock(self) -> IReactorTime:
        """The steady clock."""

    @property
    def is_cancelled(self) -> bool:
        """Whether the task is to be cancelled."""

    def check(self) -> None:
        """Look whether to go on; to be called before what no commit guards, and in long loops.

        Raises: TaskCancelled; Deposed when this node is not the owner by its clock any more.
        """

    async def commit(self, batch: Batch) -> Committed:
        """Commit to the scope of the task, as long as this node owns it. Raises: Deposed; as an engine."""

    def report(self, done: int, total: int) -> None:
        """Tell how far the task is; it is kept with the next commit, or within seconds."""

    def audit(self, message: str) -> None:
        """Write into the audit of the task; it is kept with the next commit, or within seconds."""


class Traverse(Protocol):
    """A kind of background work. Every job runs at least once and must do no harm when it runs again."""

    @property
    def pool(self) -> Pool: ...

    @property
    def after_crash(self) -> AfterCrash: ...

    @property
    def on_cancel(self) -> OnCancel: ...

    @property
    def is_cancellable(self) -> bool:
        """Whether a task may be cancelled; what was promised for good may not."""

    async def do_master(self, job: MasterJob, context: JobContext) -> MasterOutcome:
        """Find out what there is to do. What it raises counts as a failed try."""

    async def do_slave(self, payload: bytes, context: JobContext) -> None:
        """Do it. What it raises counts as a failed try."""

    async def task_started(self, context: JobContext) -> None:
        """The task begins; may be called again after a crash."""

    async def task_finished(self, context: JobContext) -> None:
        """All jobs are done; may be called again after a crash."""

    async def task_cancelled(self, context: JobContext) -> None:
        """The task is cancelled, and nothing runs any more; may be called again after a crash."""


class QuietTraverse:
    """For kinds that go on after a crash, let jobs end, can be cancelled, and do nothing at begin and end."""

    after_crash = AfterCrash.RESTART
    on_cancel = OnCancel.LET_END
    is_cancellable = True

    async def do_slave(self, payload: bytes, context: JobContext) -> None:
        """There are no slaves."""
        raise NotImplementedError("a kind whose masters make slaves says what they do")

    async def task_started(self, context: JobContext) -> None:
        """Nothing."""

    async def task_finished(self, context: JobContext) -> None:
        """Nothing."""

    async def task_cancelled(self, context: JobContext) -> None:
        """Nothing."""
