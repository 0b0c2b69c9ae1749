"""Pauses between attempts to reach the zone, and refusals remembered for a moment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import TokenInvalid
from op_worker.zone.backoff import Backoff
from op_worker.zone.refusals import Refusals


def test_pauses_grow_by_the_factor_up_to_the_limit() -> None:
    backoff = Backoff(lambda: 0.5)
    delays = [backoff.next_delay_s() for _ in range(9)]
    assert delays[:3] == pytest.approx([3.0, 4.05, 5.4675])
    assert delays[-2:] == [20.0, 20.0]


def test_success_starts_the_pauses_over() -> None:
    backoff = Backoff(lambda: 0.5)
    for _ in range(5):
        backoff.next_delay_s()
    backoff.reset()
    assert backoff.next_delay_s() == pytest.approx(3.0)


@given(st.floats(0, 1, exclude_max=True))
def test_chance_spreads_a_pause_around_its_value(chance: float) -> None:
    assert 2.7 <= Backoff(lambda: chance).next_delay_s() <= 3.3001


def test_refusal_is_remembered_only_for_a_moment() -> None:
    refusals, refusal = Refusals(10.0), TokenInvalid()
    refusals.note("t", refusal, 0.0)
    assert refusals.find("t", 9.9) is refusal
    assert refusals.find("t", 10.0) is None
    assert refusals.find("other", 0.0) is None


def test_number_of_remembered_refusals_is_bounded() -> None:
    refusals = Refusals(10.0, most=2)
    for name in "abc":
        refusals.note(name, TokenInvalid(), 0.0)
    assert refusals.find("a", 1.0) is None
    assert refusals.find("c", 1.0) is not None
