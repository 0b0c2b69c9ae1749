"""Access control lists as values: ordered entries of the NFSv4 and CDMI kind. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from attrs import frozen


class AceKind(IntEnum):
    """What an entry does with the operations of its mask; the numbers are those of NFSv4."""

    ALLOW = 0
    DENY = 1


@frozen
class Ace:
    """One entry. ``who`` is a user or group id, or one of the special identifiers such as ``OWNER@``.

    ``flags`` and ``mask`` are bits of NFSv4 (RFC 7530 section 6.2.1) and CDMI 1.1.1 (clause 16.1).
    """

    kind: AceKind
    who: str
    flags: int
    mask: int

    def packed(self) -> Sequence[Any]:
        """Return the stored form."""
        return (int(self.kind), self.who, self.flags, self.mask)

    @classmethod
    def unpacked(cls, stored: Sequence[Any]) -> Ace:
        """Undo ``packed``."""
        kind, who, flags, mask = stored
        return cls(AceKind(kind), who, flags, mask)


Acl = tuple[Ace, ...]
"""An access control list; the order of its entries counts."""
