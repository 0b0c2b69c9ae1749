"""A task is cancelled after any number of its jobs: it ends, and the counters say what was done."""

from __future__ import annotations

import pytest

from cluster_worker.jobs.task import TaskId, TaskStatus
from tests.support.immediate import now
from tests.support.job_nodes import SCOPE, JobNodes
from tests.support.nodes_and_a_store import Surroundings
from tests.support.traverses import Walk, masters_of, tree

JOBS = 3 * masters_of(2, 2)


@pytest.mark.slow()
@pytest.mark.parametrize("after", range(JOBS + 1))
def test_task_that_is_cancelled_after_some_jobs_ends_and_is_counted_exactly(after: int) -> None:
    cluster, begun = JobNodes(Surroundings()), 0

    async def cancel_in_time(_name: str) -> None:
        nonlocal begun
        begun += 1
        if begun > after:
            await jobs.cancel(task_id)

    walk = Walk(before=cancel_in_time)
    jobs = cluster.on("a", walk)
    cluster.around.advance(0.1)
    cluster.around.node("a").engine.lag_s = 0.01
    task_id = TaskId(SCOPE, "n")
    jobs.do_soon("walk", "g", tree(2, 2, 2), scope=SCOPE, name="n")
    cluster.around.advance(8)
    cluster.around.node("a").engine.lag_s = 0.0
    task = cluster.read(task_id).task
    assert task.status is (TaskStatus.FINISHED if after >= JOBS else TaskStatus.CANCELLED)
    counters = task.counters
    assert counters.masters_waiting == 0
    assert counters.slaves_done == sum(walk.done.values())
    assert now(cluster.around.store.counters(SCOPE)).get("masters", 0) == counters.masters_done
    assert max(walk.done.values(), default=1) == 1
    cluster.around.end()
