"""Feeds forget what has long been gone, and nothing that somebody still has to read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from cluster_worker.feeds.compaction import FeedCompaction, horizon_of
from cluster_worker.feeds.history import KEEP_S, MARK_EVERY_S, FeedHistory
from cluster_worker.feeds.position import POSITIONS, SharedPosition
from cluster_worker.persistence.engine import (
    Batch,
    Delete,
    Key,
    PersistenceError,
    PreconditionFailed,
    Put,
    Scope,
    Seq,
)
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.tenure.works import Works
from tests.support.power_cuts import Fuse, FusedEngine, Trouble
from tests.support.turns import take_turn

SCOPE = Scope("s")
DAY_S = 86400.0


class Space:
    """A scope whose keys ``k…`` come and go while days pass."""

    def __init__(self) -> None:
        self.engine = MemoryEngine()
        self.now_s = 1e9

    def compaction(self, engine: object = None) -> FeedCompaction:
        return FeedCompaction(
            engine or self.engine,  # type: ignore[arg-type]
            lambda: [SCOPE],
            field="meta",
            is_forgettable=lambda key: key.startswith("k"),
            wall_clock=lambda: self.now_s,
            works=Works(self.engine, "one", Clock()),
        )

    async def put(self, *names: str) -> None:
        steps = [Put(Key(name), "meta", b"x") for name in names]
        await self.engine.commit(SCOPE, Batch(steps, announce=[Key(name) for name in names]))

    async def remove(self, *names: str) -> None:
        steps = [Delete(Key(name)) for name in names]
        await self.engine.commit(SCOPE, Batch(steps, announce=[Key(name) for name in names]))

    async def pass_days(self, days: float) -> None:
        """Let time pass with a look at its end, as after each hour."""
        await self.compaction().compact(SCOPE)
        self.now_s += days * DAY_S
        await self.compaction().compact(SCOPE)

    async def keys(self) -> set[str]:
        return {change.key for change in await self.engine.changes(SCOPE, Seq(0), 999)}


@ensureDeferred
async def test_what_is_gone_for_long_is_forgotten_and_the_rest_stays() -> None:
    space = Space()
    await space.put("k1", "k2", "settings")
    await space.remove("k1", "settings")
    await space.pass_days(20)
    await space.put("k3")
    await space.remove("k3")
    await space.pass_days(11)
    assert await space.keys() == {"k2", "settings", "k3"}
    assert await horizon_of(space.engine, SCOPE) == 5
    assert await space.engine.last_seq(SCOPE) == 7
    await space.pass_days(31)
    assert await space.keys() == {"k2", "settings"}


@ensureDeferred
async def test_nothing_is_forgotten_that_a_shared_reader_has_not_read() -> None:
    space = Space()
    await space.put("k1", "k2")
    await space.remove("k1")
    await space.remove("k2")
    position = SharedPosition(space.engine, "statistics")
    await take_turn(space.engine, position, SCOPE)
    await position.load(SCOPE)
    await space.engine.commit(SCOPE, Batch(position.steps(SCOPE, Seq(3))))
    await space.pass_days(31)
    assert await space.keys() == {"k2"}
    assert await horizon_of(space.engine, SCOPE) == 3
    await space.engine.commit(SCOPE, Batch([Put(POSITIONS, "statistics", (4).to_bytes(8, "big"))]))
    await space.pass_days(0)
    assert await space.keys() == set()


@ensureDeferred
async def test_a_compaction_that_fails_at_any_call_is_finished_by_the_next() -> None:
    for trouble in (Trouble.FAIL, Trouble.FAIL_AFTER):
        for at in range(30):
            space = Space()
            await space.put("k1", "k2")
            await space.remove("k1")
            await space.compaction().compact(SCOPE)
            space.now_s += 31 * DAY_S
            fuse = Fuse(trouble, at)
            try:
                await space.compaction(FusedEngine(space.engine, fuse)).compact(SCOPE)
            except PersistenceError:
                assert fuse.has_blown
            if "k1" not in await space.keys():
                assert await horizon_of(space.engine, SCOPE) == 3
            await space.compaction().compact(SCOPE)
            assert await space.keys() == {"k2"}
            if not fuse.has_blown:
                assert at > 5
                break


@ensureDeferred
async def test_of_two_nodes_at_the_same_moment_one_gives_way() -> None:
    space = Space()
    await space.put("k1")
    revision_seen_by_both = 0
    first, second = space.compaction(), space.compaction()
    await first._store(SCOPE, FeedHistory(), revision_seen_by_both)
    with pytest.raises(PreconditionFailed):
        await second._store(SCOPE, FeedHistory(), revision_seen_by_both)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.floats(-1e5, 40 * DAY_S)), max_size=40),
    st.lists(st.integers(0, 500), max_size=2),
)
def test_the_horizon_never_passes_what_is_young_or_unread(
    happenings: list[tuple[int, float]], positions: list[int]
) -> None:
    """Also when the clock jumps back, by which entries only look younger."""
    history, newest, now_s = FeedHistory(), 0, 1e9
    reached: list[tuple[int, float]] = []
    for more, passed_s in happenings:
        newest, now_s = newest + more, now_s + passed_s
        reached.append((newest, now_s))
        before = history
        history = FeedHistory.decode(history.advanced(positions, now_s).marked(newest, now_s).encode())
        assert before.horizon <= history.horizon <= min((newest, *positions))
        if history.horizon > before.horizon:
            assert any(seq >= history.horizon and at_s <= now_s - KEEP_S for seq, at_s in reached)


def test_an_idle_feed_is_not_written_to() -> None:
    history = FeedHistory().marked(5, 0.0)
    assert history.marked(5, 10 * MARK_EVERY_S) is history
    assert history.marked(9, MARK_EVERY_S / 2) is history
    assert history.marked(9, MARK_EVERY_S).marks == ((5, 0.0), (9, MARK_EVERY_S))
    assert FeedHistory().marked(0, 0.0) == FeedHistory()
