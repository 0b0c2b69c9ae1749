"""Protection flags: what nobody may change, whoever he is; and where a space keeps track of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag

from attrs import frozen

from cluster_worker.persistence.engine import Key, Link, Put, Step, Unlink
from op_worker.files.operations import Operation

_Op = Operation


class Protection(IntFlag):
    """The flags of a file; they hold for everything below it too."""

    DATA = 1
    METADATA = 2
    SNAPSHOTS = 4
    """Marks a directory of snapshots, together with both others: it goes with the directory it is in, and
    only so."""


FROZEN = Protection.DATA | Protection.METADATA | Protection.SNAPSHOTS
"""The flags of a directory of snapshots."""
NAMES = {"data_protection": Protection.DATA, "metadata_protection": Protection.METADATA}
"""The flags by the names that users know."""

_DATA_FORBIDS = int(_Op.WRITE_OBJECT | _Op.ADD_OBJECT | _Op.ADD_SUBCONTAINER | _Op.DELETE_CHILD)
_INSIDE_FORBIDS = int(_DATA_FORBIDS | _Op.DELETE)
_METADATA_FORBIDS = int(
    _Op.WRITE_METADATA | _Op.WRITE_ATTRIBUTES | _Op.WRITE_RETENTION | _Op.WRITE_RETENTION_HOLD | _Op.WRITE_ACL
)


@frozen
class Protected:
    """Flags that hold for a file, set on it (``is_own``) or on a directory above, at ``path``."""

    flags: int
    path: str
    is_own: bool

    def forbids(self, needed: int) -> Protection | None:
        """Return the flag that stands against any of ``needed``.

        The file with the flag can still be moved or removed as a whole, unless it holds snapshots; what is
        inside cannot.
        """
        for flag in (Protection.DATA, Protection.METADATA):
            if self.flags & flag and needed & self.forbidden_by(flag):
                return flag
        return None

    def forbidden_by(self, flag: int) -> int:
        """Return the operations that ``flag`` forbids here."""
        if flag == Protection.METADATA:
            return _METADATA_FORBIDS
        return _DATA_FORBIDS if self.is_own and not self.flags & Protection.SNAPSHOTS else _INSIDE_FORBIDS


def names_of(flags: int) -> list[str]:
    """Return flags by name."""
    return [name for name, flag in NAMES.items() if flags & flag]


def flags_of(names: Iterable[str]) -> int:
    """Undo ``names_of``. Raises: KeyError."""
    flags = 0
    for name in names:
        flags |= NAMES[name]
    return int(flags)


# -- the register of protected directories --------------------------------------------------------

REGISTER = Key("protected")
"""The directory whose entries are the uuids of all protected directories of a space."""
REGISTER_MARK = "changes"
"""A document of the register that is written with each change of it."""
_ENTRY = b"D"
OF_SNAPSHOTS = b"S"
"""The value of the entry of a directory of snapshots: it does not keep what is above from being removed."""


def register_steps(directory: Key, before: int, after: int) -> list[Step]:
    """Return the steps that keep the register when the flags of a directory change."""
    name = directory.encode()
    if bool(before) is bool(after):
        return []
    value = OF_SNAPSHOTS if (before | after) & Protection.SNAPSHOTS else _ENTRY
    entry = Link(REGISTER, name, value) if after else Unlink(REGISTER, name, value)
    return [entry, Put(REGISTER, REGISTER_MARK, b"")]
