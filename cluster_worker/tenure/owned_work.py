"""Background work that exactly one live node does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as WaitTimeout
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from cluster_worker.persistence.engine import Engine, PersistenceError
from cluster_worker.persistence.leases import Leases, take
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService
from cluster_worker.tenure.keeping import Ending, KeptLease
from cluster_worker.tenure.moving import Home
from cluster_worker.tenure.tenure import Deposed, Tenure, node_of
from cluster_worker.tenure.timing import TenureTimes

Work = Callable[[Tenure], Awaitable[object]]


class _Outcome(Enum):
    """How a try to be the owner went."""

    ENDED = "the work was done"
    FAILED = "the work failed"
    NOT_OURS = "another node is the owner, or this one may not be"


def always() -> bool:
    """Yes."""
    return True


def at_once() -> float:
    """No wait."""
    return 0.0


def nowhere() -> str | None:
    """No node."""
    return None


class OwnedWork(TaskService):
    """Does ``work`` on this node while no other node does: the owner of a lease is the one.

    The work is cancelled when the lease could not be renewed in time by the steady clock, and nothing is
    tried again before it has really ended. Work that fails is logged and tried again after a pause, by
    whichever node is first. Work that ends gives the lease back; it is done again after ``times.again_s``, or
    when ``wake`` is called. (Work that is to have one owner also while there is nothing to do does not end.)

    Stopping cancels the work, waits for its end and gives the lease back.

    Args:
        name: of the work, the same on all nodes; the lease is ``work:<name>``.
        owner: of this run of this node; see ``owner_text``.
        work: may be cancelled at each ``await``, and then ends soon; what it commits it guards by a fence.
        wanted: whether this node may be the owner, such as when it is not being drained. Asked at each
            renewal, so an owner gives back within ``times.renew_s``.
        preference_s: how much longer than others this node waits between tries; 0 on the node that is
            preferred, such as the one that the ring makes responsible.
        home: the name of the node that the work belongs to, such as the ring says. When that becomes another
            one in the course of a tenure, and stays so, this node lets go of the work once.
        leases: what gives the leases, if not the engine.
    """

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        name: str,
        owner: str,
        work: Work,
        *,
        clock: IReactorTime,
        times: TenureTimes = TenureTimes(),  # noqa: B008 - frozen
        wanted: Callable[[], bool] = always,
        preference_s: Callable[[], float] = at_once,
        home: Callable[[], str | None] = nowhere,
        leases: Leases | None = None,
    ) -> None:
        super().__init__()
        self._engine, self._name, self._owner, self._work = engine, name, owner, work
        self._clock, self._times, self._wanted, self._preference_s = clock, times, wanted, preference_s
        self._home, self._seen_home = home, Home(None)
        self._leases = engine if leases is None else leases
        self._is_woken = False
        self._nap: Deferred[None] | None = None
        self._failures = 0
        self._tenure: Tenure | None = None

    @property
    def tenure(self) -> Tenure | None:
        """The tenure of this node, while it has one."""
        return self._tenure

    def wake(self) -> None:
        """Do the work soon; once more when it is being done now."""
        self._is_woken = True
        if self._nap is not None:
            nap, self._nap = self._nap, None
            nap.callback(None)

    def startService(self) -> None:
        super().startService()
        self.spawn(f"the work {self._name}", self._run())

    async def _run(self) -> None:
        if delay_s := self._preference_s():
            await sleep(self._clock, delay_s)
        while True:
            outcome = await self._try_or_log()
            await self._rest(outcome)

    async def _rest(self, outcome: _Outcome) -> None:
        times = self._times
        if outcome is _Outcome.FAILED:  # being woken does not make it work
            await sleep(self._clock, times.pause_s(self._failures))
        elif outcome is _Outcome.NOT_OURS:
            await self._nap_for(times.try_s + self._preference_s())
        elif not self._is_woken:
            await self._nap_for(times.again_s)

    async def _nap_for(self, longest_s: float) -> None:
        self._nap = nap = Deferred[None]()
        try:
            await nap.addTimeout(longest_s, self._clock)
        except WaitTimeout:
            return
        finally:
            self._nap = None

    async def _try_or_log(self) -> _Outcome:
        try:
            outcome = await self._try()
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the work is tried again
            self._log.failure("{work} failed", work=self._name)
            outcome = _Outcome.FAILED
        self._failures = self._failures + 1 if outcome is _Outcome.FAILED else 0
        return outcome

    async def _try(self) -> _Outcome:
        """Be the owner once, if that can be."""
        if not self._wanted():
            return _Outcome.NOT_OURS
        asked_s = self._clock.seconds()
        try:
            lease = await take(self._leases, f"work:{self._name}", self._owner, self._times.ttl_s)
        except PersistenceError as error:
            self._log.debug("{work} is tried later: {error}", work=self._name, error=error)
            return _Outcome.NOT_OURS
        if lease is None:
            return _Outcome.NOT_OURS
        self._seen_home = Home(self._home())
        kept = KeptLease(
            self._leases, lease, asked_s, clock=self._clock, times=self._times, wanted=self._is_kept
        )
        return await self._serve(kept)

    def _is_kept(self) -> bool:
        """Whether this node goes on to be the owner: it may be, and the work was not given to another."""
        if not self._wanted():
            return False
        now_s = self._clock.seconds()
        self._seen_home = self._seen_home.seen(self._home(), now_s)
        if not self._seen_home.is_elsewhere(node_of(self._owner), now_s):
            return True
        self._log.info("{work} goes to {node}", work=self._name, node=self._seen_home.moved_to)
        return False

    async def _serve(self, kept: KeptLease) -> _Outcome:
        """Do the work for as long as the lease is kept."""
        tenure = Tenure(self._name, self._owner, kept.lease.token, self._engine, kept.holds)
        self._tenure = tenure
        working = Deferred.fromCoroutine(self._repeat(tenure))
        keeping = Deferred.fromCoroutine(kept.until_over())
        keeping.addCallbacks(
            self._depose, self._keeping_failed, callbackArgs=(working,), errbackArgs=(working,)
        )
        try:
            return await working
        except CancelledError:
            if not self.running:
                raise
            return _Outcome.NOT_OURS
        finally:
            self._tenure = None
            keeping.cancel()
            await kept.give_back()

    async def _repeat(self, tenure: Tenure) -> _Outcome:
        """Do the work, and once more for as long as it is woken meanwhile."""
        try:
            while True:
                self._is_woken = False
                tenure.require()
                await self._work(tenure)
                if not self._is_woken:
                    return _Outcome.ENDED
        except Deposed as end:
            self._log.warn("{end}", end=end)
            return _Outcome.NOT_OURS

    def _depose(self, ending: Ending, working: Deferred[_Outcome]) -> None:
        if ending is not Ending.UNWANTED:
            self._log.warn("{work} ends here: {reason}", work=self._name, reason=ending.value)
        working.cancel()

    def _keeping_failed(self, failure: Failure, working: Deferred[_Outcome]) -> None:
        if not failure.check(CancelledError):
            self._log.failure("the lease of {work} is not kept", failure=failure, work=self._name)
            working.cancel()
