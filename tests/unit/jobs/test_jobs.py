"""Background jobs: done, counted, retried, cancelled, taken over, on clocks that the test turns."""

from __future__ import annotations

from collections.abc import Iterator

import msgpack
import pytest
from twisted.internet.defer import Deferred, maybeDeferred

from cluster_worker.jobs.open_tasks import LOOK_EVERY_S
from cluster_worker.jobs.pool import Limits, Pool
from cluster_worker.jobs.service import NoSuchTask, NotCancellable
from cluster_worker.jobs.task import PARTITIONS, Task, TaskId, TaskStatus
from cluster_worker.jobs.tasks import MOST_ENDED, Tasks
from cluster_worker.jobs.traverse import AfterCrash, OnCancel
from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.tenure.moving import SETTLE_S
from tests.support.immediate import now
from tests.support.job_nodes import SCOPE, JobNodes
from tests.support.nodes_and_a_store import Surroundings
from tests.support.power_cuts import Fuse, FusedEngine, Trouble
from tests.support.traverses import Gate, Walk, masters_of, tree

TAKEOVER_S = 5.0


@pytest.fixture()
def nodes() -> Iterator[JobNodes]:
    """A cluster; whatever runs is stopped afterwards."""
    cluster = JobNodes(Surroundings())
    yield cluster
    cluster.around.end()


def test_task_is_done_to_its_end_and_counted(nodes: JobNodes) -> None:
    walk = Walk()
    jobs = nodes.on("a", walk)
    task_id = now(jobs.start("walk", "g", tree(2, 3, 2), scope=SCOPE))
    nodes.around.advance(1)
    task = nodes.read(task_id).task
    masters = masters_of(2, 3)
    assert task.status is TaskStatus.FINISHED
    assert (task.counters.masters_delegated, task.counters.masters_done) == (masters, masters)
    assert (task.counters.slaves_delegated, task.counters.slaves_done) == (2 * masters, 2 * masters)
    assert set(walk.done.values()) == {1}
    assert walk.told == ["started", "finished"]
    assert now(nodes.around.store.counters(SCOPE)) == {"masters": masters}


def test_no_more_jobs_run_at_a_time_than_the_pool_allows(nodes: JobNodes) -> None:
    gate = Gate()
    gate.held = {f"r.{index}" for index in range(50)}
    walk = Walk(before=gate)
    now(nodes.on("a", walk).start("walk", "g", tree(0, 0, 50), scope=SCOPE))
    nodes.around.advance(1)
    assert len(walk.running) == walk.pool.limits.slaves
    assert nodes.nodes["a"].gauges()["walk"].slaves == walk.pool.limits.slaves
    while gate.waiting:
        gate.let_one_through()
    nodes.around.advance(1)
    assert walk.most == walk.pool.limits.slaves
    assert len(walk.done) == 50


def test_node_takes_its_share_of_the_limits(nodes: JobNodes) -> None:
    gate = Gate({f"r.{index}" for index in range(50)})
    walk = Walk(before=gate)
    now(nodes.on("a", walk, share=2).start("walk", "g", tree(0, 0, 50), scope=SCOPE))
    nodes.around.advance(1)
    assert len(walk.running) == 3
    gate.open()


def test_start_of_a_name_that_is_open_changes_nothing(nodes: JobNodes) -> None:
    gate = Gate({"r"})
    walk = Walk(before=gate)
    jobs = nodes.on("a", walk)
    first = now(jobs.start("walk", "g", tree(0, 0, 1), scope=SCOPE, name="n"))
    nodes.around.advance(1)
    assert now(jobs.start("walk", "g", tree(5, 5, 5), scope=SCOPE, name="n")) == first
    gate.open()
    nodes.around.advance(1)
    assert walk.masters == {"r": 1}


