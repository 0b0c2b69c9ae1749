"""The guard of a storage: time limit, further tries, and leaving alone what is away."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.verdict import Verdict
from op_worker.storage.wrappers.breaker import Breaker, BreakerState, BreakerTiming
from op_worker.storage.wrappers.guarded import Guard, RetryTiming
from op_worker.storage.wrappers.measured import StorageTally
from op_worker.storage.wrappers.time_limit import OutOfTime, TimeLimit

PATH = StoragePath("a")
TIMING = BreakerTiming(most_failures=2, first_s=1.0, longest_s=3.0)


class Trouble:
    """Does what it is told, one after another; then it works."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors, self.calls = list(errors), 0

    async def __call__(self) -> str:
        self.calls += 1
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        return "done"


def away(number: int = errno.ECONNRESET) -> StorageUnavailable:
    return StorageUnavailable(number, PATH, "gone")


def guard(clock: Clock, **named: Any) -> Guard:
    retries = RetryTiming(tries=3, first_s=1.0, factor=2.0)
    return Guard(clock, 10.0, named.pop("tally", StorageTally()), retries=retries, breaker=TIMING, **named)


def begin(guard: Guard, work: Callable[..., Awaitable[Any]], verb: str = "read") -> Deferred[Any]:
    return Deferred.fromCoroutine(guard.run(verb, PATH, work, ()))


def failed(outcome: Deferred[Any]) -> Any:
    found: list[Any] = []
    outcome.addErrback(lambda failure: found.append(failure.value))
    assert found, "it has not failed"
    return found[0]


def given(outcome: Deferred[Any]) -> Any:
    found: list[Any] = []
    outcome.addCallback(found.append)
    assert found, "it has given nothing"
    return found[0]


def test_what_passes_by_itself_is_tried_again_with_longer_pauses() -> None:
    clock, trouble, tally = Clock(), Trouble(away(), away()), StorageTally()
    outcome = begin(guard(clock, tally=tally), trouble)
    clock.pump([0.0, 1.5])
    assert trouble.calls == 2
    clock.pump([3.0])
    assert given(outcome) == "done"
    assert tally.retries == 2


def test_tries_end() -> None:
    clock, trouble = Clock(), Trouble(*[away()] * 5)
    outcome = begin(guard(clock), trouble)
    clock.pump([2.0, 4.0])
    assert failed(outcome).errno == errno.ECONNRESET
    assert trouble.calls == 3


@pytest.mark.parametrize(
    ("verb", "error"),
    [
        ("rename", away()),
        ("scan", away()),
        ("read", away(errno.ETIMEDOUT)),
        ("read", away(errno.EIO)),
        ("read", StorageError(errno.ENOENT, PATH)),
        ("write", StorageError(errno.ENOSPC, PATH)),
    ],
)
def test_what_may_not_be_done_twice_or_would_not_help_is_tried_once(verb: str, error: StorageError) -> None:
    trouble = Trouble(error)
    assert failed(begin(guard(Clock()), trouble, verb)) is error
    assert trouble.calls == 1


def test_an_operation_that_takes_too_long_is_cancelled_and_told_as_timed_out() -> None:
    clock, cancelled = Clock(), list[Any]()

    async def forever() -> None:
        try:
            await Deferred()
        except CancelledError as error:
            cancelled.append(error)
            raise

    outcome = begin(guard(clock), forever)
    clock.advance(10.0)
    error = failed(outcome)
    assert (type(error), error.errno) == (StorageUnavailable, errno.ETIMEDOUT)
    assert len(cancelled) == 1
    assert clock.getDelayedCalls() == []


def test_cancelling_from_outside_stays_a_cancellation() -> None:
    async def forever() -> None:
        await Deferred()

    outcome = begin(guard(Clock()), forever)
    outcome.cancel()
    assert isinstance(failed(outcome), CancelledError)


def test_a_storage_that_is_away_is_left_alone_for_a_while_and_tried_once_then() -> None:
    clock = Clock()
    one = guard(clock)
    for _ in range(2):
        failed(begin(one, Trouble(away(errno.ETIMEDOUT))))
    unasked = Trouble()
    assert failed(begin(one, unasked)).errno == errno.EAGAIN
    assert unasked.calls == 0
    clock.advance(1.0)
    assert given(begin(one, Trouble())) == "done"
    assert one.breaker.state is BreakerState.CLOSED


def test_refusals_are_no_sign_that_a_storage_is_away() -> None:
    one = guard(Clock())
    for _ in range(10):
        failed(begin(one, Trouble(StorageError(errno.ENOENT, PATH))))
    assert one.breaker.state is BreakerState.CLOSED


def test_a_storage_that_was_found_unusable_is_not_asked() -> None:
    verdict, trouble = Verdict(), Trouble()
    one = guard(Clock(), verdict=verdict)
    verdict.problem = "could not write: disk on fire"
    error = failed(begin(one, trouble))
    assert (type(error), error.reason, trouble.calls) == (StorageUnavailable, verdict.problem, 0)
    verdict.problem = ""
    assert given(begin(one, trouble)) == "done"


def test_pauses_of_the_breaker_grow_up_to_the_longest() -> None:
    breaker = Breaker(TIMING)
    now, pauses = 0.0, []
    for _ in range(2):
        breaker.failed(now)
    for _ in range(4):
        began = now
        while not breaker.admits(now):
            now += 0.25
        pauses.append(now - began)
        assert not breaker.admits(now), "one at a time while half-open"
        breaker.failed(now)
    assert pauses == [1.0, 2.0, 3.0, 3.0]


def test_a_trial_that_is_given_up_lets_another_one_decide() -> None:
    breaker = Breaker(TIMING)
    breaker.failed(0.0)
    breaker.failed(0.0)
    assert breaker.admits(1.0)
    breaker.given_up(1.0)
    assert breaker.admits(1.0)
    breaker.succeeded()
    assert breaker.state is BreakerState.CLOSED


def test_one_timer_watches_many_operations_each_for_its_own_time() -> None:
    clock = Clock()
    limit = TimeLimit(clock, 10.0)
    waits: list[Deferred[None]] = [Deferred() for _ in range(3)]

    async def wait(number: int) -> int:
        await waits[number]
        return number

    outcomes = []
    for number in range(3):
        outcomes.append(Deferred.fromCoroutine(limit.of(wait(number))))
        clock.advance(4.0)
    assert len(clock.getDelayedCalls()) == 1
    waits[1].callback(None)
    assert given(outcomes[1]) == 1
    assert isinstance(failed(outcomes[0]), OutOfTime)
    assert not outcomes[2].called
    clock.advance(6.0)
    assert isinstance(failed(outcomes[2]), OutOfTime)
    assert clock.getDelayedCalls() == []


def test_work_that_never_waits_is_not_watched() -> None:
    clock = Clock()
    assert given(Deferred.fromCoroutine(TimeLimit(clock, 1.0).of(Trouble()()))) == "done"
    assert clock.getDelayedCalls() == []


def test_errors_of_what_is_waited_for_reach_the_work() -> None:
    waits: Deferred[None] = Deferred()

    async def mended() -> str:
        try:
            await waits
        except ValueError:
            return "mended"
        return "whole"

    outcome = Deferred.fromCoroutine(TimeLimit(Clock(), 1.0).of(mended()))
    waits.errback(ValueError())
    assert given(outcome) == "mended"
