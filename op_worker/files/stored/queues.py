"""Queues as they are stored: a directory whose files are values, named by numbers that only grow. Pure.

The document ``queue`` of a queue's own key holds the number that the next value gets. Whoever adds values
writes it in the same commit, so that nobody gets a number twice and numbers follow the order of commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from attrs import evolve, frozen

from cluster_worker.persistence.engine import ABSENT, Add, Document, Key, Put, Step
from op_worker.files.stored.packing import SCHEMA, pack, unpack

QUEUE = "queue"
"""The document of a queue's own key."""
MIMETYPE = "cdmi_mimetype"
ENCODING = "cdmi_valuetransferencoding"
"""The extended attributes in which a value keeps what it was enqueued with."""
_DIGITS = 16


@frozen
class Numbering:
    """How far a queue has numbered its values: ``next`` was given to none yet.

    ``revision`` is that of the stored document.
    """

    next: int = 0
    revision: int = ABSENT
    rest: tuple[Any, ...] = ()

    def encode(self) -> bytes:
        return pack([SCHEMA, self.next, *self.rest])

    @classmethod
    def decode(cls, document: Document) -> Numbering:
        _, following, *rest = unpack(document.data, "queue")
        return cls(following, document.revision, tuple(rest))

    def numbers(self, count: int) -> range:
        """Return the numbers that the next ``count`` values get."""
        return range(self.next, self.next + count)

    def give_out(self, queue: Key, count: int) -> Step:
        """Return the step that gives out ``count`` numbers; it demands that nobody did so meanwhile."""
        after = evolve(self, next=self.next + count)
        return Put(queue, QUEUE, after.encode(), expect=self.revision)


def value_name(number: int) -> str:
    """Return the name of a value's file; names are in the order of numbers."""
    return f"{number:0{_DIGITS}d}"


def value_number(name: str) -> int:
    """Return the number of the value with this name."""
    return int(name)


def together(steps: Iterable[Step]) -> list[Step]:
    """Return the steps of several changes as those of one: what all of them demand or write is said once."""
    kept: list[Step] = []
    seen: set[Step] = set()
    for step in steps:
        if not isinstance(step, Add):
            if step in seen:
                continue
            seen.add(step)
        kept.append(step)
    return kept


def announced(keys: Iterable[Key]) -> Sequence[Key]:
    """Return each key once, in order."""
    return list(dict.fromkeys(keys))