def test_name_whose_task_has_ended_can_be_begun_anew(nodes: JobNodes) -> None:
    walk = Walk()
    jobs = nodes.on("a", walk)
    for _ in range(3):
        task_id = now(jobs.start("walk", "g", tree(1, 2, 1), scope=SCOPE, name="n"))
        nodes.around.advance(1)
        assert nodes.read(task_id).task.counters.masters_done == 3
    assert walk.masters["r"] == 3
    numbers = [entry.number for entry in nodes.audit(task_id)]
    assert numbers == list(range(len(numbers)))
    assert len(now(jobs.list(TaskStatus.FINISHED)).tasks) == 1


def test_task_that_is_wished_for_while_it_goes_on_is_done_once_more(nodes: JobNodes) -> None:
    gate = Gate({"r"})
    walk = Walk(before=gate)
    jobs = nodes.on("a", walk)
    for _ in range(4):
        jobs.do_soon("walk", "g", tree(1, 2, 1), scope=SCOPE, name="n")
        nodes.around.advance(0.1)
    gate.open()
    nodes.around.advance(1)
    task = nodes.read(TaskId(SCOPE, "n")).task
    assert task.status is TaskStatus.FINISHED
    assert walk.masters["r"] == 2
    assert (task.counters.masters_done, task.counters.slaves_done) == (6, 6)


def test_job_that_fails_is_tried_again_and_counts_once(nodes: JobNodes) -> None:
    walk = Walk(failing={"r": 2, "r.0": 1})
    task_id = now(nodes.on("a", walk).start("walk", "g", tree(0, 0, 2), scope=SCOPE))
    nodes.around.advance(30)
    counters = nodes.read(task_id).task.counters
    assert (counters.masters_done, counters.slaves_done) == (1, 2)
    assert (counters.masters_failed, counters.slaves_failed) == (0, 0)


def test_job_that_fails_too_often_is_given_up_and_the_others_go_on(nodes: JobNodes) -> None:
    walk = Walk(failing={"r/1": 99, "r/0.1": 99})
    task_id = now(nodes.on("a", walk).start("walk", "g", tree(1, 2, 2), scope=SCOPE))
    nodes.around.advance(60)
    task = nodes.read(task_id).task
    assert task.status is TaskStatus.FINISHED
    assert (task.counters.masters_done, task.counters.masters_failed) == (2, 1)
    assert (task.counters.slaves_done, task.counters.slaves_failed) == (3, 1)
    messages = [entry.message for entry in nodes.audit(task_id)]
    assert any("failed, try 3: RuntimeError: r/1 is told to fail" in message for message in messages)


def test_audit_tells_each_step(nodes: JobNodes) -> None:
    task_id = now(nodes.on("a", Walk()).start("walk", "g", tree(0, 0, 2), scope=SCOPE))
    nodes.around.advance(1)
    assert [entry.message for entry in nodes.audit(task_id)] == [
        "scheduled in pool walk",
        "begins on a",
        "master 0: on_pool",
        "master 0: ended with 2 slaves, 0 failed, 0 further masters",
        "finished",
    ]


def test_owner_that_dies_is_followed_within_seconds_where_it_was(nodes: JobNodes) -> None:
    gate = Gate({"r/1"})
    first, second = Walk(before=gate), Walk()
    task_id = now(nodes.on("a", first).start("walk", "g", tree(1, 3, 2), scope=SCOPE))
    nodes.on("b", second)
    nodes.around.advance(2)
    nodes.around.sleep("a")
    nodes.around.advance(TAKEOVER_S)
    task = nodes.read(task_id).task
    assert task.status is TaskStatus.FINISHED
    assert task.takeovers == 1
    assert second.masters == {"r/1": 1}
    assert task.counters.masters_done == 4
    assert task.counters.slaves_done == 8
    assert now(nodes.around.store.counters(SCOPE)) == {"masters": 4}


def test_owner_that_wakes_up_after_a_takeover_counts_nothing(nodes: JobNodes) -> None:
    gate = Gate({"r/1"})
    first, second = Walk(before=gate), Walk()
    task_id = now(nodes.on("a", first).start("walk", "g", tree(1, 3, 2), scope=SCOPE))
    nodes.on("b", second)
    nodes.around.advance(2)
    nodes.around.sleep("a")
    nodes.around.advance(TAKEOVER_S)
    ended = nodes.read(task_id)
    gate.open()  # the job goes on before the node looks at its clock
    nodes.around.wake("a")
    nodes.around.advance(2)
    assert nodes.read(task_id) == ended
    assert now(nodes.around.store.counters(SCOPE)) == {"masters": 4}


