"""When a lease is renewed and when it is given up, by the steady clock alone. Pure.

A lease runs out ``ttl_s`` after the store granted it. The holder does not know that moment, but it knows when
it *asked*, which was earlier, so it counts from there: what it believes ends before what the store grants.
"""

from __future__ import annotations

from attrs import evolve, field, frozen
from attrs.validators import ge, gt


@frozen(kw_only=True)
class TenureTimes:
    """How leases of background work are kept; all in seconds.

    Attributes:
        ttl_s: the store forgets an owner so long after it was heard.
        renew_s: how long after the last request that was granted the lease is renewed.
        margin_s: the work is cancelled so long before the lease may run out.
        retry_s: the pause after a renewal that got no answer.
        try_s: how often a node tries to become owner.
        again_s: work that ended is done again after so long.
        first_pause_s: the pause after work that failed; it doubles with each failure in a row.
        longest_pause_s: the longest such pause.
    """

    ttl_s: float = field(default=3.0, validator=gt(0))
    renew_s: float = field(default=1.0, validator=gt(0))
    margin_s: float = field(default=0.5, validator=ge(0))
    retry_s: float = field(default=0.25, validator=gt(0))
    try_s: float = field(default=0.75, validator=gt(0))
    again_s: float = field(default=5.0, validator=gt(0))
    first_pause_s: float = field(default=1.0, validator=gt(0))
    longest_pause_s: float = field(default=30.0, validator=gt(0))

    def __attrs_post_init__(self) -> None:
        if self.renew_s + self.margin_s >= self.ttl_s:
            raise ValueError("a lease must be renewed before it is given up")

    def pause_s(self, failures: int) -> float:
        """How long to wait after so many failures in a row, of which there is at least one."""
        return min(self.longest_pause_s, self.first_pause_s * 2.0 ** min(failures - 1, 30))


@frozen
class Renew:
    """Ask for the lease now."""


@frozen
class Rest:
    """Nothing is to be done for ``for_s`` seconds."""

    for_s: float


@frozen
class GiveUp:
    """The lease may run out soon, or has: who holds it must not act any more."""


Decision = Renew | Rest | GiveUp


@frozen
class Hold:
    """What a holder knows about its lease.

    Attributes:
        granted_s: when the last request that was granted had been *sent*.
        failed_s: when the last one that got no answer failed, if that was later.
    """

    granted_s: float
    failed_s: float | None = None

    def granted(self, asked_s: float) -> Hold:
        """The hold after a request sent at ``asked_s`` was granted, however late the answer came."""
        return Hold(max(self.granted_s, asked_s))

    def failed(self, now_s: float) -> Hold:
        """The hold after a request got no answer."""
        return evolve(self, failed_s=now_s)

    def until_s(self, times: TenureTimes) -> float:
        """The moment from which the holder must not act."""
        return self.granted_s + times.ttl_s - times.margin_s

    def decide(self, times: TenureTimes, now_s: float) -> Decision:
        """Return what is to be done now, while no request is under way."""
        until_s = self.until_s(times)
        if now_s >= until_s:
            return GiveUp()
        next_s = self.granted_s + times.renew_s
        if self.failed_s is not None:
            next_s = max(next_s, self.failed_s + times.retry_s)
        return Renew() if now_s >= next_s else Rest(min(next_s, until_s) - now_s)
