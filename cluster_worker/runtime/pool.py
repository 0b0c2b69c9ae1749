"""Blocking calls, off the reactor thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

P = ParamSpec("P")
R = TypeVar("R")


class Blocking(Protocol):
    """Runs a blocking call somewhere else and gives its result."""

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return ``work(*args, **kwargs)``; its exceptions pass through."""


class BlockingPool(Service):
    """A pool of threads for disk, hashing and foreign libraries.

    Args:
        size: the most calls that run at the same time; further ones wait in order.
    """

    def __init__(self, reactor: IReactorFromThreads, size: int, name: str = "blocking") -> None:
        self._reactor = reactor
        self._pool = ThreadPool(minthreads=min(4, size), maxthreads=size, name=name)

    def startService(self) -> None:
        super().startService()
        self._pool.start()

    def stopService(self) -> Deferred[None] | None:
        super().stopService()
        self._pool.stop()
        return None

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a blocking call on the pool. Cancelling the wait does not stop the call."""
        result: R = await deferToThreadPool(self._reactor, self._pool, work, *args, **kwargs)
        return result


class Inline:
    """Runs the call at once, on the calling thread; for tests and for data already in memory."""

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return work(*args, **kwargs)
