"""Bodies move in order, bounded, and never lose their end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from cluster_worker.runtime.streams import BoundedStream, BytesStream, StreamBroken, read_all


def now(work: object) -> object:
    """The result of a coroutine that must not have to wait."""
    results: list[object] = []
    Deferred.fromCoroutine(work).addBoth(results.append)  # type: ignore[arg-type]  # any coroutine
    assert results, "the coroutine waits"
    return results[0]


def make(events: list[str], high_b: int = 10, low_b: int = 2) -> BoundedStream:
    return BoundedStream(
        lambda: events.append("pause"), lambda: events.append("resume"), high_b=high_b, low_b=low_b
    )


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=20))
def test_what_goes_in_comes_out_in_order(pieces: list[bytes]) -> None:
    stream = make([])
    for piece in pieces:
        stream.push(piece)
    stream.end()
    assert now(read_all(stream, 10_000)) == b"".join(pieces)


def test_the_producer_is_paused_above_the_mark_and_resumed_when_drained() -> None:
    events: list[str] = []
    stream = make(events)
    stream.push(b"x" * 8)
    assert events == []
    stream.push(b"y" * 8)
    assert events == ["pause"]
    now(stream.read())
    assert events == ["pause"]
    now(stream.read())
    assert events == ["pause", "resume"]


def test_a_waiting_reader_wakes_when_a_piece_arrives() -> None:
    stream = make([])
    results: list[bytes] = []
    Deferred.fromCoroutine(stream.read()).addCallback(results.append)
    assert results == []
    stream.push(b"late")
    assert results == [b"late"]


def test_a_broken_source_reaches_the_reader_instead_of_a_short_end() -> None:
    stream = make([])
    stream.push(b"half")
    stream.fail(StreamBroken("gone"))
    failures: list[object] = []
    Deferred.fromCoroutine(stream.read()).addErrback(failures.append)
    assert failures
    assert failures[0].check(StreamBroken)  # type: ignore[attr-defined]  # a Failure


def test_the_end_is_read_again_and_again() -> None:
    stream = BytesStream(b"all")
    assert [now(stream.read()) for _ in range(3)] == [b"all", b"", b""]


@pytest.mark.parametrize(("limit_b", "expected"), [(3, b"abc"), (2, None)])
def test_a_collected_body_longer_than_its_limit_is_none(limit_b: int, expected: bytes | None) -> None:
    assert now(read_all(BytesStream(b"abc"), limit_b)) == expected
