"""Load advice: who gives work away, to whom, and how the next round is damped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_manager.assignment import LEAST_LOAD, NodeLoad, assign, give_away, load_of

loads = st.dictionaries(st.sampled_from("abcdef"), st.floats(0.1, 100), min_size=1)
discounts = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 0.99))


def test_load_weighs_cpu_three_times_as_much_as_memory() -> None:
    assert load_of(NodeLoad(cpu=80, mem=40, at=0), now=0.5, stale_s=1) == 70
    assert load_of(NodeLoad(cpu=0, mem=0, at=0), now=0.5, stale_s=1) == LEAST_LOAD


def test_silent_node_counts_as_fully_loaded() -> None:
    assert load_of(NodeLoad(cpu=0, mem=20, at=0), now=1.1, stale_s=1) == 80
    assert load_of(None, now=0, stale_s=1) == 100


@pytest.mark.parametrize(
    ("own", "delegates"),
    [
        ({"a": 90, "b": 10}, True),
        ({"a": 29, "b": 1}, False),
        ({"a": 90, "b": 70}, False),
        ({"a": 50, "b": 50}, False),
    ],
)
def test_node_is_overloaded_above_30_the_average_and_half_more_than_the_least(
    own: dict[str, float], delegates: bool
) -> None:
    assert assign(own, {}).advice["a"].should_delegate is delegates


def test_overloaded_node_keeps_least_over_load_and_shares_the_rest() -> None:
    advice = assign({"a": 80, "b": 20}, {}).advice
    assert dict(advice["a"].shares) == pytest.approx({"a": 0.2, "b": 0.8})
    assert dict(advice["b"].shares) == {"b": 1.0}


def test_two_overloaded_nodes_give_each_half_as_much_to_the_third() -> None:
    advice = assign({"a": 80, "b": 80, "c": 10}, {}).advice
    assert dict(advice["a"].shares) == pytest.approx(
        {"a": 0.125 / 0.6875, "b": 0.0625 / 0.6875, "c": 0.5 / 0.6875}
    )


def test_node_that_was_given_work_is_discounted_in_the_next_round() -> None:
    first = assign({"a": 80, "b": 20}, {})
    assert first.discounts == pytest.approx({"b": 0.8 / 1.8})
    second = assign({"a": 40, "b": 40}, first.discounts)
    assert second.advice["a"].should_delegate and not second.advice["b"].should_delegate


def test_no_nodes_need_no_advice() -> None:
    assert assign({}, {}).advice == {}


@given(loads, discounts)
def test_shares_sum_up_to_one_and_the_least_loaded_never_delegates(
    own: dict[str, float], before: dict[str, float]
) -> None:
    result = assign(own, before)
    assert set(result.advice) == set(own)
    for node, advice in result.advice.items():
        assert sum(share for _, share in advice.shares) == pytest.approx(1)
        assert all(share >= 0 for _, share in advice.shares)
        if not advice.should_delegate:
            assert dict(advice.shares)[node] == 1
    assert not all(advice.should_delegate for advice in result.advice.values())
    assert all(0 < discount < 1 for discount in result.discounts.values())


def test_draining_node_gives_all_away_most_to_who_has_least_to_do() -> None:
    advice = give_away("z", {"a": 10.0, "b": 30.0})
    assert advice.should_delegate and dict(advice.shares) == pytest.approx({"z": 0.0, "a": 0.75, "b": 0.25})
    assert not give_away("z", {}).should_delegate
