"""Replies held back until replicas have what they speak of."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from cluster_worker.persistence.acknowledging import AcknowledgedLink, NotAcknowledged
from cluster_worker.persistence.link import LinkEvents, LinkLost, RedisLink
from cluster_worker.persistence.resp import ReplyError, encode_command

REQUEST = encode_command((b"SET", b"k", b"v"))
WAIT = encode_command((b"WAIT", b"2", b"500"))


class Bench:
    """A connection whose replies the test writes."""

    def __init__(self) -> None:
        self.lost: list[RedisLink] = []
        self.link = RedisLink(Clock(), LinkEvents(lambda _link: None, self.lost.append))
        self.transport = StringTransport()
        self.transport.abortConnection = lambda: self.cut()  # type: ignore[method-assign]
        self.link.makeConnection(self.transport)
        self.acknowledged = AcknowledgedLink(self.link, 2, 0.5)
        self.outcomes: dict[int, Any] = {}

    def send(self, number: int) -> Deferred[Any]:
        reply = self.acknowledged.send(REQUEST)
        reply.addBoth(lambda outcome: self.outcomes.__setitem__(number, outcome))
        return reply

    def say(self, data: bytes) -> None:
        self.link.dataReceived(data)

    def heard(self) -> bytes:
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    def cut(self) -> None:
        if not self.lost:
            self.link.connectionLost(Failure(ConnectionDone()))


@pytest.fixture()
def bench() -> Bench:
    return Bench()


def test_one_request_goes_out_together_with_its_wait(bench: Bench) -> None:
    bench.send(1)
    assert bench.heard() == REQUEST + WAIT
    bench.say(b"+OK\r\n")
    assert bench.outcomes == {}
    bench.say(b":2\r\n")
    assert bench.outcomes == {1: b"OK"}
    assert bench.heard() == b""


def test_requests_sent_during_a_wait_share_the_next_one(bench: Bench) -> None:
    for number in range(4):
        bench.send(number)
    assert bench.heard() == REQUEST + WAIT + 3 * REQUEST
    bench.say(b":0\r\n:2\r\n")
    assert bench.outcomes == {0: 0}
    assert bench.heard() == WAIT
    bench.say(b":1\r\n:2\r\n:3\r\n:2\r\n")
    assert bench.outcomes == {0: 0, 1: 1, 2: 2, 3: 3}
    assert bench.heard() == b""


def test_request_that_too_few_replicas_have_is_neither_done_nor_not(bench: Bench) -> None:
    bench.send(1)
    bench.say(b"+OK\r\n:1\r\n")
    assert bench.outcomes[1].check(NotAcknowledged)
    assert "1 of 2 replicas" in str(bench.outcomes[1].value)
    bench.heard()
    bench.send(2)
    assert bench.heard() == REQUEST + WAIT
    bench.say(b"+OK\r\n:2\r\n")
    assert bench.outcomes[2] == b"OK"


def test_refusal_needs_no_replica(bench: Bench) -> None:
    bench.send(1)
    bench.say(b"-READONLY you cannot\r\n")
    assert bench.outcomes[1].check(ReplyError)
    bench.say(b":0\r\n")
    assert bench.heard() == REQUEST + WAIT


def test_wait_that_is_refused_ends_the_connection(bench: Bench) -> None:
    bench.send(1)
    bench.say(b"+OK\r\n-ERR WAIT cannot be used with replica instances\r\n")
    assert bench.outcomes[1].check(NotAcknowledged)
    assert bench.lost == [bench.link]


def test_lost_connection_fails_all_who_wait(bench: Bench) -> None:
    for number in range(3):
        bench.send(number)
    bench.say(b"+OK\r\n")
    bench.cut()
    assert all(outcome.check(LinkLost) for outcome in bench.outcomes.values())
    assert len(bench.outcomes) == 3
    bench.send(4)
    assert bench.outcomes[4].check(LinkLost)


def test_cancelled_wait_swallows_only_its_own_reply(bench: Bench) -> None:
    first = bench.send(1)
    bench.send(2)
    first.cancel()
    bench.say(b":1\r\n:2\r\n:2\r\n:2\r\n")
    assert bench.outcomes[2] == 2
