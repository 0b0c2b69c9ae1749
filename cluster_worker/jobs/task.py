"""What is kept of a task and its jobs, and how both go on. Pure.

A task is one walk. Its *master* jobs find out what there is to do: a master comes to *slave* jobs, which do
it, and to further masters. Masters wait in the store; slaves live as long as their master is on the pool.
"""

from __future__ import annotations

import re
from enum import Enum
from hashlib import blake2b
from typing import Any

import msgpack
from attrs import evolve, field, frozen

from cluster_worker.persistence.engine import Scope

PARTITIONS = 32
"""Tasks are divided among so many partitions, each of which has one owner."""
_SCHEMA = 1
_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}\Z")
_DEEPEST = 0xFFFF


class TaskStatus(Enum):
    """Where a task is; the last two are ends."""

    SCHEDULED = "scheduled"
    ONGOING = "ongoing"
    FINISHED = "finished"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self in (TaskStatus.SCHEDULED, TaskStatus.ONGOING)


class JobState(Enum):
    """What the audit tells of a job."""

    WAITING = "waiting"
    ON_POOL = "on_pool"
    ENDED = "ended"
    FAILED = "failed"
    CANCELED = "canceled"


class BadTaskId(ValueError):
    """A text that cannot be the id of a task."""


@frozen(order=True)
class TaskId:
    """A task: the scope that it is kept in, and its name there."""

    scope: Scope
    name: str = field()

    @name.validator
    def _check_name(self, _attribute: object, name: str) -> None:
        if not _ID.match(name):
            raise BadTaskId(f"{name!r} is no id of a task")

    def __str__(self) -> str:
        return f"{self.scope}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> TaskId:
        """Read what ``str`` wrote. Raises: BadTaskId."""
        scope, colon, name = text.rpartition(":")
        if not colon or not scope:
            raise BadTaskId(f"{text!r} is no id of a task")
        return cls(Scope(scope), name)

    @property
    def partition(self) -> int:
        """Which partition the task is in."""
        digest = blake2b(str(self).encode("utf-8", "surrogatepass"), digest_size=4).digest()
        return int.from_bytes(digest, "big") % PARTITIONS


@frozen
class Counters:
    """How many jobs there were; each counts once, however often it was begun."""

    masters_delegated: int = 0
    masters_done: int = 0
    masters_failed: int = 0
    masters_canceled: int = 0
    slaves_delegated: int = 0
    slaves_done: int = 0
    slaves_failed: int = 0

    @property
    def masters_waiting(self) -> int:
        """How many masters are in the store."""
        ended = self.masters_done + self.masters_failed + self.masters_canceled
        return self.masters_delegated - ended

    @property
    def done(self) -> int:
        """How many jobs are behind us."""
        return self.masters_done + self.masters_failed + self.slaves_done + self.slaves_failed

    @property
    def delegated(self) -> int:
        """How many jobs are known of."""
        return self.masters_delegated + self.slaves_delegated


@frozen
class Tally:
    """What a master came to: its slaves, and the masters that it adds."""

    slaves_done: int = 0
    slaves_failed: int = 0
    masters: int = 0


