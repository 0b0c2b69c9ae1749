"""Jobs that charge files anew: which changes need one, and how they are stored. Pure.

A job is a field of the document ``JOBS``, named after the directory at its top. While there is one, the
epoch of the quotas says that they are not settled, and every directory that is moved gets a job too: it
may go from where the walk has yet to come to where it has been.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from cluster_worker.persistence.engine import ABSENT, Delete, Document, Key, Put, Step
from op_worker.files.stored.nodes import Chain
from op_worker.files.stored.packing import SCHEMA, pack, unpack
from op_worker.files.stored.quotas import SpaceQuotas, of_directory

JOBS = Key("recharges")
"""The document of a space that holds its jobs."""
POSITIONS = Key("recharge-positions")
"""The document of a space that holds, by the same fields, how far those have got that take long."""

Open = tuple[Key, bytes | None]
"""A directory whose entries are still to be visited, behind a name if some were."""


@frozen
class Job:
    """How far a walk below a directory got. ``since_s`` in seconds since the epoch."""

    since_s: int
    visited: int = 0
    changed: int = 0

    def encode(self) -> bytes:
        return pack([SCHEMA, self.since_s, self.visited, self.changed])

    @classmethod
    def decode(cls, data: bytes) -> Job:
        _, since_s, visited, changed, *_ = unpack(data, "recharge")
        return cls(since_s, visited, changed)


@frozen
class Position:
    """Where a walk goes on: what is open, the next at the end, after so many files were visited."""

    visited: int
    open: Sequence[Open]

    def encode(self) -> bytes:
        return pack([SCHEMA, self.visited, list(self.open)])

    @classmethod
    def decode(cls, data: bytes) -> Position:
        _, visited, found, *_ = unpack(data, "recharge position")
        return cls(visited, [(Key(key), after) for key, after in found])


def begin(quotas: SpaceQuotas, jobs: Mapping[str, Document], top: str, now_s: float) -> list[Step]:
    """Return the steps that begin a walk below ``top``, or make the one that runs begin anew."""
    found = jobs.get(top)
    revision = ABSENT if found is None else found.revision
    return [
        Put(JOBS, top, Job(int(now_s)).encode(), expect=revision),
        Delete(POSITIONS, top),
        quotas.next_epoch(is_settled=False),
    ]


def is_needed(quotas: SpaceQuotas, source: Sequence[Key], target: Sequence[Key]) -> bool:
    """Whether a directory that goes from below ``source`` to below ``target`` has to be charged anew."""
    before = {of_directory(key) for key in source} & quotas.quotas.keys()
    after = {of_directory(key) for key in target} & quotas.quotas.keys()
    return before != after or not quotas.is_settled


def keys_of(directory: Chain) -> list[Key]:
    """Return the keys of a directory and of all above it."""
    return [node.key for node in directory.nodes]
