"""What the members of a cluster said of themselves last. Pure."""

from __future__ import annotations

from attrs import frozen

from cluster_worker.wire.membership_messages import Heartbeat


@frozen
class Sighting:
    """``at`` is when the heartbeat came, in seconds of a steady clock; both are ``None`` before the first."""

    release: str = ""
    heartbeat: Heartbeat | None = None
    at: float | None = None


class Sightings:
    """By node, of one reign; a node that went is remembered as it was."""

    def __init__(self) -> None:
        self._seen: dict[str, Sighting] = {}

    def greeted(self, node: str, release: str) -> None:
        """The node has registered, and runs this release."""
        last = self.of(node)
        self._seen[node] = Sighting(release, last.heartbeat, last.at)

    def heard(self, node: str, heartbeat: Heartbeat, now: float) -> None:
        """A heartbeat came."""
        self._seen[node] = Sighting(self.of(node).release, heartbeat, now)

    def of(self, node: str) -> Sighting:
        """What is known of a node."""
        return self._seen.get(node, Sighting())
