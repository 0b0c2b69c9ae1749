"""The owner of a task dies at any call of the store: another one goes on, and each job counts once."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from cluster_worker.jobs.service import Jobs
from cluster_worker.jobs.task import TaskId, TaskStatus
from cluster_worker.persistence.engine import Engine
from tests.support.immediate import now
from tests.support.job_nodes import SCOPE, JobNodes
from tests.support.nodes_and_a_store import Surroundings
from tests.support.power_cuts import Fuse, FusedEngine, Trouble, bury
from tests.support.traverses import Walk, masters_of, tree

WALK = tree(2, 2, 2)
MASTERS = masters_of(2, 2)
TAKEOVER_S = 5.0


def node_on(cluster: JobNodes, name: str, engine: Engine, walk: Walk) -> Jobs:
    """A node over an engine of its own."""
    clock = cluster.around.node(name).clock
    jobs = Jobs(
        engine,
        name,
        lambda: [SCOPE],
        clock=clock,
        wall_clock=lambda: 1e9 + clock.seconds(),
        random_bytes=lambda size_b: bytes(size_b),
    )
    jobs.offer(walk)
    jobs.startService()
    return jobs


def checked(cluster: JobNodes, task_id: TaskId, first: Walk, second: Walk) -> None:
    """What must hold after the task was gone on with."""
    task = cluster.read(task_id).task
    counters, store = task.counters, cluster.around.store
    assert task.status is TaskStatus.FINISHED
    assert (counters.masters_delegated, counters.masters_done) == (MASTERS, MASTERS)
    assert (counters.slaves_delegated, counters.slaves_done) == (2 * MASTERS, 2 * MASTERS)
    assert now(store.counters(SCOPE)) == {"masters": MASTERS}
    done = first.done + second.done
    assert len(done) == 2 * MASTERS
    assert max(done.values()) <= 2
    numbers = [entry.number for entry in cluster.audit(task_id)]
    assert numbers == list(range(task.audited))


def run_with(trouble: Trouble, at: int) -> bool:
    """Do a task whose first owner meets trouble at a call from its start on; tell whether he did."""
    cluster, first, second, fuse = JobNodes(Surroundings()), Walk(), Walk(), Fuse(trouble)
    around = cluster.around
    dying = node_on(cluster, "a", FusedEngine(around.store, fuse), first)
    around.advance(0.05)
    fuse.calls, fuse.at = 0, at
    begun: list[object] = []
    Deferred.fromCoroutine(dying.start("walk", "g", WALK, scope=SCOPE, name="n")).addBoth(begun.append)
    around.advance(0.5)
    has_blown = fuse.has_blown
    if fuse.is_dead:
        around.sleep("a")
        bury(dying)
    other = node_on(cluster, "b", around.store, second)
    cluster.nodes["b"] = other
    around.advance(1)
    task_id = TaskId(SCOPE, "n")
    found = now(other._tasks.read(task_id))
    if not begun or not isinstance(begun[0], TaskId):  # nobody was told that it is begun
        if found is None or found.task.status.is_open:
            now(other.start("walk", "g", WALK, scope=SCOPE, name="n"))
    around.advance(TAKEOVER_S + 5.0)
    checked(cluster, task_id, first, second)
    other.stopService()
    if not fuse.is_dead:
        dying.stopService()
    return has_blown


@pytest.mark.slow()
@pytest.mark.parametrize("trouble", Trouble)
def test_task_comes_to_its_end_wherever_its_owner_dies_or_loses_the_store(trouble: Trouble) -> None:
    at = 0
    while run_with(trouble, at):
        at += 1
    assert at > 3 * MASTERS
