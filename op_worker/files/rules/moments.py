"""Moments and periods as ISO 8601 text, as CDMI writes them: UTC with microseconds. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from op_worker.files.rules.retention import Period

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?")
_EARLIEST_S, _LATEST_S = -62135596800, 253402300799  # years 1 and 9999


def timestamp(time_s: float) -> str:
    """Return seconds since the epoch as ISO 8601 in UTC with microseconds."""
    bounded_s = min(max(time_s, _EARLIEST_S), _LATEST_S)
    moment = datetime.fromtimestamp(bounded_s, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_moment(text: str) -> int:
    """Return milliseconds since the epoch; a time without a zone is in UTC. Raises: ValueError."""
    if not text.isascii() or _MOMENT.fullmatch(text) is None:
        raise ValueError(f"{text[:64]!r} is no time such as 2030-01-31T00:00:00.000000Z")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def parse_period(text: str) -> Period:
    """Return the period that ``start/end`` stands for. Raises: ValueError."""
    start, slash, end = text.partition("/")
    if not slash:
        raise ValueError(f"{text[:64]!r} is no period: start/end")
    period = Period(parse_moment(start), parse_moment(end))
    if period.end_ms <= period.start_ms:
        raise ValueError("the period ends before it begins")
    return period


def period_text(period: Period) -> str:
    """Undo ``parse_period``."""
    return f"{timestamp(period.start_ms / 1000)}/{timestamp(period.end_ms / 1000)}"
