"""The audit log of an import: lines in order of time, the oldest forgotten first. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from attrs import frozen

from cluster_worker.persistence.engine import Entry, Link, Step, Unlink
from op_worker.importing.records import AUDIT

MOST_LINES = 10_000
TRIMMED_AT_ONCE = 1000
_MARK_B = 4


@frozen
class AuditLine:
    """One line. ``at_s`` in seconds since the epoch; ``token`` is its place in the log."""

    at_s: float
    text: str
    token: str

    @classmethod
    def found(cls, entry: Entry) -> AuditLine:
        """Read an entry of the directory."""
        at_s, text = json.loads(entry.value.partition(b"/")[2])
        return cls(at_s, text, entry.name.decode())


def written(lines: Sequence[str], now_s: float, mark: bytes) -> list[Step]:
    """Return the steps that add lines; ``mark`` is random, so that two who write at once do not clash."""
    at = int(now_s * 1e6)
    return [
        Link(
            AUDIT,
            f"{at:016x}{mark.hex()}{number:06x}".encode(),
            b"/" + json.dumps([now_s, line]).encode(),
        )
        for number, line in enumerate(lines)
    ]


def new_mark(random_bytes: bytes) -> bytes:
    """Return a mark for ``written``."""
    return random_bytes[:_MARK_B]


def outdated(oldest: Sequence[Entry], count: int) -> list[Step]:
    """Return the steps that forget the oldest of ``count`` lines, when they are too many."""
    surplus = count - MOST_LINES
    return [Unlink(AUDIT, entry.name, entry.value) for entry in oldest[: max(0, surplus)]]
