"""Windows of time: only where something changed, the last value in each, bounded, never backwards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from op_worker.statistics.history import (
    BY_NAME,
    METRICS,
    Metric,
    Totals,
    Window,
    windows,
    with_window,
)

START_S = 1_600_000_020


def played(changes: list[tuple[int, int]], metric: Metric) -> list[Window]:
    """Return the windows after changes, each a moment and what it adds."""
    totals, stored = None, None
    for at_s, count in changes:
        if totals is None:
            totals = Totals.begin(at_s, (count,))
            continue
        if metric in totals.closing(at_s):
            stored = with_window(stored, metric, totals.open_window(metric))
        totals = Totals.decode(totals.changed(at_s, (count,)).encode())
    assert totals is not None
    return windows(stored, metric, totals)


def test_a_window_keeps_the_last_value_in_it() -> None:
    found = played([(START_S, 1), (START_S + 5, 10), (START_S + 65, 100)], BY_NAME["minute"])
    start_s = START_S - START_S % 60
    assert found == [
        Window(start_s + 60, START_S + 65, START_S + 65, (111,)),
        Window(start_s, START_S, START_S + 5, (11,)),
    ]


def test_only_windows_in_which_something_changed_exist() -> None:
    found = played([(START_S, 1), (START_S + 86_400 * 30, 1)], BY_NAME["hour"])
    assert [one.counts for one in found] == [(2,), (1,)]


def test_the_oldest_windows_fall_out() -> None:
    metric = BY_NAME["minute"]
    found = played([(START_S + 60 * at, 1) for at in range(1000)], metric)
    assert len(found) == metric.most
    assert found[0].counts == (1000,)
    assert found[-1].counts == (281,)


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(-9, 9)), min_size=1, max_size=40))
def test_windows_never_go_backwards_whatever_the_clock_does(changes: list[tuple[int, int]]) -> None:
    for metric in METRICS:
        found = played([(START_S + at, count) for at, count in changes], metric)
        starts = [one.start_s for one in found]
        assert starts == sorted(set(starts), reverse=True)
        assert all(one.start_s <= one.first_s <= one.last_s < one.start_s + metric.window_s for one in found)
        assert found[0].counts == (sum(count for _, count in changes),)
