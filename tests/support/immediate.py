"""Work that waits for nothing: its result at once."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


def now(work: Awaitable[T]) -> T:
    """Return the result of work that waits for nothing."""
    results: list[Any] = []
    Deferred.fromCoroutine(work).addBoth(results.append)  # type: ignore[arg-type]  # a coroutine
    assert results, "the work waits for something"
    if isinstance(results[0], Failure):
        results[0].raiseException()
    found: T = results[0]
    return found
