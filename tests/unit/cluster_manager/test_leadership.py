"""The shell of the election, with a lease in memory and a clock of the test."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cluster_manager.election import LeaseRules
from cluster_manager.leadership import LEASE, LeaseLeadership, SoleManager
from cluster_worker.persistence.engine import Lease, PersistenceUnavailable
from cluster_worker.persistence.memory import MemoryEngine

RULES = LeaseRules(ttl_s=3.0, renew_s=1.0)


class Told:
    """Remembers when the manager led."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def begin_reign(self, term: int) -> None:
        self.events.append(f"begins {term}")

    def end_reign(self, term: int, reason: str) -> None:
        self.events.append(f"ends {term}: {reason}")


class Breakable(MemoryEngine):
    """A store that can be away."""

    is_away = False

    async def acquire(self, name: str, owner: str, ttl_s: float) -> Lease | None:
        if self.is_away:
            raise PersistenceUnavailable("away")
        return await super().acquire(name, owner, ttl_s)


class Scene:
    """Managers on one store."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.engine = Breakable(self.clock)

    def manager(self, name: str) -> tuple[LeaseLeadership, Told]:
        told = Told()
        leadership = LeaseLeadership(self.clock, self.engine, RULES, name)
        leadership.lead(told)
        leadership.startService()
        return leadership, told

    def pass_s(self, seconds: float) -> None:
        for _ in range(int(seconds * 20)):
            self.clock.advance(0.05)


@ensureDeferred
async def test_first_manager_leads_and_goes_on_leading_while_it_renews() -> None:
    scene = Scene()
    (first, told), (second, other) = scene.manager("a"), scene.manager("b")
    scene.pass_s(20)
    assert told.events == ["begins 1"] and other.events == []
    assert first.leads(1) and not second.leads(1)
    await first.stopService()
    await second.stopService()
    assert scene.clock.getDelayedCalls() == []


@ensureDeferred
async def test_manager_that_stops_hands_over_without_waiting_for_the_lease_to_end() -> None:
    scene = Scene()
    (first, told), (second, other) = scene.manager("a"), scene.manager("b")
    scene.pass_s(1)
    await first.stopService()
    scene.pass_s(0.3)
    assert told.events == ["begins 1", "ends 1: the manager stops"] and other.events == ["begins 2"]
    await second.stopService()


@ensureDeferred
async def test_leader_without_its_store_steps_down_before_the_lease_ends_and_leads_in_a_new_term() -> None:
    scene = Scene()
    first, told = scene.manager("a")
    scene.engine.is_away = True
    scene.pass_s(2.4)
    assert first.leads(1)
    scene.pass_s(0.2)
    assert not first.leads(1) and told.events[1:] == ["ends 1: the lease was not renewed in time"]
    scene.engine.is_away = False
    scene.pass_s(1)
    assert told.events[2:] == ["begins 2"] and first.leads(2)
    await first.stopService()


@ensureDeferred
async def test_deposed_leader_does_not_lead_its_term_again() -> None:
    scene = Scene()
    first, told = scene.manager("a")
    first.depose(1)
    assert not first.leads(1)
    scene.pass_s(2)
    assert told.events == ["begins 1", "ends 1: a later leader has written", "begins 2"]
    await first.stopService()


@ensureDeferred
async def test_lease_granted_while_stopping_is_given_back() -> None:
    scene = Scene()
    answer: Deferred[None] = Deferred()
    original = scene.engine.acquire

    async def slow(name: str, owner: str, ttl_s: float) -> Lease | None:
        lease = await original(name, owner, ttl_s)
        await answer
        return lease

    scene.engine.acquire = slow  # type: ignore[method-assign]  # the real one, later
    first, told = scene.manager("a")
    stopping = first.stopService()
    answer.callback(None)
    await stopping
    assert told.events == []
    scene.engine.acquire = original  # type: ignore[method-assign]
    assert await scene.engine.acquire(LEASE, "b", 3.0) is not None


def test_sole_manager_leads_for_as_long_as_it_runs() -> None:
    sole, told = SoleManager(5), Told()
    sole.lead(told)
    sole.startService()
    assert sole.leads(5) and not sole.leads(4)
    sole.stopService()
    assert not sole.leads(5) and told.events == ["begins 5", "ends 5: the manager stops"]
