"""When a storage that fails is left alone for a while. Pure."""

from __future__ import annotations

from enum import Enum

from attrs import define, field, frozen


@frozen(kw_only=True)
class BreakerTiming:
    """How many failures in a row are too many, and how long the storage is left alone then, in seconds.

    Each further pause is twice as long, up to ``longest_s``.
    """

    most_failures: int = 5
    first_s: float = 1.0
    longest_s: float = 30.0


class BreakerState(Enum):
    """Whether operations are let through."""

    CLOSED = "closed"
    """All are."""
    OPEN = "open"
    """None is."""
    HALF_OPEN = "half-open"
    """One is, and decides."""


@define
class Breaker:
    """Counts failures in a row. ``now`` is a time in seconds of any clock that does not jump."""

    timing: BreakerTiming = field(factory=BreakerTiming)
    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    _pause_s: float = 0.0
    _until: float = 0.0

    def admits(self, now: float) -> bool:
        """Whether an operation may begin; one that begins tells how it ended."""
        if self.state is BreakerState.CLOSED:
            return True
        if self.state is BreakerState.OPEN and now >= self._until:
            self.state = BreakerState.HALF_OPEN
            return True
        return False

    def succeeded(self) -> None:
        """An operation reached the storage, whatever came of it."""
        self.state, self.failures, self._pause_s = BreakerState.CLOSED, 0, 0.0

    def failed(self, now: float) -> None:
        """An operation did not reach the storage."""
        self.failures += 1
        if self.state is BreakerState.CLOSED and self.failures < self.timing.most_failures:
            return
        if self.state is BreakerState.OPEN:
            return  # it began before; the pause is not made longer by it
        self._pause_s = min(max(2 * self._pause_s, self.timing.first_s), self.timing.longest_s)
        self.state, self._until = BreakerState.OPEN, now + self._pause_s

    def given_up(self, now: float) -> None:
        """An operation was cancelled before its end: another one has to decide."""
        if self.state is BreakerState.HALF_OPEN:
            self.state, self._until = BreakerState.OPEN, now
