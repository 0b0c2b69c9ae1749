"""Access control lists as values: ordered entries of the NFSv4 and CDMI kind. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum, IntFlag
from functools import lru_cache
from typing import Any, Final

import msgpack
from attrs import evolve, frozen

from onedata.errors import Errno, Posix
from op_worker.files.operations import ON_FILES, meaningful

OWNER: Final = "OWNER@"
"""Whoever owns the file."""
GROUP: Final = "GROUP@"
"""Every member of the space."""
EVERYONE: Final = "EVERYONE@"
ANONYMOUS: Final = "ANONYMOUS@"
"""Guests, who come through shares."""
AUTHENTICATED: Final = "AUTHENTICATED@"
"""Whoever comes with a token: every member of the space."""
ADMINISTRATOR: Final = "ADMINISTRATOR@"
"""Owners of the space."""
ADMINUSERS: Final = "ADMINUSERS@"
"""Owners of the space, and members who may set privileges in it."""
SPECIAL = frozenset({OWNER, GROUP, EVERYONE, ANONYMOUS, AUTHENTICATED, ADMINISTRATOR, ADMINUSERS})
MOST_ENTRIES = 1024

_pack: Callable[[object], bytes] = msgpack.packb


class AceKind(IntEnum):
    """What an entry does with the operations of its mask; the numbers are those of NFSv4."""

    ALLOW = 0
    DENY = 1
    AUDIT = 2
    """Kept and shown; it never decides."""


class AceFlag(IntFlag):
    """The flags of an entry."""

    FILE_INHERIT = 0x1
    """New files and links in the directory get the entry."""
    DIRECTORY_INHERIT = 0x2
    """New directories in the directory get the entry, and hand it on."""
    NO_PROPAGATE = 0x4
    """Who inherits the entry does not hand it on."""
    INHERIT_ONLY = 0x8
    """The entry does not count for the directory itself."""
    IDENTIFIER_GROUP = 0x40
    """``who`` is a group."""
    INHERITED = 0x80
    """The entry came from the directory above."""


_INHERITABLE = int(AceFlag.FILE_INHERIT | AceFlag.DIRECTORY_INHERIT)
_INHERITANCE = int(_INHERITABLE | AceFlag.NO_PROPAGATE | AceFlag.INHERIT_ONLY)
WRITE_OWNER, SYNCHRONIZE = 0x80000, 0x100000
"""Mask bits of the standards that nothing here asks for: owners stay, nobody waits for a lock."""
_ASKED_BY_NOBODY = WRITE_OWNER | SYNCHRONIZE
_WORDS_OF_FILES = 0x4 | 0x20
"""Append and execute, which the standards have for files: kept, and asked for by nobody."""
COMPOUNDS = {"ALL_PERMS": 0x1F07FF, "RW_ALL": 0x601DF, "READ_ALL": 0x9, "RW": 0x1F}
"""Masks that have names in CDMI; they may be set on files and on directories alike."""
_KNOWN_FLAGS = int(_INHERITANCE | AceFlag.IDENTIFIER_GROUP | AceFlag.INHERITED)


@frozen
class Ace:
    """One entry. ``who`` is a user or group id, or one of the special identifiers such as ``OWNER@``.

    ``flags`` and ``mask`` are bits of NFSv4 (RFC 7530 section 6.2.1) and CDMI 1.1.1 (clause 16.1).
    From ``expires_ms`` on, in milliseconds since the epoch, the entry decides nothing.
    """

    kind: AceKind
    who: str
    flags: int
    mask: int
    expires_ms: int | None = None

    def is_expired(self, now_ms: int) -> bool:
        """Whether the entry has ceased to count."""
        return self.expires_ms is not None and self.expires_ms <= now_ms

    @property
    def is_group(self) -> bool:
        """Whether ``who`` is the id of a group."""
        return bool(self.flags & AceFlag.IDENTIFIER_GROUP) and self.who not in SPECIAL

    def packed(self) -> Sequence[Any]:
        """Return the stored form."""
        packed = (int(self.kind), self.who, self.flags, self.mask)
        return packed if self.expires_ms is None else (*packed, self.expires_ms)

    @classmethod
    def unpacked(cls, stored: Sequence[Any]) -> Ace:
        """Undo ``packed``."""
        kind, who, flags, mask, *expires_ms = stored
        return cls(AceKind(kind), who, flags, mask, *expires_ms)


Acl = tuple[Ace, ...]
"""An access control list; the order of its entries counts. One without entries does not exist."""


def pack_acl(acl: Acl) -> bytes:
    """Return the stored form of a list."""
    return _pack([ace.packed() for ace in acl])


@lru_cache(maxsize=128)
def unpack_acl(stored: bytes) -> Acl:
    """Undo ``pack_acl``.

    Lists are remembered: every file below a directory with a long list asks for it again, and files that
    inherited the same list share it.
    """
    return tuple(Ace.unpacked(one) for one in msgpack.unpackb(stored))


def check_acl(
    acl: Acl, *, is_directory: bool, is_user: Callable[[str], bool], is_group: Callable[[str], bool]
) -> None:
    """Return when a file of this type may have the list.

    Args:
        is_user, is_group: whether the space knows such a user or group.

    Raises:
        Posix: E2BIG for more than ``MOST_ENTRIES``; EINVAL for an unknown user, group or flag, for mask bits
            that no standard has on a file of this type, and for inheritance flags on what is no directory.
    """
    if len(acl) > MOST_ENTRIES:
        raise Posix(Errno.E2BIG, f"an ACL may have up to {MOST_ENTRIES} entries; this one has {len(acl)}")
    for number, ace in enumerate(acl, 1):
        problem = _problem(ace, is_directory, is_user, is_group)
        if problem is not None:
            raise Posix(Errno.EINVAL, f"entry {number} of the ACL: {problem}")


def _problem(
    ace: Ace, is_directory: bool, is_user: Callable[[str], bool], is_group: Callable[[str], bool]
) -> str | None:
    """Return what is wrong with an entry."""
    kind = "directory" if is_directory else "file"
    if ace.flags & ~_KNOWN_FLAGS:
        return f"unknown flags {ace.flags & ~_KNOWN_FLAGS:#x}"
    if ace.flags & _INHERITANCE and not is_directory:
        return "only directories have entries to inherit"
    if (excess := ace.mask & ~_known_bits(is_directory)) and ace.mask not in COMPOUNDS.values():
        return f"the mask bits {excess:#x} mean nothing on a {kind}"
    if ace.who in SPECIAL:
        return None
    if ace.is_group:
        return None if is_group(ace.who) else f"the space has no group {ace.who}"
    return None if is_user(ace.who) else f"the space has no user {ace.who}"


def _known_bits(is_directory: bool) -> int:
    known = int(meaningful(is_directory=is_directory)) | _ASKED_BY_NOBODY
    return known if is_directory else known | _WORDS_OF_FILES


def inherited(acl: Acl | None, *, is_directory: bool) -> Acl | None:
    """Return the list that a new file or directory gets from its directory's list, ``None`` for none."""
    if acl is None:
        return None
    inherit = _inherited_by_directory if is_directory else _inherited_by_file
    found = tuple([made for ace in acl if ace.flags & _INHERITABLE and (made := inherit(ace)) is not None])
    return found or None


def _inherited_by_file(ace: Ace) -> Ace | None:
    if not ace.flags & AceFlag.FILE_INHERIT or not ace.mask & ON_FILES:
        return None
    mask = ace.mask & int(ON_FILES | _ASKED_BY_NOBODY)
    return evolve(ace, flags=_marked(ace.flags & ~_INHERITANCE), mask=mask)


def _inherited_by_directory(ace: Ace) -> Ace | None:
    """An entry for files alone goes along, without counting, to reach the files further below."""
    if ace.flags & AceFlag.DIRECTORY_INHERIT:
        dropped = _INHERITANCE if ace.flags & AceFlag.NO_PROPAGATE else AceFlag.INHERIT_ONLY
        return evolve(ace, flags=_marked(ace.flags & ~dropped))
    if ace.flags & AceFlag.NO_PROPAGATE:
        return None
    return evolve(ace, flags=_marked(ace.flags | AceFlag.INHERIT_ONLY))


def _marked(flags: int) -> int:
    return int(flags | AceFlag.INHERITED)
