"""The bounded body of a request."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from cluster_worker.http.request_body import RequestBody
from cluster_worker.runtime.streams import StreamBroken


class Gate:
    """Notes what a body asks of its connection."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def pause_body(self) -> None:
        self.asked.append("pause")

    def resume_body(self) -> None:
        self.asked.append("resume")

    def send_continue(self) -> None:
        self.asked.append("continue")


def make(gate: Gate, length_b: int | None = 100, *, wants_continue: bool = False) -> RequestBody:
    return RequestBody(gate, length_b, piece_b=10, waiting_b=20, wants_continue=wants_continue)


def reading(body: RequestBody) -> list[bytes | Exception]:
    """Start a read; the list gets its outcome."""
    outcome: list[bytes | Exception] = []
    work = Deferred.fromCoroutine(body.read())
    work.addCallbacks(outcome.append, lambda failure: outcome.append(failure.value))
    return outcome


def test_a_read_waits_for_a_piece_of_good_size() -> None:
    body = make(Gate())
    outcome = reading(body)
    body.push(b"12345")
    assert outcome == []
    body.push(b"67890x")
    assert outcome == [b"1234567890x"]


def test_the_end_of_the_body_gives_what_there_is() -> None:
    body = make(Gate())
    outcome = reading(body)
    body.push(b"12345")
    body.end()
    assert outcome == [b"12345"]
    assert reading(body) == [b""]
    assert reading(body) == [b""]


def test_the_socket_is_paused_while_too_much_waits() -> None:
    gate = Gate()
    body = make(gate)
    body.push(bytes(20))
    assert gate.asked == []
    body.push(b"x")
    body.push(b"y")
    assert gate.asked == ["pause"]
    assert reading(body) == [bytes(20) + b"xy"]
    assert gate.asked == ["pause", "resume"]


def test_continue_is_asked_for_once_by_the_first_read() -> None:
    gate = Gate()
    body = make(gate, wants_continue=True)
    outcome = reading(body)
    assert gate.asked == ["continue"]
    body.push(bytes(10))
    assert outcome == [bytes(10)]
    reading(body)
    assert gate.asked == ["continue"]


def test_no_continue_for_a_client_that_sends_already() -> None:
    gate = Gate()
    body = make(gate, wants_continue=True)
    body.push(b"x")
    reading(body)
    assert gate.asked == []


def test_a_broken_body_drops_what_waits_and_tells_the_reader() -> None:
    body = make(Gate())
    outcome = reading(body)
    body.push(b"123")
    body.fail(StreamBroken("gone"))
    assert [type(each) for each in outcome] == [StreamBroken]
    assert [type(each) for each in reading(body)] == [StreamBroken]


def test_a_body_that_ended_cannot_break() -> None:
    body = make(Gate())
    body.end()
    body.fail(StreamBroken("gone"))
    assert reading(body) == [b""]


def test_a_discarded_body_takes_no_memory_and_resumes_the_socket() -> None:
    gate = Gate()
    body = make(gate)
    body.push(bytes(21))
    body.discard()
    body.push(bytes(30))
    body.end()
    assert gate.asked == ["pause", "resume"]
    assert body.missing_b == 49
    assert reading(body) == [b""]


def test_a_cancelled_read_can_be_repeated() -> None:
    body = make(Gate())
    work = Deferred.fromCoroutine(body.read())
    work.addErrback(lambda failure: None)
    work.cancel()
    outcome = reading(body)
    body.push(bytes(10))
    assert outcome == [bytes(10)]


@pytest.mark.parametrize("length_b", [None, 100])
def test_what_is_missing_is_known_when_announced(length_b: int | None) -> None:
    body = make(Gate(), length_b)
    body.push(bytes(30))
    assert body.missing_b == (None if length_b is None else 70)
