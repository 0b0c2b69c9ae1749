"""How nodes share work among them: the seam between tenures and what knows the cluster."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen


class WorkSharing(Protocol):
    """What a node goes by when it takes work and lets go of it. Works are named as in ``OwnedWork``."""

    def is_wanted(self) -> bool:
        """Whether this node takes on work, and keeps it; one that is drained does not."""

    def wait_s(self, key: str) -> float:
        """How much longer than others this node waits before it takes ``key``; 0 where it belongs."""

    def home_of(self, key: str) -> str | None:
        """The name of the node that the work ``key`` belongs to; ``None`` when nobody says so."""


@frozen
class Alone:
    """A node that shares with nobody."""

    def is_wanted(self) -> bool:
        return True

    def wait_s(self, key: str) -> float:
        return 0.0

    def home_of(self, key: str) -> str | None:
        return None


ALONE = Alone()
