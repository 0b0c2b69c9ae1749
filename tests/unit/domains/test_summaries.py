"""Summaries of periods, made from windows of statistics."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from op_worker.domains.summaries import (
    Period,
    Point,
    Usage,
    course_of,
    names_of,
    span_of,
    summary_of,
)
from op_worker.statistics.history import METRICS, Totals, Window, windows, with_window

HOUR_S, DAY_S = 3600, 86_400


def s(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def kept(changes: list[tuple[int, int, int]]) -> dict[str, list[Window]]:
    """Return the windows that statistics keep of changes: moment, objects and bytes more."""
    first_s, objects, size_b = changes[0]
    totals = Totals.begin(first_s, (objects, 0, 0, size_b))
    stored: dict[str, bytes] = {}
    for at_s, more, more_b in changes[1:]:
        for metric in totals.closing(at_s):
            stored[metric.name] = with_window(stored.get(metric.name), metric, totals.open_window(metric))
        totals = totals.changed(at_s, (more, 0, 0, more_b))
    return {metric.name: windows(stored.get(metric.name), metric, totals) for metric in METRICS}


def test_an_hour_with_four_objects_is_four_object_hours() -> None:
    course = [Point(0, 4, 100)]
    found = summary_of(course, 0, HOUR_S)
    assert found is not None
    assert (found.objects, found.bytes_b) == (Usage(4, 4, 4.0, 4.0), Usage(100, 100, 100.0, 100.0))


def test_a_change_in_the_middle_weighs_by_its_time() -> None:
    course = [Point(0, 0, 0), Point(HOUR_S, 2, 30), Point(3 * HOUR_S, 1, 10)]
    found = summary_of(course, 0, 4 * HOUR_S)
    assert found is not None
    assert found.objects == Usage(0, 2, 5 / 4, 5.0)
    assert found.bytes_b == Usage(0, 30, 70 / 4, 70.0)


def test_nothing_is_said_of_the_time_before_the_first_known_moment() -> None:
    course = [Point(DAY_S, 1, 1)]
    assert summary_of(course, 0, DAY_S - 1) is None
    assert summary_of([], 0, DAY_S) is None
    found = summary_of(course, 0, 2 * DAY_S)
    assert found is not None
    assert (found.start_s, found.end_s, found.objects.hours) == (DAY_S, 2 * DAY_S, 24.0)


def test_a_moment_without_length_has_an_average_and_no_hours() -> None:
    found = summary_of([Point(10, 3, 7)], 10, 10)
    assert found is not None
    assert (found.objects, found.bytes_b.average) == (Usage(3, 3, 3.0, 0.0), 7.0)


def test_the_course_is_as_fine_as_what_is_kept() -> None:
    """Only so many minutes are kept; what is older is known by the hour, and so on."""
    changes = [(60 * minute, 1, 10) for minute in range(1000)]
    course = course_of(kept(changes))
    minutes, hours = METRICS[0].most, METRICS[1]
    assert [point.at_s for point in course[-minutes:]] == [60 * minute for minute in range(280, 1000)]
    older = course[:-minutes]
    assert [point.at_s for point in older] == [hours.window_s * hour - 60 for hour in range(1, 5)]
    assert course[-1] == Point(60 * 999, 1000, 10_000)


CHANGES = st.lists(
    st.tuples(st.integers(1, 40 * DAY_S), st.integers(0, 5), st.integers(0, 1000)), min_size=1, max_size=60
)


@given(CHANGES, st.integers(0, 50 * DAY_S), st.integers(0, 50 * DAY_S))
def test_averages_lie_between_the_least_and_the_most(
    steps: list[tuple[int, int, int]], start_s: int, length_s: int
) -> None:
    moments, now_s = [], 0
    for gap_s, objects, size_b in steps:
        now_s += gap_s
        moments.append((now_s, objects, size_b))
    course = course_of(kept(moments))
    assert [point.at_s for point in course] == sorted({point.at_s for point in course})
    found = summary_of(course, start_s, start_s + length_s)
    if found is None:
        assert start_s + length_s < course[0].at_s
        return
    for usage in (found.objects, found.bytes_b):
        assert usage.least <= usage.average + 1e-6 and usage.average <= usage.most + 1e-6
        assert usage.hours == pytest.approx(usage.average * (found.end_s - found.start_s) / HOUR_S)


@pytest.mark.parametrize(
    ("period", "name", "start", "end"),
    [
        (Period.DAILY, "2026-02-28", "2026-02-28", "2026-03-01"),
        (Period.MONTHLY, "2028-02", "2028-02-01", "2028-03-01"),
        (Period.MONTHLY, "2026-12", "2026-12-01", "2027-01-01"),
        (Period.YEARLY, "2028", "2028-01-01", "2029-01-01"),
    ],
)
def test_a_period_is_known_by_its_name(period: Period, name: str, start: str, end: str) -> None:
    assert span_of(period, name) == (s(start), s(end))


@pytest.mark.parametrize(
    ("period", "name"),
    [
        (Period.DAILY, "2026-02-29"),
        (Period.DAILY, "2026-2-1"),
        (Period.DAILY, "2026-02"),
        (Period.MONTHLY, "2026-13"),
        (Period.YEARLY, "0000"),
        (Period.YEARLY, "9999"),
        (Period.YEARLY, "\u0662\u0660\u0662\u0666"),
        (Period.YEARLY, ""),
    ],
)
def test_other_names_are_of_no_period(period: Period, name: str) -> None:
    assert span_of(period, name) is None


def test_periods_are_listed_from_the_first_to_the_last_moment() -> None:
    first_s, last_s = s("2025-12-30T12:00"), s("2026-02-01T00:00")
    days = names_of(Period.DAILY, first_s, last_s, 1000)
    assert (days[0], days[-1], len(days)) == ("2025-12-30", "2026-02-01", 34)
    assert names_of(Period.MONTHLY, first_s, last_s, 1000) == ["2025-12", "2026-01", "2026-02"]
    assert names_of(Period.YEARLY, first_s, last_s, 1000) == ["2025", "2026"]
    assert names_of(Period.DAILY, first_s, last_s, 2) == ["2026-01-31", "2026-02-01"]


@given(st.sampled_from(list(Period)), st.integers(0, 4_000_000_000), st.integers(0, 400 * DAY_S))
def test_every_period_that_is_listed_touches_the_time_that_was_asked_for(
    period: Period, first_s: int, length_s: int
) -> None:
    last_s = first_s + length_s
    spans = [span_of(period, name) for name in names_of(period, first_s, last_s, 1000)]
    known = [span for span in spans if span is not None]
    assert len(known) == len(spans)
    assert known[0][0] <= first_s < known[0][1] and known[-1][0] <= last_s < known[-1][1]
    assert all(one[1] == other[0] for one, other in pairwise(known))
