"""Reading feeds: everything in order, nothing twice among nodes, and no work without news."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from cluster_worker.feeds.position import NotOurTurn, SharedPosition
from cluster_worker.feeds.reader import BATCH, POLL_S
from cluster_worker.feeds.shared_reader import SharedReader
from cluster_worker.persistence.engine import (
    Batch,
    Change,
    Engine,
    Key,
    PersistenceUnavailable,
    PreconditionFailed,
    Put,
    Scope,
    Seq,
)
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.tenure.timing import TenureTimes
from cluster_worker.tenure.works import Works
from tests.support.turns import take_turn

SCOPE, OTHER = Scope("s"), Scope("o")
RESULTS = Key("results")


def now(work: Awaitable[Any]) -> Any:
    """Return the result of work that waits for nothing."""

    async def wait() -> Any:
        return await work

    results: list[Any] = []
    Deferred.fromCoroutine(wait()).addBoth(results.append)
    assert results, "the work waits for something"
    if isinstance(results[0], Failure):
        results[0].raiseException()
    return results[0]


def change(engine: Engine, *keys: str, scope: Scope = SCOPE) -> None:
    """Change some keys, each in a commit of its own."""
    for key in keys:
        now(engine.commit(scope, Batch([Put(Key(key), "f", b"")], announce=[Key(key)])))


class Away:
    """An engine whose named methods fail as long as they are listed; it counts calls."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.failing: set[str] = set()
        self.calls: list[str] = []
        self.is_dead = False
        self._forever: Deferred[None] = Deferred()

    def dies(self) -> None:
        """Nothing that its node asks from now on has an effect or an answer."""
        self.is_dead = True

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._engine, name)
        if name == "watch":
            return method

        async def call(*args: Any) -> Any:
            if self.is_dead:
                await self._forever
            self.calls.append(name)
            if name in self.failing:
                raise PersistenceUnavailable
            return await method(*args)

        return call


@define(eq=False)
class Counting:
    """Counts in the store how often each key was consumed, in the commit that moves the position."""

    engine: Engine
    shared: SharedPosition
    seen: list[str] = field(factory=list)
    name: str = "counting"

    async def position(self, scope: Scope) -> Seq | None:
        return await self.shared.load(scope)

    async def consume(self, scope: Scope, changes: Sequence[Change]) -> None:
        found = await self.engine.get(scope, RESULTS, [one.key for one in changes])
        steps = []
        for one in changes:
            before = int(found[one.key].data) if one.key in found else 0
            steps.append(Put(RESULTS, one.key, b"%d" % (before + 1)))
        last = changes[-1].seq
        await self.engine.commit(scope, Batch([*steps, *self.shared.steps(scope, last)]))
        self.shared.moved(scope, last)
        self.seen += [one.key for one in changes]


@define(eq=False)
class Node:
    """A node with a reader, over a store that others may share."""

    store: MemoryEngine
    clock: Clock
    name: str = "one@test"
    scopes: list[Scope] = field(factory=lambda: [SCOPE])
    engine: Any = field(init=False)
    consumer: Counting = field(init=False)
    shared: SharedPosition = field(init=False)
    reader: SharedReader = field(init=False)
    is_willing: bool = True

    def __attrs_post_init__(self) -> None:
        self.engine = Away(self.store)
        self.shared = SharedPosition(self.engine, "counting")
        self.consumer = Counting(self.engine, self.shared)
        works = Works(self.engine, self.name, self.clock, self)
        self.reader = SharedReader(works, self.consumer, self.shared, lambda: self.scopes)

    def is_wanted(self) -> bool:
        return self.is_willing

    def wait_s(self, key: str) -> float:
        return 0.0

    def home_of(self, key: str) -> str | None:
        return None

    @property
    def seen(self) -> list[str]:
        return self.consumer.seen


def pass_time(one: Node, seconds: float) -> None:
    for _ in range(int(seconds * 4)):
        one.clock.advance(0.25)


def node(name: str = "one@test", beside: Node | None = None) -> Node:
    clock = Clock() if beside is None else beside.clock
    return Node(MemoryEngine(clock) if beside is None else beside.store, clock, name)


def counts(store: MemoryEngine, scope: Scope = SCOPE) -> dict[str, int]:
    return {key: int(one.data) for key, one in now(store.get_all(scope, RESULTS)).items()}


def test_changes_arrive_in_order_and_soon_after_they_happen() -> None:
    one = node()
    change(one.store, "a", "b")
    one.reader.startService()
    assert one.seen == ["a", "b"]
    change(one.store, "c", "a")
    assert one.seen == ["a", "b", "c", "a"]
    now(one.reader.stopService())
    assert one.clock.getDelayedCalls() == []


def test_a_long_feed_comes_in_batches() -> None:
    one = node()
    keys = [f"{number:05}" for number in range(2 * BATCH + 7)]
    change(one.store, *keys)
    one.reader.startService()
    assert one.seen == keys
    assert one.engine.calls.count("commit") == 4, "the fence, and three batches"
    now(one.reader.stopService())


def test_only_the_scopes_that_are_read_now_are_read() -> None:
    one = node()
    change(one.store, "x", scope=OTHER)
    one.reader.startService()
    change(one.store, "y", scope=OTHER)
    assert one.seen == []
    one.scopes.append(OTHER)
    one.reader.wake(OTHER)
    assert one.seen == ["x", "y"]
    one.scopes.remove(OTHER)
    pass_time(one, POLL_S)
    change(one.store, "z", scope=OTHER)
    assert one.seen == ["x", "y"]
    one.scopes.append(OTHER)
    pass_time(one, POLL_S)
    assert one.seen == ["x", "y", "z"]
    now(one.reader.stopService())


