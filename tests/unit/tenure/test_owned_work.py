"""Work that one node owns: taking, keeping, losing and giving back, on clocks that the test turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.logger import LogLevel, capturedLogs

from cluster_worker.runtime.clock import sleep
from cluster_worker.tenure.owned_work import OwnedWork
from cluster_worker.tenure.owned_works import LOOK_EVERY_S, OwnedWorks
from cluster_worker.tenure.tenure import Tenure, owner_text
from cluster_worker.tenure.timing import TenureTimes
from tests.support.nodes_and_a_store import Node, Surroundings

TIMES = TenureTimes()
TAKEOVER_S = 5.0


@pytest.fixture()
def around() -> Iterator[Surroundings]:
    """A store and nodes; whatever was started on them is stopped afterwards."""
    surroundings = Surroundings()
    yield surroundings
    surroundings.end()


@define(eq=False)
class Working:
    """Work that goes on until it is told to end; it writes down who does it."""

    around: Surroundings
    running: list[str] = field(factory=list)
    begun: list[str] = field(factory=list)
    tenures: list[Tenure] = field(factory=list)
    ends: list[Deferred[None]] = field(factory=list)

    def on(self, node: Node, **options: object) -> OwnedWork:
        """The work on a node, started."""

        async def work(tenure: Tenure) -> None:
            self.tenures.append(tenure)
            self.begun.append(node.name)
            self.running.append(node.name)
            end: Deferred[None] = Deferred()
            self.ends.append(end)
            try:
                await end
            finally:
                self.running.remove(node.name)

        owned = OwnedWork(node.engine, "w", node.name, work, clock=node.clock, times=TIMES, **options)  # type: ignore[arg-type]  # as given
        self.around.start(owned)
        return owned


def test_one_node_does_the_work_and_keeps_it(around: Surroundings) -> None:
    working = Working(around)
    working.on(around.node("a"))
    working.on(around.node("b"))
    around.advance(30)
    assert working.begun == ["a"]


def test_work_is_taken_over_when_its_owner_dies(around: Surroundings) -> None:
    working = Working(around)
    working.on(around.node("a"))
    working.on(around.node("b"), preference_s=lambda: 1.0)
    around.advance(7.3)
    around.sleep("a")
    around.advance(TAKEOVER_S)
    assert working.begun == ["a", "b"]
    assert working.tenures[1].token > working.tenures[0].token


def test_stopped_node_gives_the_work_back_at_once(around: Surroundings) -> None:
    working = Working(around)
    first = working.on(around.node("a"))
    working.on(around.node("b"))
    around.advance(2)
    first.stopService()
    assert working.running == []
    around.advance(TIMES.try_s)
    assert working.running == ["b"]


def test_node_that_sleeps_through_its_lease_stops_before_it_does_anything(around: Surroundings) -> None:
    working = Working(around)
    working.on(around.node("a"))
    working.on(around.node("b"))
    around.advance(2)
    around.sleep("a")
    around.advance(TAKEOVER_S)
    assert sorted(working.running) == ["a", "b"]
    around.wake("a")
    assert working.running == ["b"]


def test_owner_that_does_not_reach_the_store_stops_before_the_lease_runs_out(around: Surroundings) -> None:
    working = Working(around)
    working.on(around.node("a"))
    around.advance(2)
    around.node("a").engine.is_away = True
    around.advance(TIMES.ttl_s - TIMES.margin_s + 0.1)
    assert working.running == []
    around.node("a").engine.is_away = False
    around.advance(TAKEOVER_S)
    assert working.running == ["a"]


def test_store_that_is_silent_costs_the_owner_its_work_in_time(around: Surroundings) -> None:
    working = Working(around)
    working.on(around.node("a"))
    around.advance(2)
    around.node("a").engine.lag_s = 1000.0
    around.advance(TIMES.ttl_s - TIMES.margin_s + 0.1)
    assert working.running == []


def test_answer_that_comes_late_prolongs_from_when_it_was_asked_for(around: Surroundings) -> None:
    working = Working(around)
    working.on(around.node("a"))
    around.advance(0.5)
    around.node("a").engine.lag_s = 0.6
    around.advance(0.5 + 1.2 + 0.1)  # asked at 1.0, heard at 2.2
    around.node("a").engine.is_away = True
    around.advance(1.1)
    assert working.running == ["a"]
    around.advance(0.2)
    assert working.running == []


def test_short_troubles_of_the_store_do_not_disturb_the_work(around: Surroundings) -> None:
    working = Working(around)
    working.on(around.node("a"))
    working.on(around.node("b"))
    for _ in range(5):
        around.advance(3)
        around.node("a").engine.is_away = True
        around.advance(1.0)
        around.node("a").engine.is_away = False
    assert working.begun == ["a"]


def test_work_that_does_not_end_at_once_is_waited_for_before_another_try(around: Surroundings) -> None:
    begun, lingering = list[int](), Deferred[None]()

    async def work(tenure: Tenure) -> None:
        begun.append(tenure.token)
        try:
            await Deferred()
        except CancelledError:
            await lingering
            raise

    node = around.node("a")
    around.start(OwnedWork(node.engine, "w", "a", work, clock=node.clock))
    around.advance(1)
    node.engine.is_away = True
    around.advance(4)
    node.engine.is_away = False
    around.advance(10)
    assert len(begun) == 1
    lingering.callback(None)
    around.advance(2)
    assert len(begun) == 2


def test_work_that_ended_is_done_again_after_a_while(around: Surroundings) -> None:
    working = Working(around)
    working.on(around.node("a"))
    around.advance(1)
    working.ends[0].callback(None)
    around.advance(TIMES.again_s - 1)
    assert len(working.begun) == 1
    around.advance(1.1)
    assert len(working.begun) == 2


def test_work_that_is_woken_meanwhile_is_done_once_more(around: Surroundings) -> None:
    working = Working(around)
    owned = working.on(around.node("a"))
    around.advance(1)
    owned.wake()
    owned.wake()
    working.ends[0].callback(None)
    assert len(working.begun) == 2
    working.ends[1].callback(None)
    around.advance(1)
    assert len(working.begun) == 2


def test_idle_work_that_is_woken_is_done_at_once(around: Surroundings) -> None:
    working = Working(around)
    owned = working.on(around.node("a"))
    around.advance(1)
    working.ends[0].callback(None)
    owned.wake()
    assert len(working.begun) == 2


def test_work_woken_while_its_lease_is_given_back_is_done_again(around: Surroundings) -> None:
    working = Working(around)
    node = around.node("a")
    owned = working.on(node)
    around.advance(1)
    node.engine.lag_s = 0.2
    working.ends[0].callback(None)
    owned.wake()
    around.advance(1)
    assert len(working.begun) == 2


def test_waking_a_node_that_is_not_the_owner_leads_to_no_busy_loop(around: Surroundings) -> None:
    working = Working(around)
    working.on(around.node("a"))
    other = working.on(around.node("b"))
    around.advance(1)
    other.wake()
    around.advance(1)
    working.ends[0].callback(None)
    around.advance(TIMES.try_s)
    assert working.begun == ["a", "b"]


def failing(around: Surroundings) -> tuple[OwnedWork, list[float]]:
    tries: list[float] = []
    node = around.node("a")

    async def work(tenure: Tenure) -> None:
        tries.append(node.clock.seconds())
        raise RuntimeError("a bug")

    owned = OwnedWork(node.engine, "w", "a", work, clock=node.clock)
    around.start(owned)
    return owned, tries


def test_work_that_fails_is_logged_and_tried_again_with_growing_pauses(around: Surroundings) -> None:
    with capturedLogs() as logs:
        owned, tries = failing(around)
        around.advance(8)
        owned.wake()
    pauses = [round(later - earlier) for earlier, later in pairwise(tries)]
    assert pauses == [1, 2, 4]
    assert [event["log_level"] for event in logs] == [LogLevel.critical] * 4


def test_work_that_fails_here_may_be_done_elsewhere_meanwhile(around: Surroundings) -> None:
    working = Working(around)
    failing(around)
    working.on(around.node("b"))
    around.advance(3)
    assert working.running == ["b"]


def test_node_that_does_not_want_the_work_gives_it_back_and_takes_none(around: Surroundings) -> None:
    working = Working(around)
    draining: set[str] = set()
    working.on(around.node("a"), wanted=lambda: "a" not in draining)
    working.on(around.node("b"), wanted=lambda: "b" not in draining)
    around.advance(3)
    draining.add("a")
    around.advance(TIMES.renew_s + TIMES.try_s + 0.1)
    assert working.running == ["b"]
    draining.add("b")
    around.advance(3)
    assert working.running == []


def test_preferred_node_is_the_first_to_take_the_work(around: Surroundings) -> None:
    working = Working(around)
    working.on(around.node("a"), preference_s=lambda: 1.0)
    working.on(around.node("b"))
    around.advance(3)
    assert working.begun == ["b"]


def test_nothing_is_left_running_after_a_stop(around: Surroundings) -> None:
    working = Working(around)
    owned = working.on(around.node("a"))
    around.advance(1)
    ended: list[object] = []
    maybeDeferred(owned.stopService).addCallback(ended.append)
    assert ended == [None]
    assert around.node("a").clock.getDelayedCalls() == []


def test_node_that_was_started_again_is_another_owner() -> None:
    chance = iter([b"11111111", b"22222222"])
    make: Callable[[], str] = lambda: owner_text("node", lambda _: next(chance))  # noqa: E731 - two calls
    assert make() != make()


class Families:
    """A family of works whose keys the test changes."""

    def __init__(self, around: Surroundings, keys: set[str]) -> None:
        self.around, self.keys, self.running = around, keys, set[tuple[str, str]]()

    def on(self, name: str, **options: object) -> OwnedWorks:
        node = self.around.node(name)

        async def work(key: str, tenure: Tenure) -> None:
            self.running.add((name, key))
            try:
                await sleep(node.clock, 1000)
            finally:
                self.running.remove((name, key))

        family = OwnedWorks(node.engine, "f", name, lambda: self.keys, work, clock=node.clock, **options)  # type: ignore[arg-type]
        self.around.start(family)
        return family


def test_family_follows_its_keys(around: Surroundings) -> None:
    families = Families(around, {"x", "y"})
    families.on("a")
    assert families.running == {("a", "x"), ("a", "y")}
    families.keys.remove("x")
    families.keys.add("z")
    around.advance(LOOK_EVERY_S)
    assert families.running == {("a", "y"), ("a", "z")}


def test_key_that_comes_back_while_its_work_ends_has_one_owner(around: Surroundings) -> None:
    families = Families(around, {"x"})
    families.on("a")
    around.node("a").engine.lag_s = 0.5
    families.keys.clear()
    around.advance(LOOK_EVERY_S + 0.1)
    families.keys.add("x")
    around.advance(10)
    assert families.running == {("a", "x")}


def test_family_is_spread_by_preference_and_taken_over_whole(around: Surroundings) -> None:
    families = Families(around, {str(number) for number in range(40)})
    for index, name in enumerate(("a", "b")):
        families.on(name, preference_s=lambda key, odd=index: 0.0 if int(key[2:]) % 2 == odd else 1.0)
    around.advance(2)
    assert families.running == {("a" if number % 2 == 0 else "b", str(number)) for number in range(40)}
    around.sleep("a")
    around.advance(TAKEOVER_S)
    assert {key for name, key in families.running if name == "b"} == families.keys


def test_stopped_family_gives_everything_back(around: Surroundings) -> None:
    families = Families(around, {"x", "y"})
    first = families.on("a")
    families.on("b")
    around.advance(1)
    first.stopService()
    around.advance(1)
    assert families.running == {("b", "x"), ("b", "y")}
    assert list(first.owned) == []


def test_key_that_is_woken_before_it_was_seen_begins_at_once(around: Surroundings) -> None:
    families = Families(around, set())
    family = families.on("a")
    families.keys.add("x")
    family.wake("x")
    assert list(family.owned) == ["x"]
