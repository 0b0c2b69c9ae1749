"""Which of several managers a worker tries next, and how soon. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from cluster_worker.wire.connections import Address

SHUN_S = 3.0
"""A manager that failed is not tried for so long while there are others, not even when one names it."""

_MAX_REDIRECTS = 3


class Outcome(Enum):
    """What came of a try."""

    FAILED = "failed"
    """The link could not be opened."""
    ENDED = "ended"
    """It was open and of use, and has ended."""
    BRIEF = "brief"
    """It was open, but ended at once."""
    STANDBY = "standby"
    """The manager does not lead."""


class ManagerChoice:
    """Goes through the managers in order, follows those who name the leader, shuns those who fail.

    Args:
        managers: at least one.
    """

    def __init__(self, managers: Sequence[Address]) -> None:
        self._managers = tuple(managers)
        self._turn = 0
        self._shunned: dict[Address, float] = {}
        self._named: Address | None = None
        self._redirects = 0

    def next(self, now: float) -> Address:
        """Whom to try at ``now``, in seconds of a steady clock."""
        named, self._named = self._named, None
        if named is not None:
            return named
        count = len(self._managers)
        in_order = [self._managers[(self._turn + step) % count] for step in range(count)]
        return min(in_order, key=lambda manager: self._shunned_until(manager, now))

    def follows(self, leader: Address | None, now: float) -> bool:
        """Whether to go to ``leader``, whom a standby has named, at once."""
        return (
            leader is not None and not self._shunned_until(leader, now) and self._redirects < _MAX_REDIRECTS
        )

    def tried(self, address: Address, outcome: Outcome, leader: Address | None, now: float) -> bool:
        """A try at ``address`` has ended; return whether the next may follow at once.

        ``leader`` is whom a standby has named, if it could.
        """
        if address in self._managers:
            self._turn = (self._managers.index(address) + 1) % len(self._managers)
        if outcome is not Outcome.STANDBY:
            self._shunned[address] = now + SHUN_S
            self._redirects = 0
            return outcome is Outcome.ENDED
        if not self.follows(leader, now):
            self._redirects = 0
            return False
        self._named, self._redirects = leader, self._redirects + 1
        return True

    def _shunned_until(self, address: Address, now: float) -> float:
        until = self._shunned.get(address, 0.0)
        if until <= now:
            self._shunned.pop(address, None)
            return 0.0
        return until