def test_draining_node_hands_its_tasks_over(nodes: JobNodes) -> None:
    gate = Gate({"r/1"})
    second = Walk()
    task_id = now(nodes.on("a", Walk(before=gate)).start("walk", "g", tree(1, 3, 2), scope=SCOPE))
    nodes.on("b", second)
    nodes.around.advance(2)
    nodes.draining.add("a")
    nodes.around.advance(3)
    assert nodes.read(task_id).task.status is TaskStatus.FINISHED
    assert second.masters == {"r/1": 1}
    assert list(nodes.nodes["a"].owned) == []


def test_partitions_follow_the_ring_to_a_node_that_joined(nodes: JobNodes) -> None:
    nodes.homes.update({f"jobs:{number}": "a" for number in range(PARTITIONS)})
    first = nodes.on("a", Walk())
    second = nodes.on("b", Walk())
    nodes.around.advance(3)
    assert len(first.owned) == PARTITIONS
    nodes.homes.update({f"jobs:{number}": "b" for number in range(0, PARTITIONS, 2)})
    nodes.around.advance(SETTLE_S + 3.0)
    assert sorted(second.owned) == list(range(0, PARTITIONS, 2))
    assert sorted(first.owned) == list(range(1, PARTITIONS, 2))


def test_owner_that_stepped_in_keeps_its_partitions_while_the_ring_is_as_it_was(nodes: JobNodes) -> None:
    nodes.homes.update({f"jobs:{number}": "dead" for number in range(PARTITIONS)})
    first = nodes.on("a", Walk())
    nodes.around.advance(3)
    before = [work.tenure for work in first._partitions._works.values()]
    nodes.around.advance(60)
    assert [work.tenure for work in first._partitions._works.values()] == before


class Fragile(Walk):
    """A walk that is cancelled when its owner crashes."""

    after_crash = AfterCrash.CANCEL


def test_task_is_cancelled_after_a_crash_when_its_kind_says_so(nodes: JobNodes) -> None:
    second = Fragile()
    task_id = now(nodes.on("a", Fragile(before=Gate({"r/1"}))).start("walk", "g", tree(1, 3, 2), scope=SCOPE))
    nodes.on("b", second)
    nodes.around.advance(2)
    nodes.around.sleep("a")
    nodes.around.advance(TAKEOVER_S)
    assert nodes.read(task_id).task.status is TaskStatus.CANCELLED
    assert second.masters == {}


def test_task_that_was_handed_over_is_not_cancelled_for_a_crash(nodes: JobNodes) -> None:
    second = Fragile()
    task_id = now(nodes.on("a", Fragile(before=Gate({"r/1"}))).start("walk", "g", tree(1, 3, 2), scope=SCOPE))
    nodes.on("b", second)
    nodes.around.advance(2)
    nodes.draining.add("a")
    nodes.around.advance(3)
    assert nodes.read(task_id).task.status is TaskStatus.FINISHED


def test_cancelled_task_lets_running_jobs_end_and_begins_no_other(nodes: JobNodes) -> None:
    gate = Gate({"r.0"})
    walk = Walk(before=gate)
    jobs = nodes.on("a", walk)
    task_id = now(jobs.start("walk", "g", tree(2, 3, 30), scope=SCOPE))
    nodes.around.advance(1)
    now(jobs.cancel(task_id))
    nodes.around.advance(3)
    assert nodes.read(task_id).task.status is TaskStatus.ONGOING
    gate.open()
    nodes.around.advance(1)
    task = nodes.read(task_id).task
    assert task.status is TaskStatus.CANCELLED
    assert task.counters.masters_waiting == 0
    assert task.counters.slaves_done == sum(walk.done.values())
    assert walk.told == ["started", "cancelled"]


