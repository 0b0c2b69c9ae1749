"""Background jobs over every engine, in real time: done, taken over among three nodes, many at once."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from attrs import define, field
from psutil import Process
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred

from cluster_worker.jobs.pool import Limits, Pool
from cluster_worker.jobs.service import Jobs
from cluster_worker.jobs.task import MasterJob, Task, TaskId, TaskStatus
from cluster_worker.jobs.traverse import JobContext, MasterOutcome, QuietTraverse, Traverse
from cluster_worker.persistence.engine import Engine, Scope
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.runtime.clock import sleep, system_wall_clock
from cluster_worker.tenure.timing import TenureTimes
from tests.support.embedded_engine import embedded_engine
from tests.support.power_cuts import Fuse, FusedEngine, Trouble
from tests.support.traverses import Walk, masters_of, tree

TIMES = TenureTimes(ttl_s=0.6, renew_s=0.15, margin_s=0.1, retry_s=0.05, try_s=0.1)
_numbers = itertools.count()


@define(eq=False)
class Cluster:
    """Nodes over one engine, tasks in one scope."""

    engine: Engine
    scope: Scope = field(factory=lambda: Scope(f"scope-{next(_numbers)}"))
    running: list[Jobs] = field(factory=list)

    def node(self, name: str, kind: Traverse, fuse: Fuse | None = None) -> Jobs:
        """Start a node; with a fuse it may die."""
        engine: Engine = self.engine if fuse is None else FusedEngine(self.engine, fuse)
        jobs = Jobs(
            engine,
            f"{name}/{next(_numbers)}",
            lambda: [self.scope],
            clock=reactor,
            wall_clock=system_wall_clock,
            random_bytes=lambda size_b: next(_numbers).to_bytes(size_b, "big"),
            times=TIMES,
        )
        jobs.offer(kind)
        jobs.startService()
        if fuse is None:
            self.running.append(jobs)
        return jobs

    async def ended(self, task_id: TaskId, within_s: float = 10.0) -> Task:
        """The task, once it has ended."""
        for _ in range(round(within_s / 0.02)):
            task = (await self.running[0].status(task_id)).task
            if not task.status.is_open:
                return task
            await sleep(reactor, 0.02)
        raise AssertionError(f"{task_id} does not end")


@asynccontextmanager
async def cluster_over(engine: Engine) -> AsyncIterator[Cluster]:
    """A cluster whose nodes are stopped at the end."""
    cluster = Cluster(engine)
    try:
        yield cluster
    finally:
        for jobs in cluster.running:
            await maybeDeferred(jobs.stopService)


class JobsConformance:
    """The suite; subclasses have a fixture ``engine``."""

    @ensureDeferred
    async def test_task_is_done_once_by_three_nodes_together(self, engine: Engine) -> None:
        async with cluster_over(engine) as cluster:
            walks = [Walk() for _ in range(3)]
            nodes = [cluster.node(name, walk) for name, walk in zip("abc", walks, strict=True)]
            tasks = [
                await nodes[number % 3].start("walk", str(number % 2), tree(2, 3, 2), scope=cluster.scope)
                for number in range(6)
            ]
            for task_id in tasks:
                task = await cluster.ended(task_id)
                assert task.status is TaskStatus.FINISHED
                assert task.counters.masters_done == masters_of(2, 3)
                assert task.counters.slaves_done == 2 * masters_of(2, 3)
            assert (await engine.counters(cluster.scope))["masters"] == 6 * masters_of(2, 3)
            done = sum((walk.done for walk in walks[1:]), walks[0].done)
            assert set(done.values()) == {6}
            assert sorted(number for node in nodes for number in node.owned) == list(range(32))

    @pytest.mark.slow()
    @ensureDeferred
    async def test_node_that_dies_is_followed_and_every_job_counts_once(self, engine: Engine) -> None:
        async with cluster_over(engine) as cluster:
            fuse, first, second, third = Fuse(Trouble.CUT_AFTER), *(slow_walk() for _ in range(3))
            dying = cluster.node("a", first, fuse)
            while len(dying.owned) < 32:
                await sleep(reactor, 0.01)
            cluster.node("b", second)
            cluster.node("c", third)
            task_id = await dying.start("walk", "g", tree(2, 3, 2), scope=cluster.scope)
            while len(first.masters) < 4:
                await sleep(reactor, 0.005)
            fuse.at = fuse.calls
            task = await cluster.ended(task_id)
            assert fuse.is_dead
            assert task.status is TaskStatus.FINISHED
            assert task.takeovers == 1
            assert task.counters.masters_done == masters_of(2, 3)
            assert task.counters.slaves_done == 2 * masters_of(2, 3)
            assert (await engine.counters(cluster.scope))["masters"] == masters_of(2, 3)

    @ensureDeferred
    async def test_cancel_reaches_a_task_wherever_it_is_done(self, engine: Engine) -> None:
        async with cluster_over(engine) as cluster:
            walks = [slow_walk(), slow_walk()]
            nodes = [cluster.node(name, walk) for name, walk in zip("ab", walks, strict=True)]
            task_id = await nodes[0].start("walk", "g", tree(3, 5, 5), scope=cluster.scope)
            while not any(walk.done for walk in walks):
                await sleep(reactor, 0.005)
            await nodes[1].cancel(task_id)
            task = await cluster.ended(task_id)
            assert task.status is TaskStatus.CANCELLED
            assert task.counters.masters_waiting == 0
            assert task.counters.slaves_done == sum(len(walk.done) for walk in walks)

    @ensureDeferred
    async def test_tasks_are_listed_and_audited(self, engine: Engine) -> None:
        async with cluster_over(engine) as cluster:
            jobs = cluster.node("a", Walk())
            tasks = [await jobs.start("walk", "g", tree(0, 0, 1), scope=cluster.scope) for _ in range(5)]
            for task_id in tasks:
                await cluster.ended(task_id)
            first = await jobs.list(TaskStatus.FINISHED, limit=3)
            rest = await jobs.list(TaskStatus.FINISHED, limit=3, token=first.next_token)
            listed = [one.id for one in (*first.tasks, *rest.tasks) if one.id.scope == cluster.scope]
            assert sorted(listed) == sorted(tasks)
            entries = await jobs.audit(tasks[0], after=0, limit=2)
            assert [entry.number for entry in entries] == [1, 2]


def slow_walk() -> Walk:
    """A walk whose jobs take a little time."""

    async def wait(_name: str) -> None:
        await sleep(reactor, 0.01)

    return Walk(before=wait)


WIDE = Pool("wide", Limits(masters=4, slaves=20, tasks=1))


@define(eq=False)
class Wide(QuietTraverse):
    """A walk of 100 masters and 100 000 slaves; it looks at how much memory there is in use."""

    pool: Pool = WIDE
    done: int = 0
    before_b: int = 0
    most_b: int = 0

    async def do_master(self, job: MasterJob, context: JobContext) -> MasterOutcome:
        if not job.depth:
            self.before_b = memory_b()
            return MasterOutcome(masters=[b"%d" % number for number in range(100)])
        self.most_b = max(self.most_b, memory_b())
        return MasterOutcome(slaves=[b"%s.%d" % (job.payload, number) for number in range(1000)])

    async def do_slave(self, payload: bytes, context: JobContext) -> None:
        self.done += 1


def memory_b() -> int:
    """How much memory this process has."""
    return int(Process().memory_info().rss)


@pytest.mark.slow()
@ensureDeferred
async def test_hundred_thousand_jobs_of_a_task_take_little_memory(redis_engine: RedisEngine) -> None:
    async with cluster_over(redis_engine) as cluster:
        wide = Wide()
        jobs = cluster.node("a", wide)
        task_id = await jobs.start("wide", "g", b"", scope=cluster.scope)
        task = await cluster.ended(task_id, within_s=90.0)
        assert task.counters.slaves_done == 100_000 <= wide.done
        assert wide.most_b - wide.before_b < 64 << 20


class TestMemoryEngine(JobsConformance):
    """Everything in this process."""

    @pytest.fixture()
    def engine(self) -> Engine:
        return MemoryEngine(reactor)


@pytest.fixture(scope="module")
def redis_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisEngine]:
    with embedded_engine(tmp_path_factory.mktemp("redis")) as engine:
        yield engine


class TestRedisEngine(JobsConformance):
    """The embedded server."""

    @pytest.fixture()
    def engine(self, redis_engine: RedisEngine) -> Engine:
        return redis_engine
