"""When an owner lets go of work that the ring has given to another node. Pure.

An owner that stepped in for another node keeps what it has until the ring changes; each change moves
work once at most, so that nothing goes back and forth between nodes that disagree.
"""

from __future__ import annotations

from attrs import evolve, frozen

SETTLE_S = 3.0
"""A ring that changes again within this time moves nothing."""


@frozen
class Home:
    """Where work belongs, as its owner has seen it.

    Attributes:
        first: the node that it belonged to when the tenure began; ``None`` when there was no ring.
        moved_to: where it belongs now, if that is another one.
        since_s: since when.
    """

    first: str | None
    moved_to: str | None = None
    since_s: float = 0.0

    def seen(self, home: str | None, now_s: float) -> Home:
        """The home after a look at the ring."""
        if home == self.first or home is None:
            return evolve(self, moved_to=None)
        return self if home == self.moved_to else evolve(self, moved_to=home, since_s=now_s)

    def is_elsewhere(self, node: str, now_s: float) -> bool:
        """Whether ``node`` is to let go of it."""
        return self.moved_to not in (None, node) and now_s - self.since_s >= SETTLE_S