class Stoppable(Walk):
    """A walk whose jobs are stopped when the task is cancelled."""

    on_cancel = OnCancel.STOP


def test_cancelled_task_stops_running_jobs_when_its_kind_says_so(nodes: JobNodes) -> None:
    walk = Stoppable(before=Gate({"r.0"}))
    jobs = nodes.on("a", walk)
    task_id = now(jobs.start("walk", "g", tree(0, 0, 1), scope=SCOPE))
    nodes.around.advance(1)
    now(jobs.cancel(task_id))
    nodes.around.advance(1)
    assert nodes.read(task_id).task.status is TaskStatus.CANCELLED
    assert walk.running == set()


def test_task_that_waits_for_a_slot_is_cancelled_at_once(nodes: JobNodes) -> None:
    gate = Gate({"r"})
    walk = Walk(before=gate)
    jobs = nodes.on("a", walk)
    tasks = [now(jobs.start("walk", "g", tree(0, 0, 1), scope=SCOPE)) for _ in range(4)]
    nodes.around.advance(1)
    waiting = [one for one in tasks if nodes.read(one).task.status is TaskStatus.SCHEDULED]
    assert len(waiting) == 2
    now(jobs.cancel(waiting[0]))
    nodes.around.advance(1)
    assert nodes.read(waiting[0]).task.status is TaskStatus.CANCELLED
    assert jobs.gauges()["walk"].tasks == 2
    gate.open()
    nodes.around.advance(2)
    assert nodes.read(waiting[1]).task.status is TaskStatus.FINISHED
    assert walk.masters["r"] == 3


def test_cancel_reaches_the_owner_through_another_node(nodes: JobNodes) -> None:
    gate = Gate({"r/0"})
    task_id = now(nodes.on("a", Stoppable(before=gate)).start("walk", "g", tree(1, 1, 1), scope=SCOPE))
    other = nodes.on("b", Stoppable())
    nodes.around.advance(1)
    now(other.cancel(task_id))
    nodes.around.advance(1)
    assert nodes.read(task_id).task.status is TaskStatus.CANCELLED


def test_cancel_of_what_has_ended_changes_nothing(nodes: JobNodes) -> None:
    jobs = nodes.on("a", Walk())
    task_id = now(jobs.start("walk", "g", tree(0, 0, 1), scope=SCOPE))
    nodes.around.advance(1)
    assert now(jobs.cancel(task_id)).task.status is TaskStatus.FINISHED
    assert not nodes.read(task_id).is_unwanted


class Lasting(Walk):
    """A walk that is done to its end."""

    is_cancellable = False


def test_task_of_a_kind_that_must_be_done_is_not_cancelled(nodes: JobNodes) -> None:
    jobs = nodes.on("a", Lasting())
    task_id = now(jobs.start("walk", "g", tree(0, 0, 1), scope=SCOPE))
    with pytest.raises(NotCancellable):
        now(jobs.cancel(task_id))


def test_unknown_task_is_told_as_such(nodes: JobNodes) -> None:
    jobs = nodes.on("a", Walk())
    for ask in (jobs.status, jobs.cancel, jobs.audit):
        with pytest.raises(NoSuchTask):
            now(ask(TaskId(SCOPE, "none")))


def test_tasks_of_greater_priority_go_first_and_groups_take_turns(nodes: JobNodes) -> None:
    order: list[str] = []
    gate = Gate({"first"})

    async def note(name: str) -> None:
        order.append(name)
        await gate(name)

    jobs = nodes.on("a", Walk(pool=Pool("walk", Limits(1, 1, 1)), before=note))
    tasks = [("first", "x", 0), ("second", "x", 0), ("third", "x", 0), ("other", "y", 0), ("urgent", "x", 5)]
    for name, group, priority in tasks:
        payload = msgpack.packb([0, 0, 0, name])
        now(jobs.start("walk", group, payload, scope=SCOPE, name=name, priority=priority))
        nodes.around.advance(0.1)
    gate.open()
    nodes.around.advance(1)
    assert order == ["first", "urgent", "other", "second", "third"]


