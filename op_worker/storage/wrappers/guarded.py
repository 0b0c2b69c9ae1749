"""A storage helper that waits for nothing for ever, tries again, and leaves a storage alone that is away."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, TypeVar

from attrs import frozen
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from op_worker.storage.helper import StorageFile, StorageHelper, StoragePath, StorageUnavailable
from op_worker.storage.verdict import Verdict
from op_worker.storage.wrappers.breaker import Breaker, BreakerState, BreakerTiming
from op_worker.storage.wrappers.measured import StorageTally
from op_worker.storage.wrappers.time_limit import OutOfTime, TimeLimit
from op_worker.storage.wrappers.wrapping import WrappedFile, Wrapper

R = TypeVar("R")

PASSING = frozenset(
    {
        *(errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.EPIPE, errno.ENOTCONN, errno.ENOLINK),
        *(errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EHOSTDOWN),
        *(errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN),
    }
)
"""Numbers of StorageUnavailable that are worth another try at once. Not ETIMEDOUT: what took too long may
still be under way, and a second one would wait as long."""

NOT_REACHED = PASSING | {errno.ETIMEDOUT}
"""Numbers of StorageUnavailable that say that the storage was not reached."""

ONCE_ONLY = frozenset({"rename", "scan", "check"})
"""Verbs that are not tried again: a rename that was done finds no source; a scan that failed has ended; a
check is to tell how it is now. All others do the same when they are done twice."""


@frozen(kw_only=True)
class RetryTiming:
    """How often an operation is tried, and its pauses: each longer by ``factor``, up to half at random."""

    tries: int = 4
    first_s: float = 0.01
    factor: float = 5.0


class Guard:
    """What the helpers of one storage, of whichever user, have in common: limit, tries and breaker."""

    def __init__(
        self,
        clock: IReactorTime,
        timeout_s: float,
        tally: StorageTally,
        *,
        verdict: Verdict | None = None,
        retries: RetryTiming | None = None,
        breaker: BreakerTiming | None = None,
        random: Random | None = None,
    ) -> None:
        self.verdict = verdict or Verdict()
        self.breaker = Breaker(breaker or BreakerTiming())
        self._clock, self._tally = clock, tally
        self._retries = retries or RetryTiming()
        self._random = random or Random()
        self._limit = TimeLimit(clock, timeout_s)
        self._timeout_s = timeout_s

    async def run(
        self, verb: str, path: StoragePath, work: Callable[..., Awaitable[R]], args: tuple[Any, ...]
    ) -> R:
        """Do ``work(*args)`` within the time limit, again when that may help.

        Raises: StorageUnavailable(ETIMEDOUT) when it took too long, StorageUnavailable(EAGAIN) without trying
        while the storage is left alone or was found unusable; what the work raises.
        """
        if self.verdict.problem:
            raise StorageUnavailable(errno.EAGAIN, path, self.verdict.problem)
        breaker = self.breaker
        if breaker.state is not BreakerState.CLOSED and not breaker.admits(self._clock.seconds()):
            raise StorageUnavailable(errno.EAGAIN, path, "it could not be reached a moment ago")
        try:
            result = await self._limit.of(self._tried(verb, work, args))
        except OutOfTime:
            breaker.failed(self._clock.seconds())
            reason = f"no answer within {self._timeout_s:g} s"
            raise StorageUnavailable(errno.ETIMEDOUT, path, reason) from None
        except StorageUnavailable as error:
            if error.errno in NOT_REACHED:
                breaker.failed(self._clock.seconds())
            else:
                breaker.succeeded()
            raise
        except (CancelledError, GeneratorExit):
            breaker.given_up(self._clock.seconds())
            raise
        except Exception:
            breaker.succeeded()
            raise
        if breaker.failures:
            breaker.succeeded()
        return result

    def close(self) -> None:
        """Stop the timer."""
        self._limit.close()

    async def _tried(self, verb: str, work: Callable[..., Awaitable[R]], args: tuple[Any, ...]) -> R:
        tries = 1 if verb in ONCE_ONLY else self._retries.tries
        pause_s = self._retries.first_s
        for _ in range(tries - 1):
            try:
                return await work(*args)
            except StorageUnavailable as error:
                if error.errno not in PASSING:
                    raise
            self._tally.retries += 1
            await deferLater(self._clock, pause_s * (1 + self._random.random() / 2))
            pause_s *= self._retries.factor
        return await work(*args)


class GuardedHelper(Wrapper):
    """See ``StorageHelper``. Every operation but the closing of a file goes through the guard."""

    def __init__(self, helper: StorageHelper, guard: Guard) -> None:
        super().__init__(helper)
        self._guard = guard

    async def _do(self, verb: str, path: StoragePath, work: Callable[..., Awaitable[R]], *args: Any) -> R:
        return await self._guard.run(verb, path, work, args)

    def _file(self, file: StorageFile, path: StoragePath) -> StorageFile:
        return WrappedFile(self._do, file, path)
