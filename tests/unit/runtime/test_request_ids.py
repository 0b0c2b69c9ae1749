"""Request ids: which are accepted, how they are made, how far they reach."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime

from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.pool import BlockingPool
from cluster_worker.runtime.request_ids import REQUEST_ID, RequestIds, well_formed
from cluster_worker.runtime.services import TaskOwner


@pytest.mark.parametrize("text", ["a", "A-1_b.c", "x" * 64])
def test_a_well_formed_id_is_taken_as_it_is(text: str) -> None:
    assert well_formed(text) == text


@pytest.mark.parametrize("text", ["", "x" * 65, "a b", "a\n", "ä", "a/b", None, 7, b"a"])
def test_anything_else_is_no_request_id(text: object) -> None:
    assert well_formed(text) is None


def test_made_ids_are_well_formed_and_all_different() -> None:
    ids = RequestIds(lambda size_b: b"\x0a" * size_b)
    made = [ids.next() for _ in range(100)]
    assert len(set(made)) == 100
    assert all(well_formed(one) for one in made)


@ensureDeferred
async def test_two_coroutines_that_take_turns_keep_their_own_ids() -> None:
    async def serve(request_id: str) -> list[str | None]:
        REQUEST_ID.set(request_id)
        seen = []
        for _ in range(3):
            await sleep(IReactorTime(reactor), 0.001)
            seen.append(REQUEST_ID.get())
        return seen

    first, second = (Deferred.fromCoroutine(serve(name)) for name in ("one", "two"))
    assert await first == ["one"] * 3
    assert await second == ["two"] * 3
    assert REQUEST_ID.get() is None


@ensureDeferred
async def test_an_id_reaches_background_tasks_and_the_blocking_pool() -> None:
    pool = BlockingPool(IReactorFromThreads(reactor), 1)
    pool.startService()
    tasks, seen = TaskOwner(), list[str | None]()

    async def look() -> None:
        await sleep(IReactorTime(reactor), 0.001)
        seen.append(REQUEST_ID.get())

    async def serve() -> str | None:
        REQUEST_ID.set("mine")
        tasks.spawn("look", look())
        return await pool.run(REQUEST_ID.get)

    assert await Deferred.fromCoroutine(serve()) == "mine"
    assert await pool.run(REQUEST_ID.get) is None
    await sleep(IReactorTime(reactor), 0.01)
    assert seen == ["mine"]
    pool.stopService()
