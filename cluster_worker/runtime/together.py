"""Several things done at the same time, with one outcome."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList, FirstError, gatherResults

T = TypeVar("T")


async def together(works: Iterable[Coroutine[Any, Any, T]]) -> Sequence[T]:
    """Do several things at once and return their results in the order given.

    When one fails, or this is cancelled, the others are cancelled, and nothing of them runs any more when the
    first error is raised.
    """
    doing = [Deferred.fromCoroutine(work) for work in works]
    try:
        done: Sequence[T] = await gatherResults(doing, consumeErrors=True)
        return done
    except FirstError as first:
        first.subFailure.raiseException()
        raise
    finally:
        for one in doing:
            one.cancel()
        await DeferredList(doing, consumeErrors=True)
