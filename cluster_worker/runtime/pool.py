"""Blocking calls, off the reactor thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, Protocol, TypeVar

from attrs import frozen
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

P = ParamSpec("P")
R = TypeVar("R")


class Blocking(Protocol):
    """Runs a blocking call somewhere else and gives its result."""

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return ``work(*args, **kwargs)``; its exceptions pass through."""


@frozen
class PoolUsage:
    """Calls made so far, threads started, threads that run a call, and calls that wait for one."""

    calls: int
    threads: int
    busy: int
    waiting: int


class BlockingPool(Service):
    """A pool of threads for disk, hashing and foreign libraries.

    A thread is started when a call finds all others busy. Twisted's own pool does the same, but hands
    each call over through locks written in Python and wakes the reactor for each result: it costs five
    times the processor time when many calls are short. Here the queue is one of C, and one wake-up
    brings all results that are there.

    Args:
        size: the most calls that run at the same time; further ones wait in order.
        name: of the threads.
    """

    def __init__(self, reactor: IReactorFromThreads, size: int, name: str = "blocking") -> None:
        self._reactor = reactor
        self._size, self._thread_name = size, name
        self._threads: list[Thread] = []
        self._calls: SimpleQueue[tuple[Deferred[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._results: deque[tuple[Deferred[Any], Any]] = deque()
        self._is_awake = False
        self._unanswered = self._made = 0

    def stopService(self) -> None:
        """Wait for the calls that were made, and end the threads."""
        super().stopService()
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a blocking call on the pool, in the caller's context. Cancelling the wait does not stop it."""
        result: Deferred[R] = Deferred()
        self._unanswered += 1
        self._made += 1
        if self._unanswered > len(self._threads) and len(self._threads) < self._size:
            self._add_thread()
        self._calls.put((result, partial(copy_context().run, work, *args, **kwargs)))
        return await result

    @property
    def usage(self) -> PoolUsage:
        """What it does now and has done."""
        busy = min(self._unanswered, len(self._threads))
        return PoolUsage(self._made, len(self._threads), busy, self._unanswered - busy)

    def _add_thread(self) -> None:
        name = f"{self._thread_name}-{len(self._threads)}"
        thread = Thread(target=self._work, name=name, daemon=True)  # a disk that hangs holds up no exit
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        """Run calls until told to end. In a thread."""
        while (call := self._calls.get()) is not None:
            waiter, work = call
            result: Any
            try:
                result = work()
            except BaseException:  # noqa: BLE001 - it is the caller's, whatever it is
                result = Failure()
            self._results.append((waiter, result))
            del call, waiter, work, result  # an idle thread keeps nothing alive
            if not self._is_awake:
                self._is_awake = True
                self._reactor.callFromThread(self._answer)

    def _answer(self) -> None:
        """Give out results. What comes after the mark is taken back wakes the reactor again."""
        self._is_awake = False
        while self._results:
            waiter, result = self._results.popleft()
            self._unanswered -= 1
            waiter.callback(result)


class PoolMetrics(Collector):
    """Tells what pools of threads do; a pool takes the place of an earlier one with its name."""

    def __init__(self) -> None:
        self._pools: dict[str, BlockingPool] = {}

    def watch(self, name: str, pool: BlockingPool) -> None:
        """Tell of ``pool`` from now on."""
        self._pools[name] = pool

    def collect(self) -> Iterable[Metric]:
        calls = CounterMetricFamily(
            "onedata_blocking_calls", "Blocking calls made on a pool of threads.", labels=["pool"]
        )
        threads = GaugeMetricFamily(
            "onedata_blocking_threads", "Threads of the pool that were started.", labels=["pool"]
        )
        busy = GaugeMetricFamily(
            "onedata_blocking_threads_busy", "Threads of the pool that run a call.", labels=["pool"]
        )
        waiting = GaugeMetricFamily(
            "onedata_blocking_queue_calls", "Calls that wait for a thread.", labels=["pool"]
        )
        for name, pool in self._pools.items():
            usage = pool.usage
            calls.add_metric([name], usage.calls)
            threads.add_metric([name], usage.threads)
            busy.add_metric([name], usage.busy)
            waiting.add_metric([name], usage.waiting)
        yield from (calls, threads, busy, waiting)


class Inline:
    """Runs the call at once, on the calling thread; for tests and for data already in memory."""

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return work(*args, **kwargs)
