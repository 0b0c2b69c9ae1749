"""What happened to a task, step by step: entries by number, the oldest forgotten first. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from attrs import frozen

from cluster_worker.persistence.engine import Entry, Key, Link, Step, Unlink

MOST_ENTRIES = 5000
KEEP_S = 14 * 86400.0
TRIM_EVERY = 250
"""Old entries are forgotten when so many new ones were written."""
MOST_TEXT = 500
_NAME = "{:016x}"


@frozen
class AuditEntry:
    """One step. ``at_s`` in seconds since the epoch; ``number`` counts the entries of a task from 0."""

    number: int
    at_s: float
    message: str

    @property
    def name(self) -> bytes:
        return name_of(self.number)

    @property
    def value(self) -> bytes:
        """What stands in the directory: no key, then the entry (JSON has no NUL)."""
        return b"/" + json.dumps([self.at_s, self.message[:MOST_TEXT]]).encode()

    @classmethod
    def found(cls, entry: Entry) -> AuditEntry:
        """Read an entry of the directory."""
        at_s, message = json.loads(entry.value.partition(b"/")[2])
        return cls(int(entry.name, 16), at_s, message)


def name_of(number: int) -> bytes:
    """The name of an entry, in order of numbers."""
    return _NAME.format(number).encode()


def written(directory: Key, first: int, at_s: float, messages: Sequence[str]) -> list[Step]:
    """Return the steps that add messages, the first of which gets the number ``first``."""
    entries = (AuditEntry(first + index, at_s, message) for index, message in enumerate(messages))
    return [Link(directory, entry.name, entry.value) for entry in entries]


def is_trimmed_between(before: int, after: int) -> bool:
    """Whether old entries are to be looked for after the number of entries went from one to the other."""
    return before // TRIM_EVERY != after // TRIM_EVERY


def outdated(directory: Key, oldest: Sequence[Entry], count: int, now_s: float) -> list[Step]:
    """Return the steps that forget what is too old or too much.

    Args:
        oldest: the first entries of the directory.
        count: how many there are in all.
    """
    surplus = count - (MOST_ENTRIES - 2 * TRIM_EVERY)
    return [
        Unlink(directory, entry.name, entry.value)
        for place, entry in enumerate(oldest)
        if place < surplus or AuditEntry.found(entry).at_s < now_s - KEEP_S
    ]