def test_list_shows_the_newest_first_page_by_page(nodes: JobNodes) -> None:
    jobs = nodes.on("a", Walk())
    names = []
    for number in range(7):
        nodes.around.advance(0.1)
        scope = SCOPE if number % 2 else Scope("jobs")
        names.append(f"n{number}")
        now(jobs.start("walk", "eo"[number % 2], tree(0, 0, 0), scope=scope, name=names[-1]))
    nodes.around.advance(1)
    seen: list[str] = []
    token: str | None = None
    while True:
        page = now(jobs.list(TaskStatus.FINISHED, token=token, limit=3))
        seen.extend(one.id.name for one in page.tasks)
        token = page.next_token
        if token is None:
            break
    assert seen == names[::-1]
    odd = now(jobs.list(TaskStatus.FINISHED, group="o")).tasks
    assert [one.id.name for one in odd] == ["n5", "n3", "n1"]
    assert now(jobs.list(TaskStatus.FINISHED, pool="other")).tasks == []
    assert now(jobs.list(TaskStatus.CANCELLED)).tasks == []


def test_store_that_is_away_for_a_while_fails_no_job(nodes: JobNodes) -> None:
    gate = Gate({"r/1"})
    walk = Walk(before=gate)
    task_id = now(nodes.on("a", walk).start("walk", "g", tree(1, 3, 2), scope=SCOPE))
    nodes.around.advance(1)
    nodes.around.node("a").engine.is_away = True
    gate.open()
    nodes.around.advance(20)
    nodes.around.node("a").engine.is_away = False
    nodes.around.advance(10)
    task = nodes.read(task_id).task
    assert task.status is TaskStatus.FINISHED
    assert (task.counters.masters_done, task.counters.masters_failed) == (4, 0)
    assert now(nodes.around.store.counters(SCOPE)) == {"masters": 4}


def test_task_whose_beginner_died_before_he_told_is_found(nodes: JobNodes) -> None:
    nodes.on("a", Walk())
    nodes.around.advance(1)
    fuse = Fuse(Trouble.CUT_BEFORE, at=2)  # he read, and committed
    beginner = Tasks(FusedEngine(nodes.around.store, fuse))
    task_id = TaskId(SCOPE, "n")
    Deferred.fromCoroutine(beginner.start(task_id, Task(pool="walk", group="g", payload=tree(0, 0, 1)), 0.0))
    assert fuse.is_dead
    assert nodes.read(task_id).task.status is TaskStatus.SCHEDULED
    nodes.around.advance(LOOK_EVERY_S)
    assert nodes.read(task_id).task.status is TaskStatus.FINISHED


@pytest.mark.slow()
def test_ended_tasks_are_forgotten_when_they_are_old_or_too_many(nodes: JobNodes) -> None:
    jobs = nodes.on("a", Walk())
    nodes.around.advance(1)
    names = [now(jobs.start("walk", "g", tree(0, 0, 0), scope=SCOPE)).name for _ in range(MOST_ENDED + 20)]
    nodes.around.advance(1)
    assert now(jobs._tasks.forget_ended(SCOPE, 1e9)) == 20
    assert len(now(jobs.list(TaskStatus.FINISHED, limit=2000)).tasks) == MOST_ENDED
    while now(jobs._tasks.forget_ended(SCOPE, 1e9 + 15 * 86400)):
        pass
    assert now(jobs.list(TaskStatus.FINISHED)).tasks == []
    for name in names[:3]:
        assert now(nodes.around.store.count(SCOPE, Key(f"audit:{name}"))) == 0


def test_stopped_node_leaves_nothing_running(nodes: JobNodes) -> None:
    gate = Gate({"r"})
    walk = Walk(before=gate)
    jobs = nodes.on("a", walk)
    now(jobs.start("walk", "g", tree(0, 0, 1), scope=SCOPE))
    nodes.around.advance(1)
    ended: list[object] = []
    maybeDeferred(jobs.stopService).addCallback(ended.append)
    assert ended == [None]
    assert nodes.around.node("a").clock.getDelayedCalls() == []
