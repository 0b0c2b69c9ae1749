"""Rules of links: which packets are lost, which are late, in which order they arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.links import CUT, GOOD, Condition, Links, Underway, as_order, ends, obey

A, B = "10.77.0.1", "10.77.0.2"
A_RAW, B_RAW = bytes([10, 77, 0, 1]), bytes([10, 77, 0, 2])


def test_link_that_was_not_spoken_of_passes_everything_at_once() -> None:
    assert Links().condition(A_RAW, B_RAW).delay(0.0) == 0.0


def test_one_way_cut_leaves_the_other_direction() -> None:
    links = Links()
    links.put(A, B, CUT)
    assert links.condition(A_RAW, B_RAW).delay(0.99) is None
    assert links.condition(B_RAW, A_RAW).delay(0.99) == 0.0


def test_loss_takes_the_share_of_packets_that_it_says() -> None:
    lossy = Condition(loss=0.05)
    assert [lossy.delay(chance / 100) for chance in range(100)].count(None) == 5


def test_healed_links_are_good() -> None:
    links = Links()
    links.put(A, B, Condition(delay_s=0.2))
    links.heal()
    assert links.condition(A_RAW, B_RAW) == GOOD


def test_rule_means_the_same_after_its_way_through_json() -> None:
    links, condition = Links(), Condition(delay_s=0.2, loss=0.05)
    obey(links, as_order(A, B, condition))
    assert links.condition(A_RAW, B_RAW) == condition


def test_ends_are_those_of_the_header_and_nothing_else_has_any() -> None:
    header = bytes([0x45]) + bytes(11) + A_RAW + B_RAW
    assert ends(header + b"data") == (A_RAW, B_RAW)
    assert ends(bytes([0x60]) + bytes(39)) is None
    assert ends(header[:19]) is None


@given(st.lists(st.integers(0, 5)))
def test_late_packets_leave_when_due_in_the_order_of_their_times(dues: list[int]) -> None:
    underway = Underway()
    for number, due in enumerate(dues):
        underway.put(due, B_RAW, number.to_bytes(2, "big"))
    left = [int.from_bytes(packet, "big") for now in range(6) for _, packet in underway.due(now)]
    assert left == sorted(range(len(dues)), key=lambda number: dues[number])
    assert underway.next_due_s is None


def test_packets_beyond_the_bound_are_lost() -> None:
    underway = Underway(most=2)
    for number in range(3):
        underway.put(0.0, B_RAW, bytes([number]))
    assert [packet for _, packet in underway.due(0.0)] == [b"\0", b"\1"]
