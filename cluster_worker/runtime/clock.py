"""Time as an argument: durations from the reactor's clock, timestamps from a wall clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

WallClock = Callable[[], float]
"""Returns seconds since the Unix epoch."""


def system_wall_clock() -> float:
    """The machine's wall clock, in seconds since the epoch; handed out by composition roots only."""
    return time.time()  # noqa: TID251 - the one place that reads it


def keep_steady(reactor: Any) -> None:
    """Let a reactor that has not started count time by a clock that nobody can set.

    Twisted's own reads the wall clock, so that all timers would wait for an hour when it is set back by
    one, and leases would seem to have run out when it is set forward. The steady clock goes on while the
    machine sleeps. A reactor that runs already, as in tests, is left as it is.
    """
    if not reactor.running and not reactor.getDelayedCalls():
        reactor.seconds = _steady_seconds


def _steady_seconds() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


async def sleep(clock: IReactorTime, duration_s: float) -> None:
    """Return after ``duration_s`` seconds of ``clock``; cancelling ends the wait at once."""
    waiter: Deferred[None] = Deferred(lambda _: call.cancel())
    call = clock.callLater(duration_s, waiter.callback, None)
    await waiter
