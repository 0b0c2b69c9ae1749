"""One manager's part in the election, event by event; then many managers through hostile histories."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

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
    Role,
    StopAsked,
    Ticked,
    Unreachable,
)

RULES = LeaseRules(ttl_s=3.0, renew_s=1.0)
LATE = "the lease was not renewed in time"


def leader(now: float = 0.0, token: int = 7) -> Election:
    election = Election(RULES)
    assert election.handle(Ticked(), now) == [AskLease(1)]
    assert election.handle(Granted(1, token, now), now) == [BeginReign(token)]
    return election


def test_manager_that_is_granted_the_lease_leads_in_the_term_of_its_token() -> None:
    election = leader()
    assert election.leads(0.0) and election.term == 7


def test_manager_is_a_standby_while_another_holds_the_lease() -> None:
    election = Election(RULES)
    election.handle(Ticked(), 0.0)
    assert election.handle(Refused(1), 0.1) == []
    assert election.handle(Ticked(), 0.2) == []
    assert election.handle(Ticked(), 0.35) == [AskLease(1)]


def test_leader_stops_leading_before_a_lease_from_when_it_asked_can_run_out() -> None:
    election = leader(now=100.0)
    assert election.leads(102.49) and not election.leads(102.5)
    assert election.next_tick(101.5) == 101.0
    assert election.handle(Ticked(), 102.6)[:2] == [EndReign(7, LATE), GiveBack(1, 7)]


def test_renewal_counts_from_when_it_was_asked_for_not_from_its_answer() -> None:
    election = leader()
    election.handle(Ticked(), 1.0)
    assert election.handle(Granted(1, 7, 1.0), 2.2) == []
    assert election.leads(3.49) and not election.leads(3.5)


def test_leader_that_slept_does_not_lead_when_it_wakes_though_a_renewal_waits() -> None:
    election = leader()
    election.handle(Ticked(), 1.0)
    assert not election.leads(60.0)
    assert election.handle(Granted(1, 7, 1.0), 60.0) == [EndReign(7, LATE), GiveBack(1, 7), GiveBack(1, 7)]
    assert election.role is Role.STANDBY


def test_leader_outlives_a_store_that_is_away_for_a_moment() -> None:
    election = leader()
    election.handle(Ticked(), 1.0)
    assert election.handle(Unreachable(), 1.1) == []
    assert election.handle(Ticked(), 1.35) == [AskLease(1)]
    assert election.handle(Granted(1, 7, 1.35), 1.4) == []
    assert election.leads(3.8)


def test_manager_never_leads_twice_on_one_token() -> None:
    election = leader()
    assert election.handle(Ticked(), 2.6) == [EndReign(7, LATE), GiveBack(1, 7), AskLease(2)]
    assert election.handle(Granted(2, 8, 2.6), 2.7) == [BeginReign(8)]


def test_lease_that_comes_too_late_is_not_used_but_asked_for_again() -> None:
    election = Election(RULES)
    election.handle(Ticked(), 0.0)
    assert election.handle(Granted(1, 7, 0.0), 2.6) == []
    assert election.handle(Ticked(), 2.6) == [AskLease(1)]
    assert election.handle(Granted(1, 7, 2.6), 2.7) == [BeginReign(7)]


def test_leader_that_is_refused_or_has_another_token_steps_down() -> None:
    assert leader().handle(Refused(1), 0.5) == [
        EndReign(7, "another manager holds the lease"),
        GiveBack(1, 7),
    ]
    ends = leader().handle(Granted(1, 9, 0.4), 0.5)
    assert ends[0] == EndReign(7, "another manager has led meanwhile") and GiveBack(1, 9) in ends


def test_leader_whose_writing_was_refused_steps_down_once() -> None:
    election = leader()
    assert election.handle(Deposed(6), 0.5) == []
    assert election.handle(Deposed(7), 0.5) == [EndReign(7, "a later leader has written"), GiveBack(1, 7)]
    assert election.handle(Deposed(7), 0.5) == []


def test_stopping_leader_gives_the_lease_back_and_a_late_grant_too() -> None:
    election = leader()
    election.handle(Ticked(), 1.0)
    assert election.handle(StopAsked(), 1.1) == [EndReign(7, "the manager stops"), GiveBack(1, 7)]
    assert election.handle(Granted(1, 7, 1.0), 1.2) == [GiveBack(1, 7)]
    assert election.handle(Ticked(), 9.0) == []


@pytest.mark.parametrize("event", [Refused(1), Unreachable(), StopAsked(), Ticked(), Deposed(1)])
def test_standby_begins_and_ends_no_reign(event: Event) -> None:
    election = Election(RULES)
    election.handle(Ticked(), 0.0)
    assert not [e for e in election.handle(event, 1.0) if isinstance(e, BeginReign | EndReign)]


# Many managers and a store, in simulated time.


@define
class Store:
    """The lease as the scripts in Redis keep it, by a clock of its own."""

    rate: float
    owner: str | None = None
    token: int = 0
    until: float = 0.0

    def acquire(self, owner: str, ttl_s: float, real: float) -> int | None:
        now = real * self.rate
        if self.owner not in (None, owner) and self.until > now:
            return None
        if self.owner != owner:
            self.owner, self.token = owner, self.token + 1
        self.until = now + ttl_s
        return self.token

    def release(self, owner: str, token: int) -> None:
        if (self.owner, self.token) == (owner, token):
            self.owner = None


@define
class Simulated:
    """A manager with its own clock, which may sleep and be cut off."""

    name: str
    rate: float
    election: Election = field(factory=lambda: Election(RULES))
    awake_at: float = 0.0
    cut_until: float = 0.0
    begun: list[int] = field(factory=list)

    def now(self, real: float) -> float:
        return real * self.rate + 1000.0

    def leads(self, real: float) -> bool:
        return self.election.leads(self.now(real))


@define
class Fault:
    at: float
    manager: int
    kind: str
    length: float


@define
class World:
    """Events in order of real time; whoever sleeps gets what came when it wakes, in that order."""

    store: Store
    managers: list[Simulated]
    delays: Any
    time: float = 0.0
    calm_from: float = 1e9
    terms: dict[int, str] = field(factory=dict)
    _queue: list[tuple[float, int, Callable[[], None]]] = field(factory=list)
    _count: int = 0

    def at(self, real: float, act: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (real, self._count, act))

    def run(self, until: float) -> None:
        while self._queue and self._queue[0][0] <= until:
            self.time, _, act = heapq.heappop(self._queue)
            act()
            self.check()
        self.time = until

    def check(self) -> None:
        leading = [manager.name for manager in self.managers if manager.leads(self.time)]
        assert len(leading) <= 1, f"{leading} lead at {self.time}"

    def wake(self, manager: Simulated, event: Event) -> None:
        """Deliver an event, when the manager sleeps after it wakes."""
        if self.time < manager.awake_at:
            self.at(manager.awake_at, lambda: self.wake(manager, event))
            return
        for effect in manager.election.handle(event, manager.now(self.time)):
            self.perform(manager, effect)

    def tick(self, manager: Simulated) -> None:
        self.wake(manager, Ticked())
        now = manager.now(self.time)
        pause = max(0.01, (manager.election.next_tick(now) - now) / manager.rate)
        self.at(max(self.time + pause, manager.awake_at), lambda: self.tick(manager))

    def perform(self, manager: Simulated, effect: Effect) -> None:
        match effect:
            case AskLease(candidate):
                self.ask(manager, candidate, manager.now(self.time))
            case GiveBack(candidate, token):
                if self.time >= manager.cut_until:
                    self.store.release(f"{manager.name} {candidate}", token)
            case BeginReign(term):
                assert self.terms.setdefault(term, manager.name) == manager.name, f"two leaders in {term}"
                assert term not in manager.begun, f"two reigns in {term}"
                manager.begun.append(term)

    def ask(self, manager: Simulated, candidate: int, asked_at: float) -> None:
        there, back, loss = self.delays()
        if self.time >= self.calm_from:
            there, back, loss = 0.01, 0.01, "none"
        if self.time < manager.cut_until or loss == "question":
            self.at(self.time + 1.5, lambda: self.wake(manager, Unreachable()))
        else:
            self.at(self.time + there, lambda: self.answer(manager, candidate, asked_at, back, loss))

    def answer(self, manager: Simulated, candidate: int, asked_at: float, back: float, loss: str) -> None:
        token = self.store.acquire(f"{manager.name} {candidate}", RULES.ttl_s, self.time)
        event: Event = Refused(candidate) if token is None else Granted(candidate, token, asked_at)
        if loss == "answer" or self.time + back < manager.cut_until:
            event, back = Unreachable(), 1.5
        self.at(self.time + back, lambda: self.wake(manager, event))


FAULTS = st.builds(
    Fault,
    at=st.floats(0, 30),
    manager=st.integers(0, 2),
    kind=st.sampled_from(["sleep", "sleep", "cut", "cut", "stop"]),
    length=st.floats(0.1, 8),
)
RATES = st.sampled_from([0.92, 0.92, 1.0, 1.08])
DELAY = st.sampled_from([0.001, 0.01, 0.2, 0.9, 2.4, 2.9])
UNDER_WAY_S = 2 * 2.9
"""So long after a fault its last question and answer may still be on their way."""
LOSS = st.sampled_from(["none", "none", "none", "question", "answer"])


@pytest.mark.slow
@settings(max_examples=100)
@given(data=st.data(), faults=st.lists(FAULTS, max_size=12), rates=st.lists(RATES, min_size=4, max_size=4))
def test_never_two_leaders_and_soon_one_again_whatever_happens(
    data: st.DataObject, faults: list[Fault], rates: list[float]
) -> None:
    answers = data.draw(st.lists(st.tuples(DELAY, DELAY, LOSS), min_size=8, max_size=24))
    turns = iter(range(10**9))
    managers = [Simulated(f"m{number}", rate) for number, rate in enumerate(rates[:3])]
    world = World(Store(rates[3]), managers, lambda: answers[next(turns) % len(answers)])
    for number, manager in enumerate(managers):
        world.at(0.1 * number, lambda manager=manager: world.tick(manager))  # type: ignore[misc]
    stopped = _begin_faults(world, managers, faults)
    world.calm_from = max([30.0, *(fault.at + fault.length for fault in faults)])
    world.run(world.calm_from + UNDER_WAY_S + 5.0)
    if len(stopped) < len(managers):
        assert any(manager.leads(world.time) for manager in managers), "nobody leads after healing"


def _begin_faults(world: World, managers: list[Simulated], faults: list[Fault]) -> set[str]:
    stopped: set[str] = set()

    def begin(fault: Fault) -> None:
        manager = managers[fault.manager]
        if fault.kind == "sleep":
            manager.awake_at = max(manager.awake_at, fault.at + fault.length)
        elif fault.kind == "cut":
            manager.cut_until = max(manager.cut_until, fault.at + fault.length)
        else:
            stopped.add(manager.name)
            world.wake(manager, StopAsked())

    for fault in faults:
        world.at(fault.at, lambda fault=fault: begin(fault))  # type: ignore[misc]
    return stopped


def test_the_model_notices_a_leader_without_a_margin() -> None:
    """The property can fail: a manager that trusts its lease from the answer on would lead too long."""
    trusting = Simulated("trusting", 1.0)
    world = World(Store(1.0), [trusting, Simulated("other", 1.0)], lambda: (0.01, 2.9, "none"))
    for manager in world.managers:
        manager.election.handle(Ticked(), manager.now(0.0))
    token = world.store.acquire("trusting 1", RULES.ttl_s, 0.0)
    assert token is not None
    trusting.election.handle(Granted(1, token, trusting.now(2.9)), trusting.now(2.9))  # not when it asked
    token = world.store.acquire("other 1", RULES.ttl_s, 3.1)
    assert token is not None
    world.managers[1].election.handle(Granted(1, token, 1003.1), 1003.1)
    world.time = 3.2
    with pytest.raises(AssertionError, match="lead at"):
        world.check()
