"""What backups are made and put back with."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from attrs import frozen
from twisted.internet.defer import Deferred, FirstError, gatherResults

from cluster_worker.persistence.config import RedisConfig
from cluster_worker.runtime.clock import WallClock

T = TypeVar("T")


@frozen
class Tools:
    """The surroundings of one command.

    Attributes:
        config: how servers are reached.
        program: the server that loads dumps.
        say: tells the operator how far it is.
    """

    reactor: Any
    config: RedisConfig
    wall_clock: WallClock
    program: str
    say: Callable[[str], None]


async def together(works: Sequence[Coroutine[Any, Any, T]]) -> Sequence[T]:
    """Do several things at once; when one fails, the others are given up and its error is raised."""
    doing = [Deferred.fromCoroutine(work) for work in works]
    try:
        done: Sequence[T] = await gatherResults(doing, consumeErrors=True)
    except FirstError as exc:
        for one in doing:
            one.cancel()
        exc.subFailure.raiseException()
    return done
