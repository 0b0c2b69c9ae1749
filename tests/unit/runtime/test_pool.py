"""The pool of threads for blocking calls."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults

from cluster_worker.runtime.pool import BlockingPool, Inline

SIZE = 3


@async_yield_fixture
async def pool() -> AsyncIterator[BlockingPool]:
    service = BlockingPool(cast(Any, reactor), SIZE, "worker")
    service.startService()
    yield service
    service.stopService()


@ensureDeferred
async def test_results_and_exceptions_come_from_another_thread(pool: BlockingPool) -> None:
    name = await pool.run(lambda: threading.current_thread().name)
    assert name.startswith("worker-")
    assert await pool.run(divmod, 7, 2) == (3, 1)
    assert await pool.run(int, "11", base=2) == 3
    with pytest.raises(ZeroDivisionError):
        await pool.run(divmod, 1, 0)


@ensureDeferred
async def test_no_more_calls_run_together_than_there_may_be_threads(pool: BlockingPool) -> None:
    together = threading.Barrier(SIZE)
    running, most = 0, 0
    lock = threading.Lock()

    def meet() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(10)
        with lock:
            running -= 1

    await gatherResults([Deferred.fromCoroutine(pool.run(meet)) for _ in range(4 * SIZE)])
    assert most <= SIZE


@ensureDeferred
async def test_one_call_at_a_time_takes_one_thread(pool: BlockingPool) -> None:
    names = {await pool.run(lambda: threading.current_thread().name) for _ in range(20)}
    assert names == {"worker-0"}


@ensureDeferred
async def test_thousands_of_short_calls_are_all_answered(pool: BlockingPool) -> None:
    calls = [Deferred.fromCoroutine(pool.run(abs, -number)) for number in range(5000)]
    assert await gatherResults(calls) == list(range(5000))


@ensureDeferred
async def test_a_cancelled_wait_leaves_the_call_running(pool: BlockingPool) -> None:
    goes_on, done = threading.Event(), threading.Event()

    def work() -> None:
        goes_on.wait(10)
        done.set()

    waiting = Deferred.fromCoroutine(pool.run(work))
    waiting.cancel()
    with pytest.raises(CancelledError):
        await waiting
    goes_on.set()
    await pool.run(done.wait, 10)
    assert done.is_set()


@ensureDeferred
async def test_an_idle_thread_keeps_no_arguments_or_results(pool: BlockingPool) -> None:
    class Large:
        pass

    large = Large()
    gone = weakref.ref(large)
    assert await pool.run(lambda same: same, large) is large
    await pool.run(int)
    del large
    gc.collect()
    assert gone() is None


@ensureDeferred
async def test_stopping_waits_for_the_calls_that_were_made() -> None:
    pool = BlockingPool(cast(Any, reactor), 1)
    pool.startService()
    done: list[int] = []
    calls = [Deferred.fromCoroutine(pool.run(done.append, number)) for number in range(5)]
    pool.stopService()
    assert done == [0, 1, 2, 3, 4]
    await gatherResults(calls)


@ensureDeferred
async def test_inline_calls_run_where_they_are_made() -> None:
    assert await Inline().run(threading.current_thread) is threading.current_thread()
