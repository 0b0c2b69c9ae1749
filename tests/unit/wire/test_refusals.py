"""Counting what is refused, and connections that have not greeted."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.logger import capturedLogs

from cluster_worker.wire.half_open import HalfOpen
from cluster_worker.wire.refusals import Reason, Refusals


def test_refusals_are_counted_each_and_told_once_for_each_peer_and_reason() -> None:
    refusals = Refusals()
    with capturedLogs() as events:
        for peer in ("a", "b", "a", "a"):
            refusals.count(Reason.IDENTITY, peer, "it lies")
        refusals.count(Reason.EPOCH, "a", "it lies")
    assert refusals.counts[Reason.IDENTITY] == 4 and refusals.counts[Reason.EPOCH] == 1
    assert [(event["peer"], event["reason"]) for event in events] == [
        ("a", "identity"),
        ("b", "identity"),
        ("a", "epoch"),
    ]


def test_every_reason_has_a_count_from_the_start() -> None:
    assert dict(Refusals().counts) == dict.fromkeys(Reason, 0)


def test_every_reason_has_a_row_in_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "wire-protocol.md").read_text()
    rows = re.findall(
        r"^\| `([a-z_]+)` \| ", page.partition("### What is refused")[2].partition("\n## ")[0], re.M
    )
    assert rows == [reason.value for reason in Reason]


def test_peers_that_were_told_of_take_bounded_memory() -> None:
    refusals = Refusals()
    for number in range(10_000):
        refusals.count(Reason.TLS, f"peer {number}", "no")
    assert len(refusals._logged) < 5_000 and refusals.counts[Reason.TLS] == 10_000


def test_one_address_cannot_take_all_places_before_the_greeting() -> None:
    half_open = HalfOpen(most=3, most_of_one=2)
    assert [half_open.enter("a") for _ in range(3)] == [True, True, False]
    assert [half_open.enter("b") for _ in range(2)] == [True, False]


def test_place_is_free_again_when_its_connection_has_greeted_or_ended() -> None:
    half_open = HalfOpen(most=1, most_of_one=1)
    assert half_open.enter("a") and not half_open.enter("b")
    half_open.leave("a")
    assert half_open.enter("b") and len(half_open) == 1
