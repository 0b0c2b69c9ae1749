"""Links over a transport in memory, on a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogLevel, capturedLogs
from twisted.python.failure import Failure

from cluster_worker.runtime.services import TaskOwner
from cluster_worker.wire.call_messages import Call, Cast
from cluster_worker.wire.conversation import Expectation, Side
from cluster_worker.wire.errors import BadRequest, LinkBusy, LinkClosed, RemoteFailure, RequestTimedOut
from cluster_worker.wire.frames import FRAME_LIMIT_B, encode_frame
from cluster_worker.wire.handlers import LinkLimits, LinkParts
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Failed, Hello, Ping, Result, Role, VersionRange
from cluster_worker.wire.messages import MESSAGES_BY_TYPE, Message
from cluster_worker.wire.protocol import LinkProtocol
from cluster_worker.wire.tls import BadCredentials

HELLO = Hello(VersionRange(1, 1), frozenset(), Role.WORKER, "worker@here", "op_worker", "1", "b")
ANY = Expectation(frozenset({Role.WORKER}))
CALL = Call("w", None, 1000, "payload")


class Transport(StringTransport):
    """Notes that it was aborted, and bears TCP options."""

    was_aborted = False

    def setTcpNoDelay(self, enabled: bool) -> None: ...

    def abortConnection(self) -> None:
        self.was_aborted = True


class Handler:
    """Answers with what the test says; remembers everything."""

    def __init__(self) -> None:
        self.opened: list[Link] = []
        self.closed: list[str] = []
        self.notices: list[Message] = []
        self.reply: Any = None

    def link_opened(self, link: Link) -> None:
        self.opened.append(link)

    async def handle_request(self, link: Link, message: Message) -> Message:
        if isinstance(self.reply, Exception):
            raise self.reply
        if isinstance(self.reply, Deferred):
            await self.reply
        return Result(message.payload if isinstance(message, Call) else None)

    def handle_notice(self, link: Link, message: Message) -> None:
        self.notices.append(message)
        if isinstance(self.reply, Exception):
            raise self.reply

    def link_closed(self, link: Link, reason: str) -> None:
        self.closed.append(reason)


class Pair:
    """Two ends of a link; ``flow`` carries bytes until nothing moves."""

    def __init__(self, clock: Clock, limits: LinkLimits | None = None) -> None:
        self.clock = clock
        self.handlers = Handler(), Handler()
        self.transports = Transport(), Transport()
        self.ends = tuple(
            LinkProtocol(self._link(handler, side, limits or LinkLimits()), lambda _: "worker@here")
            for handler, side in zip(self.handlers, (Side.CALLING, Side.ANSWERING), strict=True)
        )
        for end, transport in zip(self.ends, self.transports, strict=True):
            end.makeConnection(transport)

    def _link(self, handler: Handler, side: Side, limits: LinkLimits) -> Link:
        parts = LinkParts(
            clock=self.clock, hello=lambda: HELLO, handler=handler, tasks=TaskOwner(), limits=limits
        )
        return Link(parts, ANY, side)

    @property
    def caller(self) -> Link:
        return self.ends[0].link

    @property
    def callee(self) -> Link:
        return self.ends[1].link

    def flow(self) -> None:
        moved = True
        while moved:
            moved = False
            for source, target in ((0, 1), (1, 0)):
                data = self.transports[source].value()
                self.transports[source].clear()
                if data:
                    moved = True
                    self.ends[target].dataReceived(data)

    def open(self) -> Pair:
        for end in self.ends:
            end.handshakeCompleted()
        self.flow()
        assert self.caller.is_open and self.callee.is_open
        return self

    def lose(self) -> None:
        for end in self.ends:
            end.connectionLost(Failure(ConnectionError("cut")))


@pytest.fixture
def clock() -> Iterator[Clock]:
    made = Clock()
    yield made
    assert made.getDelayedCalls() == []


def start(work: Any) -> tuple[list[Any], Deferred[Any]]:
    done: list[Any] = []
    deferred = Deferred.fromCoroutine(work)
    deferred.addBoth(lambda result: done.append(result.value if isinstance(result, Failure) else result))
    return done, deferred


def test_request_is_answered_with_the_handlers_reply(clock: Clock) -> None:
    pair = Pair(clock).open()
    done, _ = start(pair.caller.request(CALL, 5.0))
    pair.flow()
    assert done == [Result("payload")]
    pair.lose()


def test_waiting_for_the_opening_ends_when_both_greeted(clock: Clock) -> None:
    pair = Pair(clock)
    done, _ = start(pair.caller.opened())
    assert done == []
    pair.open()
    assert done == [pair.caller.peer] and pair.handlers[0].opened == [pair.caller]
    pair.lose()


def test_waiting_for_an_opening_that_never_comes_fails(clock: Clock) -> None:
    pair = Pair(clock)
    done, _ = start(pair.caller.opened())
    pair.lose()
    assert isinstance(done[0], LinkClosed) and pair.handlers[0].closed == []
    later, _ = start(pair.caller.opened())
    assert isinstance(later[0], LinkClosed)


def test_peer_that_does_not_greet_is_dropped_in_time(clock: Clock) -> None:
    pair = Pair(clock)
    clock.advance(9.9)
    assert not pair.transports[1].disconnecting
    clock.advance(0.2)
    assert pair.transports[1].disconnecting
    clock.advance(5.0)
    assert pair.transports[1].was_aborted
    pair.lose()


def test_certificate_without_a_name_ends_the_link(clock: Clock) -> None:
    pair = Pair(clock)

    def refuse(_: object) -> str:
        raise BadCredentials("the certificate names no node")

    pair.ends[1]._identify = refuse
    pair.ends[1].handshakeCompleted()
    assert pair.transports[1].disconnecting and pair.transports[1].value() == b""
    pair.lose()


def test_link_that_ends_fails_what_waits_on_it(clock: Clock) -> None:
    pair = Pair(clock).open()
    done, _ = start(pair.caller.request(CALL, 5.0))
    pair.lose()
    assert isinstance(done[0], LinkClosed)
    assert pair.handlers[0].closed == ["cut"]
    again, _ = start(pair.caller.request(CALL, 5.0))
    assert isinstance(again[0], LinkClosed)


def test_request_without_reply_times_out(clock: Clock) -> None:
    pair = Pair(clock).open()
    done, _ = start(pair.caller.request(CALL, 1.0))
    clock.advance(1.1)
    assert isinstance(done[0], RequestTimedOut)
    pair.lose()


def test_failing_handler_is_logged_and_answered_without_its_secrets(clock: Clock) -> None:
    pair = Pair(clock).open()
    pair.handlers[1].reply = ValueError("secret")
    with capturedLogs() as logs:
        done, _ = start(pair.caller.request(CALL, 5.0))
        pair.flow()
    assert isinstance(done[0], RemoteFailure) and done[0].code == "internal"
    assert "secret" not in str(done[0])
    assert [event["log_level"] for event in logs] == [LogLevel.critical]
    pair.lose()


def test_bad_request_of_a_handler_is_told_to_the_caller(clock: Clock) -> None:
    pair = Pair(clock).open()
    pair.handlers[1].reply = BadRequest("no such worker")
    done, _ = start(pair.caller.request(CALL, 5.0))
    pair.flow()
    assert isinstance(done[0], RemoteFailure) and done[0].code == "badRequest"
    assert pair.caller.is_open
    pair.lose()


def test_failing_notice_does_not_cost_the_link(clock: Clock) -> None:
    pair = Pair(clock).open()
    pair.handlers[1].reply = ValueError("bug")
    with capturedLogs() as logs:
        pair.caller.notify(Cast("w", 1))
        pair.flow()
    assert pair.handlers[1].notices == [Cast("w", 1)] and len(logs) == 1
    assert pair.callee.is_open
    pair.lose()


def test_more_requests_than_are_served_at_once_are_refused(clock: Clock) -> None:
    pair = Pair(clock, LinkLimits(max_serving=2)).open()
    gate: Deferred[None] = Deferred()
    pair.handlers[1].reply = gate
    results = [start(pair.caller.request(CALL, 5.0))[0] for _ in range(3)]
    pair.flow()
    assert pair.callee.serving == 2 and pair.caller.waiting == 2
    assert isinstance(results[2][0], RemoteFailure) and results[2][0].code == "overloaded"
    gate.callback(None)
    pair.flow()
    assert results[0] == [Result("payload")] and pair.callee.serving == 0
    pair.lose()


def test_reply_that_is_too_large_becomes_an_error(clock: Clock) -> None:
    pair = Pair(clock).open()
    big = evolve(CALL, payload="x")
    pair.handlers[1].handle_request = returns(Result(b"x" * FRAME_LIMIT_B))  # type: ignore[method-assign]
    done, _ = start(pair.caller.request(big, 5.0))
    pair.flow()
    assert isinstance(done[0], RemoteFailure) and done[0].code == "badReply"
    pair.lose()


def test_request_that_cannot_be_sent_leaves_nothing_waiting(clock: Clock) -> None:
    pair = Pair(clock).open()
    done, _ = start(pair.caller.request(evolve(CALL, payload=object()), 5.0))
    assert isinstance(done[0], BadRequest)
    assert pair.caller.waiting == 0 and pair.caller.is_open
    pair.lose()


def test_silent_peer_is_pinged_and_then_dropped(clock: Clock) -> None:
    pair = Pair(clock).open()
    clock.pump([5.0])
    assert pair.transports[0].value() != b""
    clock.pump([5.0, 5.0])
    assert pair.transports[0].disconnecting
    pair.lose()
    assert pair.handlers[0].closed == ["nothing was heard for 15 s"]


def test_peer_that_answers_pings_is_kept(clock: Clock) -> None:
    pair = Pair(clock).open()
    for _ in range(20):
        clock.advance(5.0)
        pair.flow()
    assert pair.caller.is_open and pair.caller.waiting == 0
    pair.lose()


def test_closing_says_goodbye_with_the_reason(clock: Clock) -> None:
    pair = Pair(clock).open()
    pair.caller.close("enough")
    pair.flow()
    pair.lose()
    assert pair.handlers[1].closed == ["the peer said goodbye: enough"]
    assert pair.handlers[0].closed == ["enough"]


def test_oversized_frame_drops_the_link_at_once(clock: Clock) -> None:
    pair = Pair(clock).open()
    pair.ends[1].dataReceived((FRAME_LIMIT_B + 1).to_bytes(4, "big"))
    assert pair.transports[1].disconnecting
    pair.lose()
    assert "over the limit" in pair.handlers[1].closed[0]


def test_stranger_may_not_send_large_frames(clock: Clock) -> None:
    pair = Pair(clock)
    pair.ends[1].handshakeCompleted()
    pair.ends[1].dataReceived((20000).to_bytes(4, "big"))
    assert pair.transports[1].disconnecting
    pair.lose()


def test_peer_that_does_not_read_is_refused_more_and_then_dropped(clock: Clock) -> None:
    pair = Pair(clock, LinkLimits(max_unsent_b=1000)).open()
    pair.ends[0].pauseProducing()
    start(pair.caller.request(evolve(CALL, payload="x" * 600), 5.0))
    refused, _ = start(pair.caller.request(CALL, 5.0))
    assert isinstance(refused[0], LinkBusy)
    pair.caller.notify(Cast("w", "x" * 600))
    assert pair.transports[0].was_aborted
    pair.lose()


def test_transport_with_room_again_forgets_the_congestion(clock: Clock) -> None:
    pair = Pair(clock, LinkLimits(max_unsent_b=1000)).open()
    pair.ends[0].pauseProducing()
    pair.caller.notify(Cast("w", "x" * 600))
    pair.ends[0].resumeProducing()
    pair.caller.notify(Cast("w", "x" * 600))
    assert not pair.transports[0].was_aborted
    pair.lose()


def test_notice_on_a_closed_link_is_lost_silently(clock: Clock) -> None:
    pair = Pair(clock).open()
    pair.lose()
    pair.caller.notify(Ping())
    pair.caller.close("again")


def returns(reply: Message) -> Any:
    async def handle(link: Link, message: Message) -> Message:
        return reply

    return handle


def test_error_replies_keep_their_details(clock: Clock) -> None:
    pair = Pair(clock).open()
    pair.handlers[1].handle_request = returns(Failed("onedata", "no", {"id": "posix"}))  # type: ignore[method-assign]
    done, _ = start(pair.caller.request(CALL, 5.0))
    pair.flow()
    assert done[0].details == {"id": "posix"} and done[0].description == "no"
    pair.lose()


@given(st.booleans(), st.lists(st.binary(max_size=200), max_size=6))
def test_any_bytes_from_a_peer_end_at_most_its_own_link(is_open: bool, pieces: list[bytes]) -> None:
    clock = Clock()
    pair = Pair(clock)
    if is_open:
        pair.open()
    else:
        pair.ends[1].handshakeCompleted()
    for piece in pieces:
        pair.ends[1].dataReceived(piece)
        assert pair.ends[1]._decoder.buffered_b <= FRAME_LIMIT_B + 4
    pair.lose()
    assert clock.getDelayedCalls() == []


framed = st.builds(
    encode_frame,
    st.just(1),
    st.sampled_from(sorted(MESSAGES_BY_TYPE)) | st.integers(0, 255),
    st.integers(0, 3),
    st.binary(max_size=40) | st.sampled_from([b"\x90", b"\x94\xa1w\xc0\x01\xc0", b"\x92\xa1w\xc0"]),
)


@given(st.lists(framed, max_size=8))
def test_any_frames_on_an_open_link_are_answered_or_end_it(frames: list[bytes]) -> None:
    clock = Clock()
    pair = Pair(clock).open()
    pair.ends[1].dataReceived(b"".join(frames))
    pair.transports[1].clear()
    pair.lose()
    assert clock.getDelayedCalls() == [] and pair.callee.serving == 0
