"""Changes over two stores on one engine, as two nodes of a zone have them."""

from __future__ import annotations

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import Batch, Committed, Key, PersistenceUnavailable, Scope
from cluster_worker.persistence.memory import MemoryEngine
from onedata.errors import BadValueIdentifierOccupied, OnedataError
from oz_worker.circles import Seat, add_member
from oz_worker.draft import Draft
from oz_worker.store import ZoneStore
from oz_worker.users import create_user
from tests.unit.oz_worker.zone_records import group, space, user


class Broken(MemoryEngine):
    """Refuses every commit."""

    async def commit(self, scope: Scope, batch: Batch) -> Committed:
        raise PersistenceUnavailable


async def two_stores() -> tuple[Clock, ZoneStore, ZoneStore]:
    """Two nodes; changes of one are seen by the other only when the clock is turned."""
    clock = Clock()
    engine = MemoryEngine(clock)
    stores = ZoneStore(clock, engine), ZoneStore(clock, engine)
    for store in stores:
        store.startService()
        await store.load()
    return clock, *stores


@ensureDeferred
async def test_own_change_is_seen_at_once_and_told_by_the_feed() -> None:
    clock, store, other = await two_stores()
    told: list[Key] = []
    store.listen(told.extend)
    await store.change(lambda draft: draft.put(space("s")))
    assert "s" in store.state.spaces
    for _ in range(5):
        clock.advance(0.1)
    assert told == ["space:s"] and "s" in other.state.spaces
    await store.stopService()
    await other.stopService()
    assert clock.getDelayedCalls() == []


@ensureDeferred
async def test_change_that_met_another_one_is_decided_again() -> None:
    _, one, two = await two_stores()
    await one.change(lambda draft: draft.put(space("s")))
    await two._catch_up()

    def rename(draft: Draft) -> None:
        draft.put(evolve(draft.space("s"), name="renamed"))

    def describe(draft: Draft) -> None:
        draft.put(evolve(draft.space("s"), description="described"))

    await one.change(rename)
    await two.change(describe)
    assert (two.state.spaces["s"].name, two.state.spaces["s"].description) == ("renamed", "described")
    await one.stopService()
    await two.stopService()


@ensureDeferred
async def test_name_taken_on_another_node_is_refused() -> None:
    _, one, two = await two_stores()
    await one.change(lambda draft: create_user(draft, user("u1", username="anna")))
    with pytest.raises(BadValueIdentifierOccupied):
        await two.change(lambda draft: create_user(draft, user("u2", username="anna")))
    await one.stopService()
    await two.stopService()


@ensureDeferred
async def test_cycle_made_from_two_nodes_is_refused() -> None:
    _, one, two = await two_stores()
    await one.change(lambda draft: draft.put(group("g1")))
    await one.change(lambda draft: draft.put(group("g2")))
    await two._catch_up()
    await one.change(lambda draft: add_member(draft, Seat("group", "g1", "group", "g2"), ()))
    with pytest.raises(OnedataError) as caught:
        await two.change(lambda draft: add_member(draft, Seat("group", "g2", "group", "g1"), ()))
    assert caught.value.id == "relationAlreadyExists"
    await one.stopService()
    await two.stopService()


@ensureDeferred
async def test_refused_decision_and_lost_store_change_nothing() -> None:
    clock = Clock()
    store = ZoneStore(clock, Broken(clock))
    with pytest.raises(PersistenceUnavailable):
        await store.change(lambda draft: draft.put(space("s")))
    assert store.state.spaces == {}


@ensureDeferred
async def test_new_store_loads_what_was_stored() -> None:
    clock, one, two = await two_stores()
    await one.change(lambda draft: draft.put(space("s")))
    await one.change(lambda draft: draft.put(space("t")))
    await one.change(lambda draft: draft.delete(draft.space("t")))
    fresh = ZoneStore(clock, one._engine)
    await fresh.load()
    assert set(fresh.state.spaces) == {"s"}
    for store in (one, two, fresh):
        await store.stopService()
