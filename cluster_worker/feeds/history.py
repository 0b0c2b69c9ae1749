"""When a feed had reached which number, and up to where what is gone may be forgotten. Pure.

A mark says: at this time the feed had this number, so every entry up to it is older. The horizon is the
number up to which keys that are no more have been (or are being) dropped from the feed.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgpack
from attrs import evolve, frozen

MARK_EVERY_S = 3600.0
KEEP_S = 30 * 86400.0
"""How long the feed tells of what is gone."""


@frozen
class FeedHistory:
    """``marks`` are pairs of number and time (seconds), in this order; ``swept`` is up to ``horizon``."""

    horizon: int = 0
    swept: int = 0
    marks: tuple[tuple[int, float], ...] = ()

    def marked(self, newest: int, now_s: float) -> FeedHistory:
        """Remember that the feed is at ``newest`` now; not more often than every ``MARK_EVERY_S``."""
        if self.marks:
            seq, at_s = self.marks[-1]
            if newest <= seq or 0 <= now_s - at_s < MARK_EVERY_S:
                return self
        return evolve(self, marks=(*self.marks, (newest, now_s))) if newest else self

    def advanced(self, positions: Iterable[int], now_s: float) -> FeedHistory:
        """Move the horizon to what is older than ``KEEP_S`` and read by all who share their ``positions``."""
        old = max((seq for seq, at_s in self.marks if at_s <= now_s - KEEP_S), default=0)
        horizon = min((old, *positions))
        if horizon <= self.horizon:
            return self
        marks = tuple(mark for mark in self.marks if mark[0] >= old)
        return evolve(self, horizon=horizon, marks=marks)

    def encode(self) -> bytes:
        data: bytes = msgpack.packb([1, self.horizon, self.swept, self.marks])
        return data

    @classmethod
    def decode(cls, data: bytes) -> FeedHistory:
        _, horizon, swept, marks, *_ = msgpack.unpackb(data, use_list=False)
        return cls(horizon, swept, marks)
