"""How long a connection is waited for, with the clock turned by hand."""

from __future__ import annotations

from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from cluster_worker.http.channel import StreamingChannel
from cluster_worker.http.request import StreamingRequest
from cluster_worker.http.site import HttpLimits, StreamingSite

LIMITS = HttpLimits(
    header_timeout_s=30,
    idle_timeout_s=75,
    body_stall_timeout_s=60,
    response_stall_timeout_s=50,
    linger_timeout_s=5,
)


class Waiting(Resource):
    """Answers when told to."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[StreamingRequest] = []

    def render(self, request: StreamingRequest) -> int:
        self.requests.append(request)
        return NOT_DONE_YET


class Connection:
    """A channel on a transport in memory."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.resource = Waiting()
        self.site = StreamingSite(
            self.resource, clock=self.clock, limits=LIMITS, wall_clock=self.clock.seconds
        )
        self.transport = StringTransport()
        channel = self.site.buildProtocol(None)
        assert isinstance(channel, StreamingChannel)
        self.channel = channel
        self.channel.makeConnection(self.transport)

    def receive(self, data: bytes) -> None:
        self.channel.dataReceived(data)

    def wait(self, duration_s: float) -> None:
        self.clock.pump([1.0] * int(duration_s))

    def sent(self) -> bytes:
        return bytes(self.transport.value())

    def is_closing(self) -> bool:
        return bool(self.transport.disconnecting or self.transport.disconnected)

    def lose(self) -> None:
        self.channel.connectionLost(Failure(ConnectionLost()))
        assert self.clock.getDelayedCalls() == []


def test_a_silent_new_connection_is_closed() -> None:
    connection = Connection()
    connection.wait(29)
    assert not connection.is_closing()
    connection.wait(2)
    assert connection.is_closing()
    connection.lose()


def test_headers_that_trickle_do_not_move_the_deadline() -> None:
    connection = Connection()
    connection.receive(b"GET / HTTP/1.1\r\nX: ")
    for _ in range(29):
        connection.wait(1)
        connection.receive(b"x")
    assert not connection.is_closing()
    connection.wait(2)
    assert connection.sent().startswith(b"HTTP/1.1 408 ")
    connection.lose()


def test_headers_without_end_are_answered_408() -> None:
    connection = Connection()
    connection.receive(b"GET / HTTP/1.1\r\nHost: x\r\n")
    connection.wait(31)
    assert connection.sent().startswith(b"HTTP/1.1 408 ")
    connection.lose()


def test_an_idle_connection_is_closed_quietly() -> None:
    connection = Connection()
    connection.receive(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    connection.wait(1000)  # however long the answer takes
    assert not connection.is_closing()
    connection.resource.requests[0].finish()
    connection.transport.clear()
    connection.wait(74)
    assert not connection.is_closing()
    connection.wait(2)
    assert connection.is_closing()
    assert connection.sent() == b""
    connection.lose()


def test_a_body_that_stalls_is_answered_408_and_broken() -> None:
    connection = Connection()
    connection.receive(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
    for _ in range(5):
        connection.wait(59)
        connection.receive(b"x")
    assert not connection.is_closing()
    connection.wait(61)
    assert connection.sent().startswith(b"HTTP/1.1 408 ")
    assert connection.resource.requests[0].is_gone
    connection.lose()


def test_a_body_that_we_do_not_read_is_not_blamed_on_the_client() -> None:
    connection = Connection()
    connection.receive(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n")
    connection.receive(bytes(1024 * 1024))
    assert connection.transport.producerState == "paused"
    connection.wait(1000)
    assert not connection.is_closing()
    connection.lose()


def test_a_client_that_takes_nothing_is_dropped() -> None:
    connection = Connection()
    connection.receive(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    connection.resource.requests[0].write(b"x" * 1000)
    connection.channel.pauseProducing()
    connection.wait(49)
    assert not connection.is_closing()
    connection.wait(2)
    assert connection.is_closing()
    connection.lose()


def test_a_client_that_takes_a_little_is_kept() -> None:
    connection = Connection()
    connection.receive(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    connection.resource.requests[0].write(b"x" * 1000)
    for _ in range(5):
        connection.channel.pauseProducing()
        connection.wait(49)
        connection.channel.resumeProducing()
    assert not connection.is_closing()
    connection.lose()


def test_a_client_that_does_not_close_after_its_last_answer_is_dropped() -> None:
    connection = Connection()
    dropped: list[bool] = []
    connection.transport.abortConnection = lambda: dropped.append(True)  # type: ignore[method-assign]
    connection.receive(b"nonsense\r\n\r\n")
    assert connection.sent().startswith(b"HTTP/1.1 400 ")
    connection.wait(4)
    assert not dropped
    connection.wait(2)
    assert dropped == [True]
    connection.lose()
