"""What is kept of a snapshot while it is being made, and how it is told. Pure."""

from __future__ import annotations

from attrs import evolve, field, frozen

from cluster_worker.persistence.engine import Key
from onedata.errors import BadData, Posix
from op_worker.files.stored.packing import SCHEMA, pack, unpack
from op_worker.files.stored.paths import check_name

DIRECTORY = "cdmi_snapshots"
"""The name of the directory that holds the snapshots of the directory it is in."""
_RESERVED_PREFIX = "cdmi_"
_ENTRY_B = 1 << 16
"""An entry weighs as much as so many bytes, when progress is told."""


@frozen
class Work:
    """How much there is to copy, and how much is done, in entries and bytes; known so far."""

    entries: int = 0
    entries_b: int = 0
    done: int = 0
    done_b: int = 0

    @property
    def percent(self) -> int:
        """Return 0 to 99: the end is told apart."""
        whole = self.entries * _ENTRY_B + self.entries_b
        part = self.done * _ENTRY_B + self.done_b
        return min(99, 100 * part // whole) if whole else 0


@frozen
class Taking:
    """A snapshot that is being made.

    Attributes:
        tree: the key of what becomes the snapshot.
        percent: how much of it is done, as far as that is known.
        error: why it came to nothing; empty as long as it did not.
        is_watched: whether another node takes it when the node that is at work on it dies.
    """

    tree: Key
    percent: int = 0
    error: str = ""
    is_watched: bool = False

    def encode(self) -> bytes:
        return pack([SCHEMA, self.tree, self.percent, self.error, self.is_watched])

    @classmethod
    def decode(cls, data: bytes) -> Taking:
        _, tree, percent, error, *rest = unpack(data, "snapshot")
        return cls(Key(tree), percent, error, *rest[:1])

    def failed(self, error: str) -> Taking:
        """Return the record of one that came to nothing."""
        return evolve(self, error=error)


@frozen
class Status:
    """How far a snapshot is. ``percent`` is ``None`` for one that is complete, or never will be."""

    percent: int | None = None
    error: str = field(default="")

    @property
    def is_complete(self) -> bool:
        return self.percent is None and not self.error


COMPLETE = Status()
INTERRUPTED = "interrupted"


def status_of(taking: Taking | None, *, is_made: bool) -> Status:
    """Return how far a snapshot is.

    Args:
        is_made: whether some node is at work on it.
    """
    if taking is None:
        return COMPLETE
    if taking.error:
        return Status(error=taking.error)
    return Status(percent=taking.percent) if is_made or taking.is_watched else Status(error=INTERRUPTED)


def check_snapshot_name(name: str) -> bytes:
    """Return the name of a snapshot as it is stored. Raises: BadData of ``snapshot`` for what is none."""
    try:
        raw = check_name(name)
    except Posix:
        raise BadData("snapshot", "the name of a snapshot is one component of a path") from None
    if name.startswith(_RESERVED_PREFIX):
        raise BadData("snapshot", "names of containers cannot start with cdmi_")
    return raw
