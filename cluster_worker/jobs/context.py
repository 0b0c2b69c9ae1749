"""What a job sees of its task, made by the owner."""

from __future__ import annotations

from attrs import define, frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.jobs.ledger import Ledger
from cluster_worker.jobs.task import TaskId
from cluster_worker.jobs.traverse import TaskCancelled
from cluster_worker.persistence.engine import Batch, Committed, Engine
from cluster_worker.tenure.tenure import Fence, Tenure


@frozen(eq=False)
class Surroundings:
    """What the runs of a node share."""

    engine: Engine
    clock: IReactorTime
    owner: str


@define(eq=False)
class Context:
    """See ``JobContext``."""

    ledger: Ledger
    clock: IReactorTime
    _around: Surroundings
    _fence: Fence
    _tenure: Tenure

    @property
    def task_id(self) -> TaskId:
        return self.ledger.id

    @property
    def payload(self) -> bytes:
        return self.ledger.task.payload

    @property
    def is_cancelled(self) -> bool:
        return self.ledger.is_unwanted

    def check(self) -> None:
        self._tenure.require()
        if self.is_cancelled:
            raise TaskCancelled(str(self.task_id))

    async def commit(self, batch: Batch) -> Committed:
        return await self._fence.commit(self._around.engine, batch)

    def report(self, done: int, total: int) -> None:
        self.ledger.report(done, total)

    def audit(self, message: str) -> None:
        self.ledger.note(message)
