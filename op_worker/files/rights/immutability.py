"""Retention periods and holds: what has to stay as it is; and where a space keeps track of them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from attrs import frozen

from cluster_worker.persistence.engine import Key, Link, Put, Step, Unlink
from op_worker.files.operations import NEEDS_WRITE_DATA, Operation
from op_worker.files.rights.verdicts import Fact, FactKind
from op_worker.files.rules.retention import FREE, Immutability

FORBIDDEN = int(NEEDS_WRITE_DATA & ~(Operation.WRITE_RETENTION | Operation.WRITE_RETENTION_HOLD))
"""Whatever changes a file or takes it away; a period can be extended and holds added all the same."""
CHANGES = FORBIDDEN & ~int(Operation.DELETE)
"""What changes a file, whatever name it is found by; a further name can go."""


@frozen
class Keeping:
    """What keeps a file as it is, set on it or on a directory above, at ``path``."""

    immutability: Immutability
    path: str

    def fact(self, wanted: int, now_ms: int, *, is_directory: bool) -> Fact | None:
        """Return what stands against any of ``wanted``: holds before the retention period."""
        operations = wanted & FORBIDDEN
        kept = self.immutability
        if not operations or not kept.binds(now_ms):
            return None
        if kept.holds:
            kind, what = FactKind.HOLD, ", ".join(kept.holds)
        else:
            kind, what = FactKind.RETENTION, _end_of(kept)
        return Fact(kind, operations, what, is_directory=is_directory, path=self.path)


def _end_of(kept: Immutability) -> str:
    end_ms = 0 if kept.period is None else kept.period.end_ms
    return datetime.fromtimestamp(end_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


# -- the registers ---------------------------------------------------------------------------------

REGISTER = Key("kept")
"""The directory whose entries are the uuids of all files of a space with a period or holds."""
REGISTER_MARK = "changes"
"""A document of the register that is written with each change of it."""
DUE = Key("kept_until")
"""The directory that lists files which are to be removed, by the end of their retention."""
_DIGITS = 16
_FILE, _DIRECTORY = b"R", b"D"


def due_name(end_ms: int, key: Key) -> bytes:
    """Return the name in ``DUE``: the entries stand in the order of their ends."""
    return f"{max(0, end_ms):0{_DIGITS}d}.{key}".encode()


def key_of_due(name: bytes) -> Key:
    """Return the file of an entry of ``DUE``."""
    return Key(name.partition(b".")[2].decode())


def register_steps(
    key: Key, before: Immutability | None, after: Immutability | None, *, is_directory: bool
) -> list[Step]:
    """Return the steps that keep the registers when what keeps a file changes."""
    old, new = before or FREE, after or FREE
    steps: list[Step] = []
    name, value = key.encode(), _DIRECTORY if is_directory else _FILE
    if old.may_bind is not new.may_bind:
        steps.append((Link if new.may_bind else Unlink)(REGISTER, name, value))
    if old != new and (old.may_bind or new.may_bind):
        steps.append(Put(REGISTER, REGISTER_MARK, b""))
    if old.due_ms != new.due_ms:
        if old.due_ms is not None:
            steps.append(Unlink(DUE, due_name(old.due_ms, key), value))
        if new.due_ms is not None:
            steps.append(Link(DUE, due_name(new.due_ms, key), value))
    return steps
