"""When a lease is renewed and given up: a holder never believes in what the store has forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.tenure.timing import GiveUp, Hold, Renew, Rest, TenureTimes

TIMES = TenureTimes()


def test_lease_is_renewed_a_second_after_it_was_asked_for() -> None:
    hold = Hold(granted_s=10.0)
    assert hold.decide(TIMES, 10.25) == Rest(0.75)
    assert hold.decide(TIMES, 11.0) == Renew()


def test_lease_that_was_not_renewed_is_given_up_before_it_runs_out() -> None:
    hold = Hold(granted_s=10.0)
    assert hold.decide(TIMES, 12.49) == Renew()
    assert hold.decide(TIMES, 12.5) == GiveUp()


def test_answer_that_comes_late_counts_from_when_it_was_asked_for() -> None:
    hold = Hold(granted_s=10.0).granted(asked_s=11.0)
    assert hold.until_s(TIMES) == 13.5
    assert hold.granted(asked_s=10.5) == hold


def test_renewal_without_an_answer_is_tried_again_soon() -> None:
    hold = Hold(granted_s=10.0).failed(now_s=11.25)
    assert hold.decide(TIMES, 11.25) == Rest(0.25)
    assert hold.decide(TIMES, 11.5) == Renew()


def test_pause_after_failures_doubles_up_to_its_limit() -> None:
    assert [TIMES.pause_s(failures) for failures in (1, 2, 3, 6, 1000)] == [1.0, 2.0, 4.0, 30.0, 30.0]


def test_times_that_leave_no_room_for_a_renewal_are_refused() -> None:
    with pytest.raises(ValueError, match="before it is given up"):
        TenureTimes(ttl_s=1.0, renew_s=0.5, margin_s=0.5)


steps = st.tuples(
    st.floats(0, 4),  # how long the process is away before it looks
    st.floats(0, 2),  # how long a request is under way
    st.floats(0, 2),  # how long the answer is
    st.booleans(),  # whether there is an answer
)


@given(st.lists(steps, max_size=30))
def test_holder_stops_believing_before_the_store_lets_go(
    events: list[tuple[float, float, float, bool]],
) -> None:
    now_s, hold, store_until_s = 0.0, Hold(0.0), TIMES.ttl_s
    for away_s, there_s, back_s, is_answered in events:
        match hold.decide(TIMES, now_s):
            case GiveUp():
                return
            case Rest(for_s):
                now_s += for_s + away_s
            case Renew():
                asked_s = now_s
                if now_s + there_s >= store_until_s:
                    return  # the store gives it to somebody else, or to us as a new tenure
                store_until_s = now_s + there_s + TIMES.ttl_s
                now_s += there_s + back_s
                hold = hold.granted(asked_s) if is_answered else hold.failed(now_s)
        if hold.decide(TIMES, now_s) != GiveUp():
            assert now_s <= store_until_s - TIMES.margin_s


@given(st.floats(0, 100), st.floats(0, 100), st.none() | st.floats(0, 100))
def test_every_rest_ends_and_leads_on(granted_s: float, after_s: float, failed_s: float | None) -> None:
    hold = Hold(granted_s, failed_s)
    decision = hold.decide(TIMES, granted_s + after_s)
    if isinstance(decision, Rest):
        assert 0 < decision.for_s <= TIMES.ttl_s
