"""When this manager leads, and in which term: as long as it runs, or by a lease that managers share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from cluster_manager.election import (
    AskLease,
    BeginReign,
    Deposed,
    Effect,
    Election,
    EndReign,
    Event,
    GiveBack,
    Granted,
    LeaseRules,
    Refused,
    StopAsked,
    Ticked,
    Unreachable,
)
from cluster_worker.persistence.engine import Engine, Lease, PersistenceError
from cluster_worker.persistence.leases import take
from cluster_worker.runtime.services import TaskService

LEASE = "manager"


class Reigning(Protocol):
    """What is told when this manager begins and ceases to lead."""

    def begin_reign(self, term: int) -> None:
        """This manager leads from now on."""

    def end_reign(self, term: int, reason: str) -> None:
        """It does not lead any more; nothing is said in this term from now on."""


class Leadership(Protocol):
    """A service that says when this manager leads.

    Terms only grow: who leads later has a greater term than all before, and workers drop what an older
    term says.
    """

    def lead(self, reigning: Reigning) -> None:
        """Tell ``reigning`` from the start of this service on."""

    def leads(self, term: int) -> bool:
        """Whether this manager leads in ``term`` at this very moment; to be asked before every message."""

    def depose(self, term: int) -> None:
        """The store has refused what the leader of ``term`` wanted to write: another has led since."""

    def setServiceParent(self, parent: object) -> object: ...

    def stopService(self) -> object: ...


class SoleManager(Service):
    """The only manager there is: it leads for as long as it runs.

    Args:
        term: see ``sole_term``.
    """

    def __init__(self, term: int) -> None:
        self.term = term
        self._reigning: Reigning | None = None

    def lead(self, reigning: Reigning) -> None:
        self._reigning = reigning

    def leads(self, term: int) -> bool:
        return bool(self.running) and term == self.term

    def depose(self, term: int) -> None:
        """Nobody else writes where a sole manager does."""

    def startService(self) -> None:
        super().startService()
        if self._reigning is not None:
            self._reigning.begin_reign(self.term)

    def stopService(self) -> None:
        super().stopService()
        if self._reigning is not None:
            self._reigning.end_reign(self.term, "the manager stops")


def sole_term(path: Path, now_s: float) -> int:
    """The term of a sole manager that starts now: the milliseconds since 1970, and more than any before.

    The last one is kept in the file ``path``, so that a clock that was set back does no harm.

    Raises:
        OSError: the file cannot be read or written.
    """
    try:
        last = int(path.read_text())
    except (FileNotFoundError, ValueError):
        last = 0
    term = max(int(now_s * 1000), last + 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".new")
    with written.open("w") as file:
        file.write(str(term))
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)
    return term


class LeaseLeadership(TaskService):
    """Takes part in the election while it runs; decides nothing itself, see ``election``.

    Args:
        engine: where the lease is; runs for longer than this service.
        owner: names this manager and differs for each of its starts.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, engine: Engine, rules: LeaseRules, owner: str) -> None:
        super().__init__()
        self._clock, self._engine, self._rules, self._owner = clock, engine, rules, owner
        self._election = Election(rules)
        self._reigning: Reigning | None = None
        self._timer: IDelayedCall | None = None
        self._is_reachable = True

    def lead(self, reigning: Reigning) -> None:
        self._reigning = reigning

    def leads(self, term: int) -> bool:
        return term == self._election.term and self._election.leads(self._clock.seconds())

    def depose(self, term: int) -> None:
        self._handle(Deposed(term))

    def startService(self) -> None:
        super().startService()
        self._handle(Ticked())

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        """Others may lead as soon as this ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for effect in self._election.handle(StopAsked(), self._clock.seconds()):
            if isinstance(effect, GiveBack):
                await self._give_back(effect)
            else:
                self._perform(effect)
        await super().stopService()

    def _handle(self, event: Event) -> None:
        for effect in self._election.handle(event, self._clock.seconds()):
            self._perform(effect)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.running:
            now = self._clock.seconds()
            delay_s = max(0.0, self._election.next_tick(now) - now)
            self._timer = self._clock.callLater(delay_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._handle(Ticked())

    def _perform(self, effect: Effect) -> None:
        match effect:
            case AskLease(candidate):
                self.spawn("lease", self._ask(candidate))
            case GiveBack():
                self.spawn("giving the lease back", self._give_back(effect))
            case BeginReign(term):
                self._log.info("this manager leads, term {term}", term=term)
                if self._reigning is not None:
                    self._reigning.begin_reign(term)
            case EndReign(term, reason):
                self._log.warn("no longer leading, term {term}: {reason}", term=term, reason=reason)
                if self._reigning is not None:
                    self._reigning.end_reign(term, reason)

    async def _ask(self, candidate: int) -> None:
        asked_at = self._clock.seconds()
        try:
            lease = await take(self._engine, LEASE, self._owner_of(candidate), self._rules.ttl_s)
        except PersistenceError as problem:
            self._note_reachable(False, str(problem))
            self._handle(Unreachable())
            return
        except CancelledError:
            raise
        except Exception:
            self._handle(Unreachable())  # a bug must not end the election
            raise
        self._note_reachable(True)
        self._handle(Refused(candidate) if lease is None else Granted(candidate, lease.token, asked_at))

    def _note_reachable(self, is_reachable: bool, problem: str = "") -> None:
        if is_reachable is not self._is_reachable:
            self._is_reachable = is_reachable
            text = "can be asked for again" if is_reachable else f"cannot be asked for: {problem}"
            self._log.warn("the lease of the managers {text}", text=text)

    async def _give_back(self, effect: GiveBack) -> None:
        try:
            await self._engine.release(Lease(LEASE, self._owner_of(effect.candidate), effect.token))
        except PersistenceError:
            return  # it runs out by itself

    def _owner_of(self, candidate: int) -> str:
        return f"{self._owner} {candidate}"
