"""Brute-force protection of log-ins: who has to wait, and for how long. Pure.

Wrong passwords are counted by user name and by address. Beyond a free allowance every further one
locks the key for twice as long as the one before, up to a limit; a right password clears the user
name, quiet time clears anything. Both maps are bounded: the key least recently used goes first.
"""

from __future__ import annotations

from collections import OrderedDict

from attrs import evolve, field, frozen
from attrs.validators import ge, gt


@frozen(kw_only=True)
class ThrottleLimits:
    """When log-ins are locked. Durations in seconds."""

    free_per_user: int = field(
        default=5, validator=ge(1), metadata={"help": "wrong passwords of one user before a lock"}
    )
    free_per_address: int = field(
        default=30, validator=ge(1), metadata={"help": "wrong passwords from one address before a lock"}
    )
    first_lock_s: float = field(default=1.0, validator=gt(0), metadata={"help": "length of the first lock"})
    longest_lock_s: float = field(
        default=300.0, validator=gt(0), metadata={"help": "locks double up to this length"}
    )
    forget_after_s: float = field(
        default=900.0, validator=gt(0), metadata={"help": "quiet time after which failures are forgotten"}
    )
    tracked_keys: int = field(
        default=100_000, validator=ge(1), metadata={"help": "most user names and addresses kept in memory"}
    )


@frozen
class Tally:
    """Failures of one key, when the last one was and until when it is locked (seconds of the clock)."""

    failures: int = 0
    last_s: float = 0.0
    locked_until_s: float = 0.0


class LoginThrottle:
    """Counts failed log-ins. ``now_s`` is seconds of any monotonic clock."""

    def __init__(self, limits: ThrottleLimits) -> None:
        self._limits = limits
        self._users: OrderedDict[str, Tally] = OrderedDict()
        self._addresses: OrderedDict[str, Tally] = OrderedDict()

    def wait_s(self, username: str, address: str | None, now_s: float) -> float:
        """Return how long this log-in has to wait; 0 when it may be tried now."""
        until_s = self._users.get(username, Tally()).locked_until_s
        if address is not None:
            until_s = max(until_s, self._addresses.get(address, Tally()).locked_until_s)
        return max(0.0, until_s - now_s)

    def failed(self, username: str, address: str | None, now_s: float) -> float:
        """Count a wrong password; return how long the next try has to wait."""
        self._count(self._users, username, self._limits.free_per_user, now_s)
        if address is not None:
            self._count(self._addresses, address, self._limits.free_per_address, now_s)
        return self.wait_s(username, address, now_s)

    def succeeded(self, username: str) -> None:
        """Forget the failures of a user name; those of the address stay until they age."""
        self._users.pop(username, None)

    def _count(self, tallies: OrderedDict[str, Tally], key: str, free: int, now_s: float) -> None:
        tally = tallies.pop(key, Tally())
        if now_s - tally.last_s > self._limits.forget_after_s:
            tally = Tally()
        tally = evolve(tally, failures=tally.failures + 1, last_s=now_s)
        if tally.failures > free:
            tally = evolve(tally, locked_until_s=now_s + self._lock_s(tally.failures - free))
        tallies[key] = tally
        while len(tallies) > self._limits.tracked_keys:
            tallies.popitem(last=False)

    def _lock_s(self, beyond: int) -> float:
        doublings = min(beyond - 1, 40)
        return min(self._limits.first_lock_s * 2.0**doublings, self._limits.longest_lock_s)
