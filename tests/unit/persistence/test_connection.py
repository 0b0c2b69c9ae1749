"""The connection that comes back, on a clock that the test turns and a wire that it holds."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from zope.interface import implementer

from cluster_worker.persistence.address import RedisAddress
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.connection import RedisConnection, Uses
from cluster_worker.persistence.engine import OutcomeUnknown, PersistenceError, PersistenceUnavailable
from cluster_worker.persistence.link import RedisLink
from cluster_worker.persistence.requests import Requests
from cluster_worker.persistence.scripts import ALL

GET = b"*1\r\n$3\r\nGET\r\n"


class Wire(StringTransport):
    """A transport that the test cuts; aborting cuts it too."""

    link: Any = None
    is_cut = False

    def cut(self) -> None:
        if not self.is_cut:
            self.is_cut = True
            self.link.connectionLost(Failure(ConnectionDone()))

    def abortConnection(self) -> None:
        self.cut()

    def loseConnection(self) -> None:
        self.cut()


@implementer(IStreamClientEndpoint)
class Server:
    """An endpoint; ``wires`` are the connections made, the newest last."""

    def __init__(self) -> None:
        self.is_up = True
        self.attempts = 0
        self.wires: list[Wire] = []

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        self.attempts += 1
        if not self.is_up:
            return fail(ConnectionRefusedError())
        wire = Wire()
        wire.link = protocolFactory.buildProtocol(None)  # type: ignore[arg-type]  # no address
        self.wires.append(wire)
        connected: Deferred[IProtocol] = Deferred()
        connected.callback(wire.link)
        wire.link.makeConnection(wire)
        return connected

    def say(self, data: bytes) -> None:
        """Answer on the newest connection."""
        self.wires[-1].link.dataReceived(data)

    def heard(self) -> bytes:
        """Return what came over the newest connection since the last time."""
        data: bytes = self.wires[-1].value()
        self.wires[-1].clear()
        return data

    def let_in(self) -> None:
        """Answer the log-in."""
        assert self.heard().count(b"LOAD") == len(ALL)
        self.say(b"$1\r\nx\r\n" * len(ALL))


class Bench:
    """A connection on a clock, and its server."""

    def __init__(self, **options: Any) -> None:
        self.clock, self.server = Clock(), Server()
        self.config = RedisConfig(patience_s=1.0, reply_timeout_s=2.0, ping_interval_s=10.0)
        self.messages: list[tuple[bytes, bytes]] = []
        self.connection = RedisConnection(
            self.clock,
            self.server,
            RedisAddress(host="there", **options),
            self.config,
            Uses(on_message=lambda channel, payload: self.messages.append((channel, payload))),
            jitter=lambda: 0.0,
        )
        self.requests = Requests(self.clock, self.connection, 1.0)

    def start(self) -> Bench:
        self.connection.startService()
        self.server.let_in()
        return self

    def pass_time(self, duration_s: float) -> None:
        for _ in range(round(duration_s / 0.1)):
            self.clock.advance(0.1)


@pytest.fixture()
def bench() -> Bench:
    return Bench()


def call(work: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    """Start a call; its failure is looked at later."""
    return Deferred.fromCoroutine(work)


def failure_of(result: Deferred[Any]) -> Exception:
    """Return why a call failed, now."""
    caught: list[Failure] = []
    result.addErrback(caught.append)
    (failure,) = caught
    assert isinstance(failure.value, Exception)
    return failure.value


def value_of(result: Deferred[Any]) -> Any:
    """Return what a call gave, now."""
    values: list[Any] = []
    result.addCallback(values.append)
    (value,) = values
    return value


def test_request_goes_out_at_once_and_gets_its_reply(bench: Bench) -> None:
    bench.start()
    first, second = call(bench.requests.ask(b"", GET)), call(bench.requests.ask_once(b"", GET))
    assert bench.server.heard() == GET + GET
    bench.server.say(b":1\r\n$1\r\na\r\n")
    assert (value_of(first), value_of(second)) == (1, b"a")


def test_request_before_the_log_in_waits_for_it(bench: Bench) -> None:
    bench.connection.startService()
    reply = call(bench.requests.ask_once(b"", GET))
    assert GET not in bench.server.wires[-1].value()
    bench.server.let_in()
    assert bench.server.heard() == GET
    bench.server.say(b":1\r\n")
    assert value_of(reply) == 1


def test_waiting_ends_when_patience_does(bench: Bench) -> None:
    bench.server.is_up = False
    bench.connection.startService()
    reply = call(bench.requests.ask(b"", GET))
    bench.pass_time(0.9)
    assert not reply.called
    bench.pass_time(0.2)
    assert isinstance(failure_of(reply), PersistenceUnavailable)


def test_read_is_sent_again_over_the_next_connection(bench: Bench) -> None:
    bench.start()
    reply = call(bench.requests.ask(b"", GET))
    bench.server.wires[-1].cut()
    bench.pass_time(0.2)
    bench.server.let_in()
    assert bench.server.heard() == GET
    bench.server.say(b":1\r\n")
    assert value_of(reply) == 1


def test_write_is_never_sent_again_over_the_next_connection(bench: Bench) -> None:
    bench.start()
    reply = call(bench.requests.ask_once(b"", GET))
    bench.server.wires[-1].cut()
    assert isinstance(failure_of(reply), OutcomeUnknown)
    bench.pass_time(0.2)
    bench.server.let_in()
    assert bench.server.heard() == b""


def test_silent_server_is_given_up_and_tried_anew(bench: Bench) -> None:
    bench.start()
    reply = call(bench.requests.ask_once(b"", GET))
    bench.pass_time(1.9)
    assert not reply.called
    bench.pass_time(0.7)
    assert isinstance(failure_of(reply), OutcomeUnknown)
    bench.pass_time(0.2)
    assert len(bench.server.wires) == 2


def test_slow_but_talking_server_is_kept(bench: Bench) -> None:
    bench.start()
    replies = [call(bench.requests.ask(b"", GET)) for _ in range(4)]
    for reply in replies:
        bench.pass_time(1.5)
        bench.server.say(b":1\r\n")
        assert value_of(reply) == 1
    assert len(bench.server.wires) == 1


def test_idle_connection_is_pinged(bench: Bench) -> None:
    bench.start()
    bench.pass_time(9.5)
    assert bench.server.heard() == b""
    bench.pass_time(1.5)
    assert b"PING" in bench.server.heard()
    bench.pass_time(3.0)
    assert len(bench.server.wires) == 2


def test_loading_server_is_asked_again_within_patience(bench: Bench) -> None:
    bench.start()
    reply = call(bench.requests.ask_once(b"", GET))
    for _ in range(3):
        assert bench.server.heard() == GET
        bench.server.say(b"-LOADING the data set\r\n")
        bench.pass_time(0.1)
    bench.server.say(b":1\r\n")
    assert value_of(reply) == 1


def test_server_that_only_loads_is_unavailable_in_the_end(bench: Bench) -> None:
    bench.start()
    reply = call(bench.requests.ask_once(b"", GET))
    for _ in range(15):
        if bench.server.heard():
            bench.server.say(b"-LOADING the data set\r\n")
        bench.pass_time(0.1)
    failure = failure_of(reply)
    assert isinstance(failure, PersistenceUnavailable)
    assert not isinstance(failure, OutcomeUnknown)


def test_unknown_script_is_taught_and_run_again(bench: Bench) -> None:
    bench.start()
    reply = call(bench.requests.ask_once(b"", GET))
    bench.server.heard()
    bench.server.say(b"-NOSCRIPT No matching script\r\n")
    bench.server.let_in()
    assert bench.server.heard() == GET
    bench.server.say(b":1\r\n")
    assert value_of(reply) == 1


def test_refusal_of_a_full_server_is_told_at_once(bench: Bench) -> None:
    bench.start()
    for refusal, expected in ((b"-OOM no memory", PersistenceUnavailable), (b"-ERR a bug", PersistenceError)):
        reply = call(bench.requests.ask_once(b"", GET))
        bench.server.say(refusal + b"\r\n")
        assert type(failure_of(reply)) is expected


def test_failed_attempts_come_at_growing_distances_up_to_a_bound(bench: Bench) -> None:
    bench.server.is_up = False
    bench.connection.startService()
    bench.pass_time(20)
    assert 40 <= bench.server.attempts <= 70


def test_refused_log_in_is_retried_with_the_same_backoff() -> None:
    bench = Bench(password="word")
    bench.connection.startService()
    for _ in range(200):
        if b"AUTH" in bench.server.heard():
            bench.server.say(b"-WRONGPASS invalid\r\n")
        bench.pass_time(0.1)
    assert 40 <= len(bench.server.wires) <= 70
    reply = call(bench.requests.ask(b"", GET))
    bench.pass_time(1.2)
    assert "WRONGPASS" in str(failure_of(reply))


def test_cancelled_wait_swallows_only_its_own_reply(bench: Bench) -> None:
    bench.start()
    first, second = call(bench.requests.ask_once(b"", GET)), call(bench.requests.ask_once(b"", GET))
    first.addErrback(lambda _: None)
    first.cancel()
    bench.server.say(b":1\r\n:2\r\n")
    assert value_of(second) == 2


def test_cancelled_wait_for_a_connection_leaves_nothing_behind(bench: Bench) -> None:
    bench.server.is_up = False
    bench.connection.startService()
    reply = call(bench.requests.ask_once(b"", GET))
    reply.addErrback(lambda _: None)
    reply.cancel()
    bench.server.is_up = True
    bench.pass_time(0.5)
    bench.server.let_in()
    assert bench.server.heard() == b""


def test_message_of_a_subscription_is_no_reply(bench: Bench) -> None:
    bench.start()
    reply = call(bench.requests.ask(b"", GET))
    bench.server.say(b"*3\r\n$7\r\nmessage\r\n$4\r\nfeed\r\n$5\r\nspace\r\n:1\r\n")
    assert value_of(reply) == 1
    assert bench.messages == [(b"feed", b"space")]


@pytest.mark.parametrize("data", [b":1\r\n", b"?\r\n"])
def test_reply_to_nothing_ends_the_connection(bench: Bench, data: bytes) -> None:
    bench.start()
    bench.server.say(data)
    bench.pass_time(0.3)
    assert len(bench.server.wires) == 2


def test_commands_of_txredisapi_work_on_our_connection(bench: Bench) -> None:
    bench.start()
    link = bench.connection.link
    assert isinstance(link, RedisLink)
    reply = link.hset("key", "field", 5)
    assert bench.server.heard() == b"*4\r\n$4\r\nHSET\r\n$3\r\nkey\r\n$5\r\nfield\r\n$1\r\n5\r\n"
    bench.server.say(b":1\r\n")
    assert value_of(reply) == 1


def test_stop_fails_who_waits_and_leaves_no_timer(bench: Bench) -> None:
    bench.start()
    sent = call(bench.requests.ask_once(b"", GET))
    ready = bench.connection.wait_ready()
    value_of(call(ready))
    stopped = bench.connection.stopService()
    assert isinstance(failure_of(sent), OutcomeUnknown)
    value_of(stopped)
    assert isinstance(failure_of(call(bench.requests.ask(b"", GET))), PersistenceUnavailable)
    assert bench.clock.getDelayedCalls() == []


def test_stop_while_nobody_answers_leaves_no_timer(bench: Bench) -> None:
    bench.server.is_up = False
    bench.connection.startService()
    waiting = call(bench.requests.ask(b"", GET))
    bench.pass_time(0.3)
    value_of(bench.connection.stopService())
    assert isinstance(failure_of(waiting), PersistenceUnavailable)
    assert bench.clock.getDelayedCalls() == []


def test_password_is_never_logged() -> None:
    with capturedLogs() as events:
        bench = Bench(password="s3cret")
        bench.connection.startService()
        bench.server.say(b"-WRONGPASS invalid\r\n")
        bench.pass_time(1.0)
    assert any("WRONGPASS" in event.get("trouble", "") for event in events)
    assert "s3cret" not in repr(events)
