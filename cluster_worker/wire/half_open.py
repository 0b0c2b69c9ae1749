"""How many connections may be open before they have greeted."""

from __future__ import annotations

from collections import Counter


class HalfOpen:
    """Counts connections by address until they have greeted, or have ended.

    Args:
        most: of all addresses together.
        most_of_one: of one address.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._of: Counter[str] = Counter()
        self._all = 0

    def __len__(self) -> int:
        return self._all

    def enter(self, address: str) -> bool:
        """Whether there is room for one more of ``address``; if so it is counted."""
        if self._all >= self._most or self._of[address] >= self._most_of_one:
            return False
        self._of[address] += 1
        self._all += 1
        return True

    def leave(self, address: str) -> None:
        """One of ``address`` has greeted, or has ended."""
        self._all -= 1
        self._of[address] -= 1
        if not self._of[address]:
            del self._of[address]
