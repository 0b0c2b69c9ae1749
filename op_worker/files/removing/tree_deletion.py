"""Emptying the trash of a space as a background job: one slave for each tree, several trees at a time."""

from __future__ import annotations

from attrs import field, frozen

from cluster_worker.jobs.pool import Limits, Pool
from cluster_worker.jobs.service import Jobs
from cluster_worker.jobs.task import MasterJob
from cluster_worker.jobs.traverse import JobContext, MasterOutcome, QuietTraverse
from cluster_worker.persistence.engine import Scope
from onedata.ids import SpaceId
from op_worker.files.removing.trash import PurgeSoon, Trash

POOL = Pool("tree-deletion", Limits(masters=10, slaves=10, tasks=10))
TASK = "trash"
"""The name of the task in the scope of its space."""


@frozen(eq=False)
class TreeDeletion(QuietTraverse):
    """A master takes a page of the trash, whose entries are its slaves, and leaves the next page to another.

    What was removed has to go, so this cannot be cancelled. A tree whose purge fails stays in the trash for
    the next round. What a purge commits holds once, whoever else purges, and no storage path is used again.
    """

    _trash: Trash
    pool: Pool = field(default=POOL, init=False)
    is_cancellable = False

    async def do_master(self, job: MasterJob, context: JobContext) -> MasterOutcome:
        """Take the page behind the entry that the payload names."""
        found = await self._trash.waiting(_space_of(context), job.payload or None)
        if not found:
            return MasterOutcome()
        names = [entry.name for entry in found]
        return MasterOutcome(slaves=names, masters=[names[-1]])

    async def do_slave(self, payload: bytes, context: JobContext) -> None:
        """Purge a tree."""
        context.check()
        await self._trash.purge(_space_of(context), payload)


def purge_soon_by(jobs: Jobs) -> PurgeSoon:
    """Return how a space's trash is emptied soon, on whichever node owns that."""

    def purge_soon(space_id: SpaceId) -> None:
        jobs.do_soon(POOL.name, space_id, b"", scope=Scope(space_id), name=TASK)

    return purge_soon


def _space_of(context: JobContext) -> SpaceId:
    return SpaceId(context.task_id.scope)
