"""A kind of background work for tests: a tree of masters with slaves, which writes down what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

import msgpack
from attrs import define, field
from twisted.internet.defer import Deferred

from cluster_worker.jobs.pool import Limits, Pool
from cluster_worker.jobs.task import MasterJob
from cluster_worker.jobs.traverse import JobContext, MasterOutcome, QuietTraverse
from cluster_worker.persistence.engine import Add

POOL = Pool("walk", Limits(masters=3, slaves=5, tasks=2))


def tree(depth: int, width: int, slaves: int) -> bytes:
    """A walk: ``width`` masters below each, ``depth`` levels down, each with so many slaves."""
    packed: bytes = msgpack.packb([depth, width, slaves, "r"])
    return packed


def masters_of(depth: int, width: int) -> int:
    """How many masters such a walk has."""
    return sum(width**level for level in range(depth + 1))


async def nothing(_what: str) -> None:
    """Take no time."""


@define(eq=False)
class Walk(QuietTraverse):
    """Walks a tree that its payload describes.

    Attributes:
        done: how often each slave was done.
        before: awaited before each job; its name is given.
        counts: whether each master adds to the counter ``masters`` in the commit that ends it.
        failing: what fails, and how many times yet.
        most: the most slaves that ran at a time, as they were seen.
    """

    pool: Pool = POOL
    done: Counter[str] = field(factory=Counter)
    masters: Counter[str] = field(factory=Counter)
    before: Callable[[str], Awaitable[None]] = nothing
    counts: bool = True
    failing: dict[str, int] = field(factory=dict)
    told: list[str] = field(factory=list)
    running: set[str] = field(factory=set)
    most: int = 0

    async def do_master(self, job: MasterJob, context: JobContext) -> MasterOutcome:
        depth, width, slaves, name = msgpack.unpackb(job.payload)
        await self.before(name)
        self._fail_if_told(name)
        self.masters[name] += 1
        below = range(width if depth else 0)
        return MasterOutcome(
            slaves=[f"{name}.{index}".encode() for index in range(slaves)],
            masters=[msgpack.packb([depth - 1, width, slaves, f"{name}/{index}"]) for index in below],
            steps=[Add("masters", 1)] if self.counts else [],
        )

    async def do_slave(self, payload: bytes, context: JobContext) -> None:
        name = payload.decode()
        self.running.add(name)
        self.most = max(self.most, len(self.running))
        try:
            await self.before(name)
            self._fail_if_told(name)
            self.done[name] += 1
        finally:
            self.running.remove(name)

    async def task_started(self, context: JobContext) -> None:
        self.told.append("started")

    async def task_finished(self, context: JobContext) -> None:
        self.told.append("finished")

    async def task_cancelled(self, context: JobContext) -> None:
        self.told.append("cancelled")

    def _fail_if_told(self, name: str) -> None:
        if self.failing.get(name, 0) > 0:
            self.failing[name] -= 1
            raise RuntimeError(f"{name} is told to fail")


@define(eq=False)
class Gate:
    """Holds up jobs whose name is listed until they are let through."""

    held: set[str] = field(factory=set)
    waiting: list[Deferred[None]] = field(factory=list)

    async def __call__(self, name: str) -> None:
        if name in self.held:
            waiter: Deferred[None] = Deferred(self.waiting.remove)
            self.waiting.append(waiter)
            await waiter

    def let_one_through(self) -> None:
        """Let the one through that waits longest."""
        self.waiting.pop(0).callback(None)

    def open(self) -> None:
        """Let everything through."""
        self.held.clear()
        while self.waiting:
            self.let_one_through()
