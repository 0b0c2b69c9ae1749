"""Keeping what the zone told."""

from __future__ import annotations

from typing import Any

from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import Batch, Committed, PersistenceUnavailable, Scope
from cluster_worker.persistence.memory import MemoryEngine
from onedata.ids import SpaceId
from op_worker.zone.store import ZoneStore
from op_worker.zone.topics import space_topic
from op_worker.zone.writer import ZoneWriter

TOPIC = space_topic(SpaceId("s1"))


class Failing(MemoryEngine):
    """Cannot be written while ``is_away``."""

    is_away = False

    async def commit(self, scope: Scope, batch: Batch) -> Committed:
        if self.is_away:
            raise PersistenceUnavailable
        return await super().commit(scope, batch)


async def kept(engine: MemoryEngine) -> Any:
    return dict((await ZoneStore(engine).load()).spaces)


@ensureDeferred
async def test_newest_state_is_written_when_the_store_is_back(clock: Clock) -> None:
    engine = Failing(clock)
    writer = ZoneWriter(ZoneStore(engine), clock)
    writer.startService()
    engine.is_away = True
    writer.note(TOPIC, {"name": "old"})
    writer.note(TOPIC, {"name": "new"})
    engine.is_away = False
    assert await kept(engine) == {}
    clock.advance(1.0)
    assert await kept(engine) == {"s1": {"name": "new"}}
    await writer.stopService()


@ensureDeferred
async def test_resource_that_is_gone_is_removed(clock: Clock) -> None:
    engine = MemoryEngine(clock)
    writer = ZoneWriter(ZoneStore(engine), clock)
    writer.startService()
    writer.note(TOPIC, {"name": "s"})
    writer.note(TOPIC, None)
    assert await kept(engine) == {}
    await writer.stopService()
    assert clock.getDelayedCalls() == []


@ensureDeferred
async def test_news_told_long_ago_do_not_overwrite_newer_ones_that_another_node_wrote(clock: Clock) -> None:
    engine = Failing(clock)
    fast, slow = (ZoneWriter(ZoneStore(engine), clock) for _ in range(2))
    for writer in (fast, slow):
        writer.startService()
    engine.is_away = True
    slow.note_news(TOPIC, {"name": "old", "revision": 4})
    engine.is_away = False
    fast.note_news(TOPIC, {"name": "new", "revision": 5})
    clock.advance(1.0)
    assert await kept(engine) == {"s1": {"name": "new", "revision": 5}}
    slow.note(TOPIC, {"name": "after a restore of the zone", "revision": 1})
    assert await kept(engine) == {"s1": {"name": "after a restore of the zone", "revision": 1}}
    for writer in (fast, slow):
        await writer.stopService()


@ensureDeferred
async def test_settled_is_when_everything_noted_is_written(clock: Clock) -> None:
    engine = Failing(clock)
    writer = ZoneWriter(ZoneStore(engine), clock)
    writer.startService()
    engine.is_away = True
    writer.note(TOPIC, {"name": "s"})
    settled = Deferred.fromCoroutine(writer.settled())
    assert not settled.called
    engine.is_away = False
    clock.advance(1.0)
    await settled
    assert await kept(engine) == {"s1": {"name": "s"}}
    await writer.settled()
    await writer.stopService()


class Slow(MemoryEngine):
    """Commits when it is told to."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.goes_on: Deferred[None] = Deferred()

    async def commit(self, scope: Scope, batch: Batch) -> Committed:
        if not self.goes_on.called:
            await self.goes_on
        return await super().commit(scope, batch)


@ensureDeferred
async def test_what_was_told_right_before_a_stop_is_kept(clock: Clock) -> None:
    engine = Slow(clock)
    writer = ZoneWriter(ZoneStore(engine), clock)
    writer.startService()
    writer.note(TOPIC, {"name": "s"})
    writer.note(space_topic(SpaceId("s2")), {"name": "other"})
    engine.goes_on = Deferred()
    stopped = writer.stopService()
    engine.goes_on.callback(None)
    await stopped
    assert await kept(engine) == {"s1": {"name": "s"}, "s2": {"name": "other"}}


@ensureDeferred
async def test_a_stop_while_the_store_is_away_does_not_wait_for_it(clock: Clock) -> None:
    engine = Failing(clock)
    writer = ZoneWriter(ZoneStore(engine), clock)
    writer.startService()
    engine.is_away = True
    writer.note(TOPIC, {"name": "s"})
    await writer.stopService()
    assert clock.getDelayedCalls() == []
