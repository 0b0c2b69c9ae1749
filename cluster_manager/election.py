"""Which of several managers leads: what becomes of the lease goes in, what to do comes out. No I/O.

The managers of a cluster share one lease in its Redis, good for ``ttl_s`` from the moment the server
grants or renews it. A manager counts that time from the moment *before* it asked, by its own steady clock,
and takes ``margin_s`` off: it stops leading before the server can give the lease to anybody else, whatever
came late, was lost, or slept meanwhile, as long as the two clocks run at nearly the same rate.

Each time a manager stops leading it becomes another candidate: the lease that it may still hold is never
taken up again, so no term has two reigns.

============ ================================= ========================================= =========
role         event                             effects                                   next role
============ ================================= ========================================= =========
STANDBY      tick, when it is time             AskLease                                  STANDBY
STANDBY      granted, in time                  BeginReign                                LEADER
STANDBY      granted, but too late             none                                      STANDBY
STANDBY      granted to an earlier candidate   GiveBack                                  STANDBY
STANDBY      refused, unreachable              none                                      STANDBY
LEADER       tick, when it is time             AskLease                                  LEADER
LEADER       anything, when its time is over   EndReign, GiveBack                        STANDBY
LEADER       granted, the same token           none                                      LEADER
LEADER       granted another token, refused    EndReign, GiveBack                        STANDBY
LEADER       unreachable                       none                                      LEADER
LEADER       deposed                           EndReign, GiveBack                        STANDBY
any          asked to stop                     EndReign and GiveBack of a leader         STOPPED
STOPPED      granted                           GiveBack                                  STOPPED
STOPPED      anything else                     none                                      STOPPED
============ ================================= ========================================= =========
"""

from __future__ import annotations

from enum import Enum

from attrs import frozen

_MARGIN = 1 / 6
_WATCH = 1 / 4


@frozen(kw_only=True)
class LeaseRules:
    """Durations in seconds.

    Attributes:
        ttl_s: how long the server keeps a lease that is not renewed.
        renew_s: how often a leader renews it.
    """

    ttl_s: float = 3.0
    renew_s: float = 1.0

    @property
    def margin_s(self) -> float:
        """How long before the lease can run out its holder stops leading."""
        return self.ttl_s * _MARGIN

    @property
    def watch_s(self) -> float:
        """How often a standby asks, and a leader whose renewal failed."""
        return self.renew_s * _WATCH


class Role(Enum):
    STANDBY = "standby"
    LEADER = "leader"
    STOPPED = "stopped"


# Events


@frozen
class Granted:
    """The lease is this candidate's, taken or renewed. ``asked_at`` is when the question was sent."""

    candidate: int
    token: int
    asked_at: float


@frozen
class Refused:
    """Somebody else holds the lease."""

    candidate: int


@frozen
class Unreachable:
    """The question could not be asked, or its answer was lost."""


@frozen
class Deposed:
    """What the leader of ``term`` wanted to store was refused: another has led since."""

    term: int


@frozen
class StopAsked:
    """This manager stops for good."""


@frozen
class Ticked:
    """Time has passed."""


Event = Granted | Refused | Unreachable | Deposed | StopAsked | Ticked


# Effects


@frozen
class AskLease:
    """Take or renew the lease for this candidate; report what came of it exactly once."""

    candidate: int


@frozen
class GiveBack:
    """Give up what ``candidate`` may hold of the lease; ``token`` names it."""

    candidate: int
    token: int


@frozen
class BeginReign:
    term: int


@frozen
class EndReign:
    term: int
    reason: str


Effect = AskLease | GiveBack | BeginReign | EndReign
Effects = list[Effect]


class Election:
    """One manager's part in the election. All times are seconds of its own steady clock.

    Attributes:
        role: see the module.
        term: in which it leads, or led last; 0 before. It is the token of its lease.
    """

    def __init__(self, rules: LeaseRules) -> None:
        self.role = Role.STANDBY
        self.term = 0
        self._rules = rules
        self._candidate = 1
        self._until = 0.0
        self._asking = False
        self._ask_at: float | None = None

    def leads(self, now: float) -> bool:
        """Whether this manager may act as the leader at ``now``; to be asked before every message."""
        return self.role is Role.LEADER and now < self._until

    def next_tick(self, now: float) -> float:
        """When ``Ticked`` has to come at the latest, if nothing else happens."""
        ask_at = (
            now + self._rules.watch_s if self._asking else (now if self._ask_at is None else self._ask_at)
        )
        return min(ask_at, self._until) if self.role is Role.LEADER else ask_at

    def handle(self, event: Event, now: float) -> Effects:
        """Take an event at ``now`` and return what to do, in order."""
        effects = self._lapse(now)
        match event:
            case Granted():
                effects += self._granted(event, now)
            case Refused():
                effects += self._refused(event, now)
            case Unreachable():
                self._answered(now + self._rules.watch_s)
            case Deposed(term):
                if self.role is Role.LEADER and term == self.term:
                    effects += self._step_down("a later leader has written")
            case StopAsked():
                effects += self._step_down("the manager stops") if self.role is Role.LEADER else []
                self.role = Role.STOPPED
            case Ticked():
                effects += self._ask(now)
        return effects

    def _lapse(self, now: float) -> Effects:
        if self.role is Role.LEADER and now >= self._until:
            return self._step_down("the lease was not renewed in time")
        return []

    def _ask(self, now: float) -> Effects:
        if self.role is Role.STOPPED or self._asking or (self._ask_at is not None and now < self._ask_at):
            return []
        self._asking = True
        return [AskLease(self._candidate)]

    def _answered(self, ask_at: float) -> None:
        self._asking, self._ask_at = False, ask_at

    def _granted(self, grant: Granted, now: float) -> Effects:
        until = grant.asked_at + self._rules.ttl_s - self._rules.margin_s
        self._answered(max(now, grant.asked_at + self._rules.renew_s))
        if self.role is Role.STOPPED or grant.candidate != self._candidate:
            self._ask_at = now
            return [GiveBack(grant.candidate, grant.token)]
        if self.role is Role.LEADER and grant.token != self.term:
            return [
                *self._step_down("another manager has led meanwhile"),
                GiveBack(grant.candidate, grant.token),
            ]
        if now >= until:
            self._ask_at = now
            return []
        self._until = until
        if self.role is Role.LEADER:
            return []
        self.role, self.term = Role.LEADER, grant.token
        return [BeginReign(grant.token)]

    def _refused(self, refusal: Refused, now: float) -> Effects:
        self._answered(now + self._rules.watch_s)
        if self.role is Role.LEADER and refusal.candidate == self._candidate:
            return self._step_down("another manager holds the lease")
        return []

    def _step_down(self, reason: str) -> Effects:
        candidate, self._candidate = self._candidate, self._candidate + 1
        self.role = Role.STANDBY
        return [EndReign(self.term, reason), GiveBack(candidate, self.term)]
