"""How many bytes pass through this node, for which user of which space. Plain numbers in memory. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from onedata.ids import SpaceId, UserId

PIECE_B = 1 << 20
"""What is longer counts as several operations."""
MOST_TALLIES = 10_000
"""The most pairs of space and user that are told apart; of others only the space is known."""
OTHERS = UserId("")
"""Guests of shares, and who came when there were too many."""


@define
class Tally:
    """What passed: bytes and operations, each way."""

    read_b: int = 0
    written_b: int = 0
    reads: int = 0
    writes: int = 0

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        """All of them, in order."""
        return self.read_b, self.written_b, self.reads, self.writes

    def add(self, other: Tally) -> None:
        """Count what another one counted too."""
        self.read_b += other.read_b
        self.written_b += other.written_b
        self.reads += other.reads
        self.writes += other.writes


SpaceTallies = Mapping[UserId, Tally]


@define(eq=False)
class Tallies:
    """The tallies since they were taken last. A user who only looked around has one of zeros."""

    _open: dict[tuple[SpaceId, UserId], Tally] = field(factory=dict)

    def seen(self, space_id: SpaceId, user_id: UserId) -> None:
        """A user does something in a space."""
        if (space_id, user_id) not in self._open:
            self._of(space_id, user_id)

    def read(self, space_id: SpaceId, user_id: UserId | None, size_b: int) -> None:
        """Bytes of a file are handed to a user, in one piece; ``None`` is a guest."""
        tally = self._open.get((space_id, user_id or OTHERS)) or self._of(space_id, user_id)
        tally.read_b += size_b
        tally.reads += 1

    def wrote(self, space_id: SpaceId, user_id: UserId | None, size_b: int) -> None:
        """Bytes of a user were stored."""
        tally = self._open.get((space_id, user_id or OTHERS)) or self._of(space_id, user_id)
        tally.written_b += size_b
        tally.writes += max(1, -(-size_b // PIECE_B))

    def take(self) -> dict[SpaceId, dict[UserId, Tally]]:
        """Return what was counted, and begin anew."""
        taken, self._open = self._open, {}
        found: dict[SpaceId, dict[UserId, Tally]] = {}
        for (space_id, user_id), tally in taken.items():
            found.setdefault(space_id, {})[user_id] = tally
        return found

    def _of(self, space_id: SpaceId, user_id: UserId | None) -> Tally:
        is_known = user_id is not None and len(self._open) < MOST_TALLIES
        return self._open.setdefault((space_id, user_id if is_known and user_id else OTHERS), Tally())
