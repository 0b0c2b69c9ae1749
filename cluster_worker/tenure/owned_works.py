"""A family of works of one kind, each owned by itself, such as one for each space."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from twisted.internet.defer import Deferred, DeferredList, DeferredSemaphore, maybeDeferred
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Engine, Lease
from cluster_worker.persistence.leases import Leases
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService
from cluster_worker.tenure.owned_work import OwnedWork
from cluster_worker.tenure.tenure import Tenure
from cluster_worker.tenure.timing import TenureTimes

KeyedWork = Callable[[str, Tenure], Awaitable[object]]
LOOK_EVERY_S = 1.0
MOST_REQUESTS = 100
"""The most requests for leases that a family has under way at a time."""


class BoundedLeases:
    """Passes on a bounded number of requests at a time; the others wait for their turn."""

    def __init__(self, leases: Leases, most: int) -> None:
        self._leases, self._turns = leases, DeferredSemaphore(most)

    async def acquire(self, name: str, owner: str, ttl_s: float) -> Lease | None:
        """See ``Engine.acquire``."""
        await self._turns.acquire()
        try:
            return await self._leases.acquire(name, owner, ttl_s)
        finally:
            self._turns.release()

    async def release(self, lease: Lease) -> None:
        """See ``Engine.release``."""
        await self._turns.acquire()
        try:
            await self._leases.release(lease)
        finally:
            self._turns.release()


class OwnedWorks(TaskService):
    """Does ``work`` for each key that there is, each on exactly one live node; see ``OwnedWork``.

    Args:
        family: what the works are called together; the work of a key is ``<family>:<key>``.
        keys: which there are now; asked again every second. The work of a key that is no more is ended.
        wanted: whether this node may own the work of a key.
        preference_s: as for ``OwnedWork``, by the name of the work of a key.
        home_of: the same.
    """

    def __init__(
        self,
        engine: Engine,
        family: str,
        owner: str,
        keys: Callable[[], Collection[str]],
        work: KeyedWork,
        *,
        clock: IReactorTime,
        times: TenureTimes = TenureTimes(),  # noqa: B008 - frozen
        wanted: Callable[[str], bool] = lambda key: True,
        preference_s: Callable[[str], float] = lambda name: 0.0,
        home_of: Callable[[str], str | None] = lambda name: None,
    ) -> None:
        super().__init__()
        self._engine, self._family, self._owner = engine, family, owner
        self._keys, self._work, self._clock, self._times = keys, work, clock, times
        self._wanted, self._preference_s, self._home_of = wanted, preference_s, home_of
        self._leases = BoundedLeases(engine, MOST_REQUESTS)
        self._works: dict[str, OwnedWork] = {}
        self._made = 0

    @property
    def owned(self) -> Collection[str]:
        """The keys that this node is the owner of, now."""
        return [key for key, work in self._works.items() if work.tenure is not None]

    def wake(self, key: str) -> None:
        """Do the work of ``key`` soon; see ``OwnedWork.wake``."""
        if self.running and key not in self._works and key in self._keys():
            self._begin(key)
        if key in self._works:
            self._works[key].wake()

    def startService(self) -> None:
        super().startService()
        self.spawn(f"the family {self._family}", self._look_around())

    def stopService(self) -> Deferred[None]:
        looking_ended = super().stopService()
        return Deferred.fromCoroutine(self._stop(looking_ended))

    async def _stop(self, looking_ended: Deferred[None]) -> None:
        await looking_ended
        works, self._works = self._works, {}
        await DeferredList([maybeDeferred(work.stopService) for work in works.values()])

    async def _look_around(self) -> None:
        while True:
            keys = set(self._keys())
            for key in [key for key in self._works if key not in keys]:
                self.spawn(f"the end of {self._family}:{key}", self._end(self._works.pop(key)))
            for key in keys - self._works.keys():
                self._begin(key)
            await sleep(self._clock, LOOK_EVERY_S)

    @staticmethod
    async def _end(work: OwnedWork) -> None:
        await maybeDeferred(work.stopService)

    def _begin(self, key: str) -> None:
        """Two works of one key, of which the first still ends, are two owners like those of two nodes."""
        self._made += 1
        name = f"{self._family}:{key}"
        self._works[key] = work = OwnedWork(
            self._engine,
            name,
            f"{self._owner}/{self._made}",
            lambda tenure: self._work(key, tenure),
            clock=self._clock,
            times=self._times,
            wanted=lambda: self._wanted(key),
            preference_s=lambda: self._preference_s(name),
            home=lambda: self._home_of(name),
            leases=self._leases,
        )
        work.startService()
