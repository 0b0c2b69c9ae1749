"""Charts of an import: counts in twelve windows of a minute, an hour and a day. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import define, field

from op_worker.files.stored.packing import SCHEMA, pack, unpack
from op_worker.importing.tallying import Counts

WINDOWS = 12


class Period(StrEnum):
    """How far back a chart goes."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


class Series(StrEnum):
    """What a chart shows."""

    QUEUE_LENGTH = "queueLength"
    CREATED = "createdFiles"
    MODIFIED = "modifiedFiles"
    DELETED = "deletedFiles"


WINDOW_S: Mapping[Period, int] = {Period.MINUTE: 5, Period.HOUR: 300, Period.DAY: 7200}


def _empty() -> dict[Period, dict[Series, list[int]]]:
    return {period: {series: [0] * WINDOWS for series in Series} for period in Period}


@define(eq=False)
class Charts:
    """Counts by window; the last window of each list is that of ``_at``, by number since the epoch."""

    _at: dict[Period, int] = field(factory=lambda: dict.fromkeys(Period, 0))
    _values: dict[Period, dict[Series, list[int]]] = field(factory=_empty)

    def add(self, counts: Counts, queue_length: int, now_s: float) -> None:
        """Add what was counted just now, and tell how much waits."""
        self._turn(now_s)
        for values in self._values.values():
            values[Series.CREATED][-1] += counts.created
            values[Series.MODIFIED][-1] += counts.modified
            values[Series.DELETED][-1] += counts.deleted
            values[Series.QUEUE_LENGTH][-1] = queue_length

    def values(self, period: Period, series: Series, now_s: float) -> list[int]:
        """Return the counts of the last windows, the newest last."""
        self._turn(now_s)
        return list(self._values[period][series])

    def encode(self) -> bytes:
        rows = [[self._at[period], *(self._values[period][series] for series in Series)] for period in Period]
        return pack([SCHEMA, *rows])

    @classmethod
    def decode(cls, data: bytes) -> Charts:
        _, *rows = unpack(data, "chart")
        charts = cls()
        for period, (at, *values) in zip(Period, rows, strict=True):
            charts._at[period] = at
            charts._values[period] = dict(zip(Series, values, strict=True))
        return charts

    def _turn(self, now_s: float) -> None:
        """Begin the window of now, with empty ones for the time in between; nothing goes back."""
        for period, window_s in WINDOW_S.items():
            steps = int(now_s // window_s) - self._at[period]
            if steps <= 0:
                continue
            self._at[period] += steps
            for series, values in self._values[period].items():
                kept = values[min(steps, WINDOWS) :]
                filler = values[-1] if series is Series.QUEUE_LENGTH else 0
                self._values[period][series] = [*kept, *[filler] * (WINDOWS - len(kept))]
