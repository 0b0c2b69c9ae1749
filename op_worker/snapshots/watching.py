"""Watching snapshots that are being made, as background jobs: when a node dies, another takes its work."""

from __future__ import annotations

from typing import Protocol

import msgpack
from attrs import field, frozen

from cluster_worker.jobs.pool import Limits, Pool
from cluster_worker.jobs.service import Jobs
from cluster_worker.jobs.task import MasterJob
from cluster_worker.jobs.traverse import JobContext, MasterOutcome, QuietTraverse
from cluster_worker.persistence.engine import Key, Scope, Step
from cluster_worker.runtime.clock import sleep
from onedata.ids import SpaceId

POOL = Pool("snapshots", Limits(masters=100, slaves=1, tasks=100))
LOOK_S = 0.5


@frozen
class Watched:
    """A snapshot that is being made: the directory that shows it, and the tree that will be it."""

    shown: Key
    tree: Key

    def encode(self) -> bytes:
        packed: bytes = msgpack.packb([1, self.shown, self.tree])
        return packed

    @classmethod
    def decode(cls, data: bytes) -> Watched:
        _, shown, tree, *_ = msgpack.unpackb(data)
        return cls(Key(shown), Key(tree))


class Watchable(Protocol):
    """What can be asked about snapshots, and takes them over."""

    async def is_over(self, space_id: SpaceId, watched: Watched) -> bool:
        """Whether there is nothing to watch any more. When its node has died, it is begun anew here."""


@frozen(eq=False)
class SnapshotWatch(QuietTraverse):
    """One task for each tree. Who does not want a snapshot any more deletes it: then its task ends."""

    _snapshots: Watchable
    pool: Pool = field(default=POOL, init=False)
    is_cancellable = False

    async def do_master(self, job: MasterJob, context: JobContext) -> MasterOutcome:
        """Look until the tree is complete, not wanted, or given up for another one."""
        watched = Watched.decode(job.payload)
        while not await self._snapshots.is_over(SpaceId(context.task_id.scope), watched):
            await sleep(context.clock, LOOK_S)
            context.check()
        return MasterOutcome()


@frozen(eq=False)
class Watching:
    """Lets snapshots be watched; the tasks begin in the commits that begin the trees."""

    _jobs: Jobs

    def steps(self, space_id: SpaceId, watched: Watched) -> list[Step]:
        """Return the steps that begin to watch; call ``look_soon`` after their commit."""
        scope, name = Scope(space_id), f"snapshot-{watched.tree}"
        return self._jobs.beginning(POOL.name, space_id, watched.encode(), scope=scope, name=name)

    def look_soon(self, space_id: SpaceId) -> None:
        """Let the tasks of a space be looked for."""
        self._jobs.look_soon(Scope(space_id))
