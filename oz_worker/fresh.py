"""What every new record needs from outside: the present second, an id nobody has, a secret."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from attrs import frozen

from cluster_worker.runtime.clock import WallClock
from onedata.ids import new_id
from oz_worker.records import TemporarySecret


@frozen
class Fresh:
    """Times from a wall clock, ids and secrets from a source of random bytes."""

    wall_clock: WallClock
    random_bytes: Callable[[int], bytes]

    def now_s(self) -> int:
        """Seconds since the epoch."""
        return int(self.wall_clock())

    def id(self) -> str:
        """Return 32 random hex digits."""
        return new_id(self.random_bytes)

    def secret(self) -> str:
        """Return the text form of 32 random bytes."""
        return self.random_bytes(32).hex()

    def temporary_secret(self) -> TemporarySecret:
        """Return the first generation of a subject's temporary tokens."""
        return TemporarySecret(1, self.secret())


def id_from_seed(seed: str) -> str:
    """Return the id that a seed always leads to, 32 hex digits."""
    return sha256(seed.encode()).hexdigest()[:32]
