"""How many bytes each user of a space holds, summed up over the files one reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b

from attrs import define, field, frozen

from cluster_worker.persistence.engine import Document, Key
from onedata.ids import UserId
from op_worker.files.stored.documents import LOCATION, META
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.packing import SCHEMA, pack, pack_id, unpack, unpack_id

USAGE_FIELDS = (META, LOCATION)
"""The documents of a file that a sum needs."""
_BITS = 1 << 25  # 4 MiB
_PLACES = 3


@frozen
class Usage:
    """What users held when a space was walked last.

    Attributes:
        ended_s: when the walk ended, in seconds since the epoch.
        held: bytes by user.
        is_whole: whether everybody else held nothing; otherwise it is not known what others held.
    """

    ended_s: int
    held: Mapping[UserId, int]
    is_whole: bool

    def of(self, user_id: UserId) -> int | None:
        """Return the bytes of a user; ``None`` when nobody knows."""
        return self.held.get(user_id, 0 if self.is_whole else None)

    def encode(self) -> bytes:
        """Return the stored form."""
        held = [[pack_id(user), size_b] for user, size_b in self.held.items()]
        return pack([SCHEMA, self.ended_s, self.is_whole, held])

    @classmethod
    def decode(cls, document: Document | None) -> Usage | None:
        """Undo ``encode``; ``None`` when no walk has ended yet."""
        if document is None:
            return None
        _, ended_s, is_whole, held = unpack(document.data, "usage of users")[:4]
        return cls(ended_s, {UserId(unpack_id(user)): size_b for user, size_b in held}, is_whole)


@define(eq=False)
class Seen:
    """Which files were counted: 4 MiB however many they are.

    Never denies one that was added. It takes 1 in 75 of the others for added after three million files,
    1 in 5 after ten million.
    """

    _bits: bytearray = field(factory=lambda: bytearray(_BITS // 8))

    def add(self, key: Key) -> bool:
        """Add a file; return whether it had been added before."""
        digest = blake2b(key.encode(), digest_size=4 * _PLACES).digest()
        number, was_there = int.from_bytes(digest, "big"), True
        for _ in range(_PLACES):
            number, low = number >> 32, number % _BITS
            place, bit = low >> 3, 1 << (low & 7)
            was_there = was_there and bool(self._bits[place] & bit)
            self._bits[place] |= bit
        return was_there


@define(eq=False)
class Sums:
    """Adds up the bytes of files by owner, of each file once, for a bounded number of owners.

    Args:
        users: who is counted in any case.
        most: how many users are counted at most; others are added in the order in which they are met.
    """

    _held: dict[UserId, int]
    _most: int
    _seen: Seen = field(factory=Seen, init=False)
    _is_whole: bool = field(default=True, init=False)

    @classmethod
    def of(cls, users: Iterable[UserId], most: int) -> Sums:
        """Return sums in which these users hold nothing yet."""
        return cls(dict.fromkeys(users, 0), most)

    def add(self, key: Key, documents: Mapping[str, Document]) -> None:
        """Count a file as it is, unless it was counted before, is gone, or cannot be read."""
        node = Node(key, "", documents)
        if not node.exists or node.location is None:
            return
        owner, held_b = UserId(node.meta.owner), node.location.held_b
        if not held_b or self._seen.add(key):
            return
        if owner in self._held or len(self._held) < self._most:
            self._held[owner] = self._held.get(owner, 0) + held_b
        else:
            self._is_whole = False

    def ended(self, now_s: float) -> Usage:
        """Return what was found."""
        return Usage(int(now_s), dict(self._held), self._is_whole)
