"""Charging the files of a space anew as a background job, gone on with where it was."""

from __future__ import annotations

from attrs import field, frozen

from cluster_worker.jobs.pool import Limits, Pool
from cluster_worker.jobs.service import Jobs
from cluster_worker.jobs.task import MasterJob
from cluster_worker.jobs.traverse import JobContext, MasterOutcome, QuietTraverse
from cluster_worker.persistence.engine import Scope
from onedata.ids import SpaceId
from op_worker.files.charging.recharging import ChargeSoon
from op_worker.files.charging.walks import ChargingWalks

POOL = Pool("recharging", Limits(masters=10, slaves=1, tasks=10))
TASK = "recharging"
"""The name of the task in the scope of its space."""


@frozen(eq=False)
class ChargingAnew(QuietTraverse):
    """Does all walks that were ordered in a space. Each page is one commit of the task's owner."""

    _walks: ChargingWalks
    pool: Pool = field(default=POOL, init=False)
    is_cancellable = False

    async def do_master(self, job: MasterJob, context: JobContext) -> MasterOutcome:
        """Do every job of the space."""
        await self._walks.do_all(SpaceId(context.task_id.scope), context.commit, context.check)
        return MasterOutcome()


def charge_soon_by(jobs: Jobs) -> ChargeSoon:
    """Return how files of a space are charged anew soon, on whichever node owns that."""

    def charge_soon(space_id: SpaceId) -> None:
        jobs.do_soon(POOL.name, space_id, b"", scope=Scope(space_id), name=TASK)

    return charge_soon
