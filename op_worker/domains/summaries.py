"""What was used in a period of time, from the windows of a space's statistics. Pure.

Statistics know the totals at the last change of every window in which something changed: minutes, and
further back hours, days and months. Between two such moments the earlier totals are taken to hold. Nothing
is said of the time before the first of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import pairwise

from attrs import frozen

from op_worker.statistics.counts import FILES, LOGICAL, at
from op_worker.statistics.history import METRICS, Window


@frozen
class Point:
    """Totals from a moment on, in seconds since the epoch: data objects, and their bytes."""

    at_s: int
    objects: int
    bytes_b: int


@frozen
class Usage:
    """How much there was of something: the least, the most, on average, and its sum over time in hours."""

    least: int
    most: int
    average: float
    hours: float


@frozen
class Summary:
    """What was used from ``start_s`` to ``end_s``, seconds since the epoch."""

    start_s: int
    end_s: int
    objects: Usage
    bytes_b: Usage


class Period(Enum):
    """The calendar periods, in UTC, for which there are summaries; the value is the shape of their names."""

    DAILY = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    MONTHLY = r"([0-9]{4})-([0-9]{2})"
    YEARLY = r"([0-9]{4})"


def course_of(windows: Mapping[str, Sequence[Window]]) -> list[Point]:
    """Return the totals in order of time, each moment as finely as it is known.

    Args:
        windows: by metric, the newest first.
    """
    found: list[Window] = []
    for metric in METRICS:  # from the finest on
        older = [one for one in windows.get(metric.name, ()) if not found or one.last_s < found[-1].last_s]
        found.extend(older)
    return [Point(one.last_s, at(one.counts, FILES), at(one.counts, LOGICAL)) for one in reversed(found)]


def summary_of(course: Sequence[Point], start_s: int, end_s: int) -> Summary | None:
    """Return what was used in a period, as far as anything is known of it; ``None`` when nothing is."""
    if not course or end_s < max(start_s, course[0].at_s):
        return None
    start_s = max(start_s, course[0].at_s)
    before = [point for point in course if point.at_s <= start_s]
    inside = [point for point in course if start_s < point.at_s < end_s]
    points = [before[-1], *inside]
    moments = [start_s, *(point.at_s for point in inside), end_s]
    spans_s = [later - earlier for earlier, later in pairwise(moments)]
    return Summary(
        start_s,
        end_s,
        _usage([point.objects for point in points], spans_s),
        _usage([point.bytes_b for point in points], spans_s),
    )


def span_of(period: Period, name: str) -> tuple[int, int] | None:
    """Return the first second of a period and the first one after it; ``None`` for a name of none."""
    match = re.fullmatch(period.value, name, re.ASCII)
    if match is None:
        return None
    try:
        year, month, day = [*map(int, match.groups()), 1, 1][:3]
        start = datetime(year, month, day, tzinfo=UTC)
        end = _next(period, start)
    except (ValueError, OverflowError):
        return None
    return int(start.timestamp()), int(end.timestamp())


def names_of(period: Period, first_s: int, last_s: int, most: int) -> list[str]:
    """Return the names of the periods from one moment to another, in order; of too many the latest."""
    moment = _start(period, datetime.fromtimestamp(last_s, UTC))
    names: list[str] = []
    while len(names) < most:
        names.append(_name(period, moment))
        if moment.timestamp() <= first_s:
            break
        moment = _start(period, moment - timedelta(days=1))
    return names[::-1]


def _usage(values: Sequence[int], spans_s: Sequence[int]) -> Usage:
    whole = sum(value * span_s for value, span_s in zip(values, spans_s, strict=True))
    length_s = sum(spans_s)
    average = whole / length_s if length_s else float(values[0])
    return Usage(min(values), max(values), average, whole / 3600)


def _start(period: Period, moment: datetime) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if period is Period.DAILY:
        return day
    return day.replace(day=1) if period is Period.MONTHLY else day.replace(month=1, day=1)


def _next(period: Period, start: datetime) -> datetime:
    if period is Period.DAILY:
        return start + timedelta(days=1)
    if period is Period.MONTHLY:
        return _start(period, start + timedelta(days=31))
    return start.replace(year=start.year + 1)


def _name(period: Period, start: datetime) -> str:
    parts = f"{start.year:04d}", f"{start.month:02d}", f"{start.day:02d}"
    return "-".join(parts[: {Period.YEARLY: 1, Period.MONTHLY: 2, Period.DAILY: 3}[period]])