def test_after_a_stop_nothing_is_read_and_a_new_reader_goes_on_where_it_ended() -> None:
    one = node()
    one.reader.startService()
    change(one.store, "a")
    now(one.reader.stopService())
    change(one.store, "b")
    one.clock.advance(100)
    assert one.seen == ["a"]
    again = node(beside=one)
    again.reader.startService()
    assert again.seen == ["b"]
    now(again.reader.stopService())


def test_a_store_that_is_away_is_asked_again_and_nothing_is_lost_or_counted_twice() -> None:
    one = node()
    one.reader.startService()
    for method in ("acquire", "changes", "get", "commit"):
        one.engine.failing = {method}
        pass_time(one, TenureTimes().ttl_s)  # so that the lease has to be asked for
        change(one.store, method)
        pass_time(one, 3)
        if method == "acquire":
            assert method not in counts(one.store)
        one.engine.failing = set()
        pass_time(one, 20)
        assert counts(one.store)[method] == 1
    now(one.reader.stopService())


def test_a_reader_that_is_stopped_while_it_waits_for_the_store_ends_at_once() -> None:
    one = node()
    one.engine.failing = {"changes"}
    change(one.store, "a")
    one.reader.startService()
    now(one.reader.stopService())
    one.engine.failing = set()
    one.clock.advance(100)
    assert one.seen == []
    assert one.clock.getDelayedCalls() == []


def test_of_two_nodes_one_reads_and_every_change_counts_once() -> None:
    one = node()
    two = node("two@test", one)
    one.reader.startService()
    two.reader.startService()
    for number in range(10):
        change(one.store, f"{number}")
        one.clock.advance(1)
    assert counts(one.store) == {f"{number}": 1 for number in range(10)}
    assert two.seen == []
    for each in (one, two):
        now(each.reader.stopService())


def test_a_node_that_dies_is_replaced_within_five_seconds() -> None:
    one = node()
    two = node("two@test", one)
    one.reader.startService()
    two.reader.startService()
    change(one.store, "a")
    one.engine.dies()
    change(one.store, "b")
    assert two.seen == []
    pass_time(one, 5)
    assert two.seen == ["b"]
    assert counts(one.store) == {"a": 1, "b": 1}
    now(two.reader.stopService())


def test_a_node_that_stops_or_is_drained_hands_over_without_waiting_for_the_lease() -> None:
    one = node()
    two = node("two@test", one)
    one.reader.startService()
    two.reader.startService()
    change(one.store, "a")
    one.is_willing = False
    pass_time(one, 2)
    change(one.store, "b")
    assert (one.seen, two.seen) == (["a"], ["b"])
    one.is_willing = True
    now(two.reader.stopService())
    pass_time(one, 1)
    change(one.store, "c")
    assert one.seen == ["a", "c"]
    now(one.reader.stopService())


def test_a_node_that_was_overtaken_while_it_worked_counts_nothing() -> None:
    one = node()
    two = node("two@test", one)
    change(one.store, "a", "b")
    now(take_turn(one.store, one.shared, SCOPE))
    position = now(one.consumer.position(SCOPE))
    changes = now(one.store.changes(SCOPE, position, BATCH))
    now(take_turn(one.store, two.shared, SCOPE))
    with pytest.raises(PreconditionFailed):  # also before the other one has done anything
        now(one.consumer.consume(SCOPE, changes))
    assert counts(one.store) == {}
    assert now(two.reader.feed.catch_up(SCOPE))
    assert counts(one.store) == {"a": 1, "b": 1}


def test_whoever_takes_over_goes_on_at_the_position_that_was_stored() -> None:
    one = node()
    two = node("two@test", one)
    for each, key in ((one, "a"), (two, "b"), (one, "c")):
        change(one.store, key)
        now(take_turn(one.store, each.shared, SCOPE))
        now(each.reader.feed.catch_up(SCOPE))
    assert (one.seen, two.seen) == (["a", "c"], ["b"])
    assert now(one.consumer.shared.reached(SCOPE)) == 3


def test_without_news_nobody_asks_the_store_for_changes() -> None:
    one = node()
    change(one.store, "a")
    one.reader.startService()
    one.engine.calls.clear()
    pass_time(one, 100)
    assert set(one.engine.calls) == {"acquire"}
    now(one.reader.stopService())


def test_during_a_turn_a_batch_costs_its_changes_and_its_commit() -> None:
    one = node()
    one.reader.startService()
    change(one.store, "a")
    one.engine.calls.clear()
    change(one.store, "b")
    assert one.engine.calls == ["changes", "get", "commit", "changes"]
    now(one.reader.stopService())


def test_who_has_no_turn_has_no_position_and_no_steps() -> None:
    one = node()
    assert now(one.shared.load(SCOPE)) is None
    with pytest.raises(NotOurTurn):
        one.shared.steps(SCOPE, Seq(1))


def test_a_consumer_that_tells_nothing_is_read_to_again_from_the_stored_position() -> None:
    one = node()
    shared = one.consumer.shared
    now(take_turn(one.store, shared, SCOPE))
    assert now(shared.load(SCOPE)) == 0
    now(one.store.commit(SCOPE, Batch(shared.steps(SCOPE, Seq(4)))))
    assert now(shared.load(SCOPE)) == 4
    now(one.store.commit(SCOPE, Batch(shared.steps(SCOPE, Seq(5)))))
    assert now(shared.load(SCOPE)) == 5


def test_giving_leases_back_to_a_store_that_is_away_does_not_fail_the_stop() -> None:
    one = node()
    one.reader.startService()
    change(one.store, "a")
    one.engine.failing = {"release"}
    now(one.reader.stopService())
