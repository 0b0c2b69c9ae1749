"""Calls of a C library on a few threads of its own, each with a time limit."""

from __future__ import annotations

import errno
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar, cast

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from cluster_worker.runtime.pool import BlockingPool
from op_worker.storage.helper import StorageUnavailable

R = TypeVar("R")


@define(eq=False)
class _Call(Generic[R]):
    """A call with the one who waits for it, until that one is answered or gives up."""

    work: Callable[[], R]
    undo: Callable[[R], object] | None
    ended: Callable[[], None] | None
    waiter: Deferred[R] = field(factory=Deferred)
    is_given_up: bool = False


class NativePool:
    """Runs blocking calls, at most ``size`` at the same time; further ones wait in order.

    Who waits longer than ``timeout_s``, or is cancelled, is let go at once. A call that no thread has begun
    is then never made; one that runs goes on until its library returns, on the thread that it holds.
    """

    _log = Logger()

    def __init__(self, reactor: IReactorTime, size: int, timeout_s: float, name: str) -> None:
        self._clock, self._timeout_s, self._name = reactor, timeout_s, name
        self._threads = BlockingPool(cast(Any, reactor), size, name)
        self._turns = DeferredSemaphore(size)
        self._files = self._busy = 0
        self._last: Callable[[], None] | None = None
        self._has_ended = False
        self._waiters: list[Deferred[None]] = []

    @property
    def is_closed(self) -> bool:
        """Whether nothing may be opened any more."""
        return self._last is not None

    async def run(
        self,
        work: Callable[[], R],
        *,
        undo: Callable[[R], object] | None = None,
        ended: Callable[[], None] | None = None,
    ) -> R:
        """Return what ``work`` returns; its exceptions pass through.

        Args:
            undo: gets, in a thread, a result that nobody waits for any more.
            ended: called once, here, before the answer: ``work`` runs no longer, or will never run.

        Raises: StorageUnavailable(ETIMEDOUT).
        """
        call = _Call(work, undo, ended)
        self._limit(call.waiter)
        Deferred.fromCoroutine(self._make(call)).addErrback(self._failed)
        try:
            return await call.waiter
        finally:
            call.is_given_up = True

    async def run_whole(self, work: Callable[[], R]) -> R:
        """Return what ``work`` returns, however long that takes; for use below ``finish``."""
        await self._turns.acquire()
        try:
            return await self._threads.run(work)
        finally:
            self._turns.release()

    async def finish(self, work: Coroutine[Any, Any, R]) -> R:
        """Run ``work`` to its end, also when the wait for it is over.

        Raises: StorageUnavailable(ETIMEDOUT).
        """
        waiter: Deferred[R] = Deferred()
        self._limit(waiter)
        self._busy += 1

        def ended(result: Any) -> None:
            if not waiter.called:
                waiter.callback(result)  # a failure too
            elif isinstance(result, Failure):
                self._failed(result)
            self._less_busy()

        Deferred.fromCoroutine(work).addBoth(ended)
        return await waiter

    def file_opened(self) -> None:
        """Count a file that is open: it is used also after ``close``."""
        self._files += 1

    def file_closed(self) -> None:
        """Count it off."""
        self._files -= 1
        self._end_when_idle()

    async def close(self, last: Callable[[], None]) -> None:
        """End the threads when no file is open and no call runs, and then make a last call. Idempotent.

        That call may not block; it comes last because libraries keep something in each thread that used them.
        Returns at once while files are open, else when all that is done.
        """
        if self._last is None:
            self._last = last
            self._end_when_idle()
            if not self._files and not self._has_ended:
                ended: Deferred[None] = Deferred(self._waiters.remove)
                self._waiters.append(ended)
                await ended

    def _limit(self, waiter: Deferred[Any]) -> None:
        waiter.addTimeout(self._timeout_s, self._clock, self._timed_out)

    def _less_busy(self) -> None:
        self._busy -= 1
        self._end_when_idle()

    def _end_when_idle(self) -> None:
        if self._last is None or self._files or self._busy or self._has_ended:
            return
        self._has_ended = True
        self._threads.stopService()  # nothing runs on them, so this does not wait
        self._last()
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(None)

    async def _make(self, call: _Call[R]) -> None:
        self._busy += 1
        try:
            result = await self._result(call)
            if not call.is_given_up:
                call.waiter.callback(cast(Any, result))  # a failure too
            elif call.undo is not None and result is not None and not isinstance(result, Failure):
                await self.run_whole(partial(call.undo, result))
        finally:
            self._less_busy()

    async def _result(self, call: _Call[R]) -> R | Failure | None:
        """Make the call when it is its turn; ``None`` when it was given up before."""
        await self._turns.acquire()
        try:
            return None if call.is_given_up else await self._threads.run(call.work)
        except Exception:  # noqa: BLE001 - it is the caller's, whatever it is
            return Failure()
        finally:
            self._turns.release()
            if call.ended is not None:
                call.ended()

    def _timed_out(self, _result: object, after_s: float) -> Failure:
        return Failure(
            StorageUnavailable(errno.ETIMEDOUT, "", f"no answer from {self._name} within {after_s:g} s")
        )

    def _failed(self, failure: Failure) -> None:
        self._log.failure("a call of {name} that nobody waits for failed", failure=failure, name=self._name)
