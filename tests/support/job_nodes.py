"""Nodes with background jobs over one store, on clocks that the test turns."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from cluster_worker.jobs.audit import AuditEntry
from cluster_worker.jobs.layout import Stored
from cluster_worker.jobs.service import Jobs
from cluster_worker.jobs.task import TaskId
from cluster_worker.jobs.traverse import Traverse
from cluster_worker.persistence.engine import Scope
from tests.support.immediate import now
from tests.support.nodes_and_a_store import Surroundings

SCOPE = Scope("space")


@define(eq=False)
class JobNodes:
    """A cluster."""

    around: Surroundings
    nodes: dict[str, Jobs] = field(factory=dict)
    draining: set[str] = field(factory=set)
    homes: dict[str, str] = field(factory=dict)
    chance: int = 0
    scopes: Sequence[Scope] = (SCOPE,)

    def on(self, name: str, *kinds: Traverse, share: int = 1) -> Jobs:
        """Start a node that offers these kinds and takes itself for one of ``share``."""
        node = self.around.node(name)
        jobs = Jobs(
            node.engine,
            name,
            lambda: self.scopes,
            clock=node.clock,
            wall_clock=lambda: 1e9 + node.clock.seconds(),
            random_bytes=self._random,
            nodes=lambda: share,
            wanted=lambda: name not in self.draining,
            preference_s=lambda key: 0.0 if self.homes.get(key, name) == name else 1.0,
            home_of=self.homes.get,
        )
        for kind in kinds:
            jobs.offer(kind)
        self.around.start(jobs)
        self.nodes[name] = jobs
        return jobs

    def _random(self, size_b: int) -> bytes:
        self.chance += 1
        return self.chance.to_bytes(size_b, "big")

    def read(self, task_id: TaskId) -> Stored:
        """A task as it is in the store."""
        return now(next(iter(self.nodes.values()))._tasks.read(task_id)) or _missing(task_id)

    def audit(self, task_id: TaskId) -> Sequence[AuditEntry]:
        """The first entries of its audit."""
        return now(next(iter(self.nodes.values()))._tasks.audit(task_id, None, 1000))


def _missing(task_id: TaskId) -> Stored:
    raise AssertionError(f"there is no task {task_id}")
