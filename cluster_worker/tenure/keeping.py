"""A lease that is renewed in time, or told to be over in time."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as WaitTimeout
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Lease, PersistenceError
from cluster_worker.persistence.leases import Leases
from cluster_worker.runtime.clock import sleep
from cluster_worker.tenure.timing import GiveUp, Hold, Renew, Rest, TenureTimes

T = TypeVar("T")


class Ending(Enum):
    """Why a lease is not kept any longer."""

    TAKEN = "another node has the lease"
    LATE = "the lease was not renewed in time"
    UNWANTED = "this node gives it back"


class KeptLease:
    """A lease that was granted when it was asked for at ``asked_s``, and is renewed from then on.

    Args:
        wanted: whether this node still wants it; asked before each renewal.
    """

    def __init__(
        self,
        leases: Leases,
        lease: Lease,
        asked_s: float,
        *,
        clock: IReactorTime,
        times: TenureTimes,
        wanted: Callable[[], bool],
    ) -> None:
        self._leases, self._lease, self._hold = leases, lease, Hold(asked_s)
        self._clock, self._times, self._wanted = clock, times, wanted
        self._asking: Deferred[None] | None = None
        self._ending: Ending | None = None

    @property
    def lease(self) -> Lease:
        """As it was granted."""
        return self._lease

    def holds(self) -> bool:
        """Whether the lease is ours by the clock, now; also while it is about to be given back."""
        return self._ending is not Ending.TAKEN and self._clock.seconds() < self._hold.until_s(self._times)

    async def until_over(self) -> Ending:
        """Renew the lease until it is over, or is to be given back; return why."""
        while self._ending is None:
            match self._hold.decide(self._times, self._clock.seconds()):
                case GiveUp():
                    self._ending = Ending.LATE
                case Rest(for_s):
                    await sleep(self._clock, for_s)
                case Renew() if not self._wanted():
                    self._ending = Ending.UNWANTED
                case Renew():
                    await self._renew()
        return self._ending

    async def give_back(self) -> None:
        """Let the next owner have it at once. A renewal that is still under way is waited for."""
        self._ending = self._ending or Ending.UNWANTED
        if self._asking is not None:
            await self._asking
        try:
            await self._leases.release(self._lease)
        except PersistenceError:
            return  # it runs out by itself

    async def _renew(self) -> None:
        """Ask, and wait for the answer as long as the lease lasts."""
        now_s = self._clock.seconds()
        self._asking = asking = Deferred.fromCoroutine(self._ask(now_s))
        heard: Deferred[None] = Deferred()
        asking.addBoth(_passing_on, heard)
        try:
            await heard.addTimeout(self._hold.until_s(self._times) - now_s, self._clock)
        except WaitTimeout:
            return  # the clock says the rest; the answer may still come

    async def _ask(self, asked_s: float) -> None:
        lease = self._lease
        try:
            found = await self._leases.acquire(lease.name, lease.owner, self._times.ttl_s)
        except PersistenceError:
            self._hold = self._hold.failed(self._clock.seconds())
            return
        if found is None or found.token != lease.token:
            self._ending = self._ending or Ending.TAKEN
            self._lease = lease if found is None else found
        else:
            self._hold = self._hold.granted(asked_s)


def _passing_on(outcome: T, heard: Deferred[None]) -> T:
    if not heard.called:
        heard.callback(None)
    return outcome
