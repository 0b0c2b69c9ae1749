"""What a pool of background jobs may do at a time, in the cluster and on each of its nodes. Pure."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge


@frozen
class Limits:
    """How many masters, slaves and tasks run at a time."""

    masters: int = field(validator=ge(1))
    slaves: int = field(validator=ge(1))
    tasks: int = field(validator=ge(1))

    def on_one_of(self, nodes: int) -> Limits:
        """The share of one of so many nodes, rounded up, so that each can do something."""
        shares = (-(-limit // max(1, nodes)) for limit in (self.masters, self.slaves, self.tasks))
        return Limits(*shares)


@frozen
class Retries:
    """How often and when a job that fails is tried: so many times in all, with pauses that double."""

    tries: int = field(default=3, validator=ge(1))
    first_pause_s: float = 3.0
    longest_pause_s: float = 30.0

    def pause_s(self, failures: int) -> float | None:
        """How long to wait after so many failures; ``None`` when it is not tried any more."""
        if failures >= self.tries:
            return None
        return min(self.longest_pause_s, self.first_pause_s * 2.0 ** min(failures - 1, 30))


@frozen
class Pool:
    """A kind of background work. ``limits`` are those of the whole cluster."""

    name: str
    limits: Limits
    retries: Retries = Retries()
