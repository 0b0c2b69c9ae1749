"""Brute-force protection of the admin door: who has to wait, and for how long. Pure."""

from __future__ import annotations

from collections import OrderedDict

from attrs import frozen


@frozen
class _Tally:
    failures: int
    last_s: float
    locked_until_s: float


class FailureThrottle:
    """Counts failed log-ins by address; ``now_s`` is seconds of any monotonic clock.

    Beyond ``free`` failures each further one locks the address for twice as long as the one before, up to
    ``longest_s``. A success, or ``forget_after_s`` of quiet, clears it. At most ``most_addresses`` are kept;
    the one that failed longest ago goes first.
    """

    def __init__(
        self,
        *,
        free: int = 5,
        first_s: float = 1.0,
        longest_s: float = 300.0,
        forget_after_s: float = 900.0,
        most_addresses: int = 10_000,
    ) -> None:
        self._free, self._first_s, self._longest_s = free, first_s, longest_s
        self._forget_after_s, self._most_addresses = forget_after_s, most_addresses
        self._tallies: OrderedDict[str, _Tally] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> float:
        """Return how long this address has to wait; 0 when it may try now."""
        tally = self._tallies.get(address)
        return 0.0 if tally is None else max(0.0, tally.locked_until_s - now_s)

    def failed(self, address: str, now_s: float) -> None:
        """Count a failure."""
        tally = self._tallies.pop(address, None)
        failures = 1
        if tally is not None and now_s - tally.last_s <= self._forget_after_s:
            failures += tally.failures
        self._tallies[address] = _Tally(failures, now_s, now_s + self._lock_s(failures - self._free))
        while len(self._tallies) > self._most_addresses:
            self._tallies.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """Forget the failures of an address."""
        self._tallies.pop(address, None)

    def _lock_s(self, beyond: int) -> float:
        if beyond <= 0:
            return 0.0
        return min(self._first_s * 2.0 ** min(beyond - 1, 40), self._longest_s)
