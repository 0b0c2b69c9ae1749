"""Waiting for replies: deadlines on one timer, cancellation, the bound."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

import cluster_worker.wire.replies as module
from cluster_worker.wire.errors import LinkBusy, LinkClosed, RequestTimedOut
from cluster_worker.wire.link_messages import Result
from cluster_worker.wire.messages import Message
from cluster_worker.wire.replies import WaitingReplies


@pytest.fixture
def clock() -> Iterator[Clock]:
    made = Clock()
    yield made
    assert made.getDelayedCalls() == []


def outcome(reply: Deferred[Message]) -> object:
    results: list[object] = []
    reply.addBoth(lambda result: results.append(getattr(result, "value", result)))
    return results[0] if results else None


def test_reply_reaches_the_one_who_waits_for_it(clock: Clock) -> None:
    replies = WaitingReplies(clock)
    first, one = replies.open(5.0)
    second, two = replies.open(5.0)
    replies.settle(second, Result(2))
    replies.settle(first, Result(1))
    assert (outcome(one), outcome(two)) == (Result(1), Result(2))
    replies.fail_all(LinkClosed("over"))


def test_reply_that_comes_twice_or_late_is_ignored(clock: Clock) -> None:
    replies = WaitingReplies(clock)
    correlation, reply = replies.open(1.0)
    clock.advance(2.0)
    assert isinstance(outcome(reply), RequestTimedOut)
    replies.settle(correlation, Result(1))
    assert len(replies) == 0


def test_deadlines_are_kept_in_their_own_order(clock: Clock) -> None:
    replies = WaitingReplies(clock)
    _, slow = replies.open(3.0)
    _, quick = replies.open(1.0)
    _, middle = replies.open(2.0)
    for seconds, done in ((0.9, 0), (0.2, 1), (1.0, 2), (1.0, 3)):
        clock.advance(seconds)
        assert sum(reply.called for reply in (quick, middle, slow)) == done
    for reply in (quick, middle, slow):
        assert isinstance(outcome(reply), RequestTimedOut)


def test_one_timer_serves_thousands_of_requests(clock: Clock) -> None:
    replies = WaitingReplies(clock)
    for _ in range(3000):
        correlation, _ = replies.open(30.0)
        replies.settle(correlation, Result(None))
    assert len(clock.getDelayedCalls()) == 1
    clock.advance(31.0)


def test_cancelled_request_is_forgotten(clock: Clock) -> None:
    replies = WaitingReplies(clock)
    correlation, reply = replies.open(1.0)
    reply.cancel()
    assert isinstance(outcome(reply), CancelledError)
    assert len(replies) == 0
    replies.settle(correlation, Result(1))
    replies.fail_all(LinkClosed("over"))


def test_end_of_the_link_fails_everybody(clock: Clock) -> None:
    replies = WaitingReplies(clock)
    waiting = [replies.open(1.0)[1] for _ in range(3)]
    replies.fail_all(LinkClosed("over"))
    assert [str(outcome(reply)) for reply in waiting] == ["over"] * 3


def test_more_requests_than_the_bound_are_refused(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    replies = WaitingReplies(clock)
    waiting = [replies.open(1.0)[1] for _ in range(2)]
    with pytest.raises(LinkBusy):
        replies.open(1.0)
    replies.fail_all(LinkClosed("over"))
    assert all(outcome(reply) for reply in waiting)


def test_request_made_while_another_expires_keeps_its_deadline(clock: Clock) -> None:
    replies = WaitingReplies(clock)
    _, first = replies.open(1.0)
    made: list[Deferred[Message]] = []
    first.addErrback(lambda _: made.append(replies.open(1.0)[1]))
    clock.advance(1.1)
    clock.advance(1.1)
    assert isinstance(outcome(made[0]), RequestTimedOut)
