"""What a scan has still to do, as its jobs carry it. Pure.

A job walks a part of the tree: directories to be scanned, and directories whose directories are to be read
from the space, because they were too many to be remembered. What does not fit into one job is left to
others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgpack
from attrs import define, field, frozen

_SCHEMA = 1
MOST_IN_JOB = 50
"""The most items that a job begins with."""
MOST_JOBS = 1000
MOST_WAITING = 2000
"""With more items than this a job ends and leaves them to others."""
MOST_ENTRIES = 20_000
"""With more entries behind it a job ends."""
MANY_JOBS = 4
"""Into how many jobs a short rest is divided."""


@frozen
class Item:
    """A directory, by its names below the root of the space.

    ``after`` is ``None`` when it is to be scanned; else its directories with greater names are, as the space
    knows them. ``is_new`` says that the scan has just made it known.
    """

    names: tuple[str, ...]
    after: str | None = None
    is_new: bool = False


ROOT = Item(())


@frozen
class Portion:
    """What one job is about: a scan, and a part of the tree."""

    scan_id: str
    items: tuple[Item, ...] = (ROOT,)

    def encode(self) -> bytes:
        rows = [[list(item.names), item.after, item.is_new] for item in self.items]
        packed: bytes = msgpack.packb([_SCHEMA, self.scan_id, rows], unicode_errors="surrogateescape")
        return packed

    @classmethod
    def decode(cls, data: bytes) -> Portion:
        fields: list[Any] = msgpack.unpackb(data, unicode_errors="surrogateescape")
        _, scan_id, rows, *_ = fields
        return cls(scan_id, tuple(Item(tuple(names), after, is_new) for names, after, is_new, *_ in rows))


def _as_list(items: Iterable[Item]) -> list[Item]:
    return list(items)


@define(eq=False)
class Way:
    """The way of one job: the deepest first, so that little waits."""

    waiting: list[Item] = field(converter=_as_list)
    entries: int = 0

    @property
    def is_long_enough(self) -> bool:
        """Whether the rest is to be left to other jobs."""
        return self.entries >= MOST_ENTRIES or len(self.waiting) > MOST_WAITING

    def next(self) -> Item | None:
        return self.waiting.pop() if self.waiting else None

    def found(self, item: Item, directories: Iterable[str], entries: int, *, is_new: bool) -> None:
        """Go on into directories that were found in another."""
        self.waiting.extend(Item((*item.names, name), is_new=is_new) for name in directories)
        self.entries += entries

    def read_again(self, item: Item, after: str = "") -> None:
        """Read the directories in one from the space, those with greater names than ``after``."""
        self.waiting.append(Item(item.names, after))

    def portions(self, scan_id: str) -> Sequence[Portion]:
        """Return the jobs that the rest is left to."""
        size = max(-(-len(self.waiting) // MANY_JOBS), 1)
        size = max(min(size, MOST_IN_JOB), -(-len(self.waiting) // MOST_JOBS))
        rest = tuple(self.waiting)
        return [Portion(scan_id, rest[first : first + size]) for first in range(0, len(rest), size)]
