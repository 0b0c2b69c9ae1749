"""The totals of a directory, and what they were: windows of time with the last value in each. Pure.

The present totals are one short document. When a change comes in a later window than the one before, the
earlier window is closed: appended to a list of its metric, from which the oldest fall out. So a window
exists only when something changed in it, and most changes write the short document alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgpack
from attrs import frozen

from cluster_worker.persistence.engine import Key
from op_worker.files.stored.packing import SCHEMA, pack, unpack
from op_worker.statistics.counts import Counts, add

PRESENT = "t"
"""The field of the present totals; those of closed windows are named after their metrics."""


@frozen
class Metric:
    """A series of windows: how long each is, and how many are kept."""

    name: str
    window_s: int
    most: int

    def window(self, now_s: int) -> int:
        """Return the beginning of the window that a moment is in."""
        return now_s - now_s % self.window_s


METRICS: Sequence[Metric] = (
    Metric("minute", 60, 720),
    Metric("hour", 3600, 1440),
    Metric("day", 86_400, 550),
    Metric("month", 30 * 86_400, 360),
)
BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}


@frozen
class Window:
    """A window of a metric: when it begins, the first and the last change in it, the last counts."""

    start_s: int
    first_s: int
    last_s: int
    counts: Counts


@frozen
class Totals:
    """The present totals of a directory. ``firsts_s`` are the first changes in the open windows."""

    at_s: int
    firsts_s: tuple[int, ...]
    counts: Counts

    @classmethod
    def begin(cls, now_s: int, counts: Counts) -> Totals:
        """Return the totals of a directory that had none before."""
        return cls(now_s, (now_s,) * len(METRICS), counts)

    def changed(self, now_s: int, delta: Counts) -> Totals:
        """Return the totals after a change; a clock that went back counts as standing still."""
        now_s = max(now_s, self.at_s)
        closing = self.closing(now_s)
        firsts = [
            now_s if metric in closing else first
            for metric, first in zip(METRICS, self.firsts_s, strict=True)
        ]
        return Totals(now_s, tuple(firsts), add(self.counts, delta))

    def closing(self, now_s: int) -> list[Metric]:
        """Return the metrics whose open window ends before ``now_s``."""
        return [metric for metric in METRICS if metric.window(now_s) > metric.window(self.at_s)]

    def open_window(self, metric: Metric) -> Window:
        """Return the window of a metric that is not closed yet."""
        first_s = self.firsts_s[METRICS.index(metric)]
        return Window(metric.window(self.at_s), first_s, self.at_s, self.counts)

    def encode(self) -> bytes:
        ages = [self.at_s - first_s for first_s in self.firsts_s]
        return pack([SCHEMA, self.at_s, ages, *self.counts])

    @classmethod
    def decode(cls, data: bytes) -> Totals:
        _, at_s, ages, *counts = unpack(data, "totals")
        return cls(at_s, tuple([at_s - age for age in ages]), tuple(counts))


def with_window(stored: bytes | None, metric: Metric, window: Window) -> bytes:
    """Return the stored windows of a metric after one more was closed."""
    rows: list[Any] = [] if stored is None else msgpack.unpackb(stored)
    start_s = window.start_s
    rows.append([start_s, window.first_s - start_s, window.last_s - start_s, *window.counts])
    packed: bytes = msgpack.packb(rows[-metric.most :])
    return packed


def windows(stored: bytes | None, metric: Metric, totals: Totals) -> list[Window]:
    """Return the windows of a metric, the newest first."""
    rows: list[Any] = [] if stored is None else msgpack.unpackb(stored)
    closed = [
        Window(start_s, start_s + first_s, start_s + last_s, tuple(counts))
        for start_s, first_s, last_s, *counts in reversed(rows)
    ]
    return [totals.open_window(metric), *closed][: metric.most]


def totals_key(uuid: str) -> Key:
    """Return the document of a directory's totals."""
    return Key(f"stat:{uuid}")