@frozen(kw_only=True)
class Task:
    """A task as it is stored. Times in seconds since the epoch, 0 for what has not happened.

    Attributes:
        group: whose task it is, such as a space or a user; groups take turns.
        priority: a greater one goes first.
        payload: what the walk is about, for whoever does it.
        progress: done and total, as the walk tells; ``None`` as long as it tells nothing.
        audited: how many entries of the audit were ever written.
        takeovers: how often another owner went on after a crash.
    """

    pool: str
    group: str
    priority: int = 0
    status: TaskStatus = TaskStatus.SCHEDULED
    created_s: float = 0.0
    started_s: float = 0.0
    ended_s: float = 0.0
    payload: bytes = b""
    counters: Counters = Counters()
    progress: tuple[int, int] | None = None
    audited: int = 0
    takeovers: int = 0
    rest: tuple[Any, ...] = ()

    @property
    def told_progress(self) -> tuple[int, int]:
        """Done and total: as the walk tells, else in jobs."""
        return self.progress or (self.counters.done, self.counters.delegated)

    def begun(self, now_s: float) -> Task:
        """The task after its first owner began."""
        return evolve(self, status=TaskStatus.ONGOING, started_s=now_s)

    def handed_over(self) -> Task:
        """The task after an owner gave it back in good order."""
        return evolve(self, status=TaskStatus.SCHEDULED)

    def taken_over(self) -> Task:
        """The task after another owner went on."""
        return evolve(self, takeovers=self.takeovers + 1)

    def ended(self, status: TaskStatus, now_s: float) -> Task:
        """The task after its end."""
        return evolve(self, status=status, ended_s=now_s)

    def delegated(self, masters: int) -> Task:
        """The task with so many masters more."""
        counters = self.counters
        return evolve(self, counters=evolve(counters, masters_delegated=counters.masters_delegated + masters))

    def master_done(self, tally: Tally) -> Task:
        """The task after a master and all its slaves ended."""
        done = self._with_slaves(tally).delegated(tally.masters)
        counters = evolve(done.counters, masters_done=done.counters.masters_done + 1)
        return evolve(done, counters=counters)

    def master_cut(self, tally: Tally) -> Task:
        """The task after a master was canceled when some of its slaves were done."""
        return self._with_slaves(tally).masters_dropped(1)

    def _with_slaves(self, tally: Tally) -> Task:
        counters = evolve(
            self.counters,
            slaves_delegated=self.counters.slaves_delegated + tally.slaves_done + tally.slaves_failed,
            slaves_done=self.counters.slaves_done + tally.slaves_done,
            slaves_failed=self.counters.slaves_failed + tally.slaves_failed,
        )
        return evolve(self, counters=counters)

    def master_failed(self) -> Task:
        """The task after a master was given up."""
        failed = self.counters.masters_failed + 1
        return evolve(self, counters=evolve(self.counters, masters_failed=failed))

    def masters_dropped(self, count: int) -> Task:
        """The task after so many waiting masters were canceled."""
        canceled = self.counters.masters_canceled + count
        return evolve(self, counters=evolve(self.counters, masters_canceled=canceled))

    def encode(self) -> bytes:
        counters = self.counters
        counts = (
            *(counters.masters_delegated, counters.masters_done, counters.masters_failed),
            *(counters.masters_canceled, counters.slaves_delegated),
            *(counters.slaves_done, counters.slaves_failed),
        )
        times = (self.created_s, self.started_s, self.ended_s)
        data: bytes = msgpack.packb(
            [
                *(_SCHEMA, self.pool, self.group, self.priority, self.status.value, times, self.payload),
                *(counts, self.progress, self.audited, self.takeovers, *self.rest),
            ]
        )
        return data

    @classmethod
    def decode(cls, data: bytes) -> Task:
        fields = msgpack.unpackb(data, use_list=False)
        schema, pool, group, priority, status, times, payload, counts, progress, audited, takeovers = fields[
            :11
        ]
        if schema != _SCHEMA:
            raise ValueError(f"task of version {schema}")
        created_s, started_s, ended_s = times
        return cls(
            pool=pool,
            group=group,
            priority=priority,
            status=TaskStatus(status),
            created_s=created_s,
            started_s=started_s,
            ended_s=ended_s,
            payload=payload,
            counters=Counters(*counts),
            progress=progress,
            audited=audited,
            takeovers=takeovers,
            rest=fields[11:],
        )


@frozen
class MasterJob:
    """A master as it waits in the store. ``number`` is its place among all masters of the task."""

    number: int
    depth: int
    payload: bytes

    @property
    def name(self) -> str:
        """Deeper masters come first, so that few wait at a time."""
        return f"{_DEEPEST - min(self.depth, _DEEPEST):04x}{self.number:012x}"

    def encode(self) -> bytes:
        data: bytes = msgpack.packb([_SCHEMA, self.number, self.depth, self.payload])
        return data

    @classmethod
    def decode(cls, data: bytes) -> MasterJob:
        _, number, depth, payload, *_ = msgpack.unpackb(data)
        return cls(number, depth, payload)
