"""A limit for how long each of many operations may take, at the cost of one timer for all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

R = TypeVar("R")


class OutOfTime(Exception):
    """An operation took too long and was cancelled."""


class TimeLimit:
    """Cancels what takes longer than ``limit_s``.

    All operations have the same limit, so the oldest one is the next to run out of time, and one timer is
    enough. What ends without ever waiting is not watched at all.
    """

    def __init__(self, clock: IReactorTime, limit_s: float) -> None:
        self._clock, self._limit_s = clock, limit_s
        self._running: dict[_Watched, float] = {}
        self._timer: IDelayedCall | None = None

    async def of(self, work: Awaitable[R]) -> R:
        """Return what ``work`` gives. Raises: OutOfTime; what ``work`` raises."""
        watched = _Watched(work, self)
        try:
            result: R = await watched
        except CancelledError:
            if watched.is_over:
                raise OutOfTime from None
            raise
        return result

    def close(self) -> None:
        """Watch no longer."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def begin(self, watched: _Watched) -> None:
        """Watch an operation that has begun to wait."""
        self._running[watched] = self._clock.seconds() + self._limit_s
        if self._timer is None:
            self._timer = self._clock.callLater(self._limit_s, self._look)

    def end(self, watched: _Watched) -> None:
        """Forget an operation."""
        self._running.pop(watched, None)

    def _look(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        while self._running:
            oldest, until = next(iter(self._running.items()))
            if until > now:
                self._timer = self._clock.callLater(until - now, self._look)
                return
            del self._running[oldest]
            oldest.give_up()


class _Watched:
    """An awaitable that passes on what the work waits for, and knows it."""

    __slots__ = ("_limit", "_waits_for", "_work", "is_over")

    def __init__(self, work: Awaitable[Any], limit: TimeLimit) -> None:
        self._work, self._limit = work, limit
        self._waits_for: Deferred[Any] | None = None
        self.is_over = False

    def give_up(self) -> None:
        self.is_over = True
        if self._waits_for is not None:
            self._waits_for.cancel()

    def __await__(self) -> Generator[Any, Any, Any]:
        steps: Any = self._work.__await__()
        try:
            self._waits_for = steps.send(None)
            self._limit.begin(self)
            while True:
                try:
                    sent = yield self._waits_for
                except GeneratorExit:
                    steps.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - it is the work's, whatever it is
                    self._waits_for = steps.throw(error)
                else:
                    self._waits_for = steps.send(sent)
        except StopIteration as done:
            return done.value
        finally:
            self._limit.end(self)
