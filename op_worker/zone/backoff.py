"""How long to wait before the next attempt to reach the zone. Pure."""

from __future__ import annotations

from collections.abc import Callable

Jitter = Callable[[], float]
"""Returns a number from 0 (inclusive) to 1 (exclusive)."""


class Backoff:
    """Delays that grow by a factor up to a limit, each spread by up to ``spread`` around its value."""

    def __init__(
        self,
        jitter: Jitter,
        *,
        first_s: float = 3.0,
        factor: float = 1.35,
        limit_s: float = 20.0,
        spread: float = 0.1,
    ) -> None:
        self._jitter = jitter
        self._first_s, self._factor, self._limit_s, self._spread = first_s, factor, limit_s, spread
        self._next_s = first_s

    def next_delay_s(self) -> float:
        """Return the seconds to wait after one more failure."""
        delay_s = self._next_s
        self._next_s = min(self._next_s * self._factor, self._limit_s)
        return delay_s * (1 + self._spread * (2 * self._jitter() - 1))

    def reset(self) -> None:
        """Start over after a success."""
        self._next_s = self._first_s
