"""Time as an argument: durations from the reactor's clock, timestamps from a wall clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

WallClock = Callable[[], float]
"""Returns seconds since the Unix epoch."""


def system_wall_clock() -> float:
    """The machine's wall clock, in seconds since the epoch; handed out by composition roots only."""
    return time.time()  # noqa: TID251 - the one place that reads it


async def sleep(clock: IReactorTime, duration_s: float) -> None:
    """Return after ``duration_s`` seconds of ``clock``; cancelling ends the wait at once."""
    waiter: Deferred[None] = Deferred(lambda _: call.cancel())
    call = clock.callLater(duration_s, waiter.callback, None)
    await waiter
