"""Which work this node is preferred for: what the ring says, as those ask who share work among nodes."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from cluster_worker.node.ring import Ring

OTHERS_WAIT_S = 1.0
"""How much longer than the preferred node others wait before they take work."""


@frozen
class Preference:
    """``ring`` returns the ring in use."""

    node_name: str
    ring: Callable[[], Ring]

    def wait_s(self, key: str) -> float:
        """How long this node leaves the work ``key`` to others."""
        return 0.0 if self.ring().owner(key) in (None, self.node_name) else OTHERS_WAIT_S

    def home_of(self, key: str) -> str | None:
        """The node that ``key`` belongs to."""
        return self.ring().owner(key)

    def is_wanted(self) -> bool:
        """Whether this node may own work: it is not being drained, or there is no other."""
        ring = self.ring()
        return self.node_name not in ring.draining or ring.draining.issuperset(ring.present)

    def sharing(self) -> int:
        """How many nodes share the work."""
        ring = self.ring()
        return max(1, len(set(ring.present) - ring.draining))
