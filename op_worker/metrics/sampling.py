"""What a sample makes of the series of a space and of a user. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from attrs import frozen

from cluster_worker.persistence.engine import Document
from onedata.ids import UserId
from op_worker.files.tallies import OTHERS, SpaceTallies, Tally
from op_worker.metrics.kinds import (
    BLOCK_ACCESS,
    CONNECTED_USERS,
    DATA_ACCESS,
    STORAGE_QUOTA,
    STORAGE_USED,
    MetricKind,
)
from op_worker.metrics.records import Order
from op_worker.metrics.series import HEARTBEAT, SLOT_S, UNKNOWN, Rows, Series

SPACE_KINDS = (STORAGE_QUOTA, STORAGE_USED, DATA_ACCESS, BLOCK_ACCESS, CONNECTED_USERS)
"""What is sampled of a space; nothing is known of transfers while there are no peers."""
USER_KINDS = (STORAGE_USED, DATA_ACCESS, BLOCK_ACCESS)


@frozen
class Sample:
    """A space at the end of the slot before ``end``, and what passed since the sample before."""

    end: int
    used_b: int
    quota_b: int
    passed: SpaceTallies

    @property
    def connected(self) -> int:
        """How many users did something."""
        return sum(1 for user in self.passed if user != OTHERS)

    @property
    def total(self) -> Tally:
        """What all users together did."""
        total = Tally()
        for tally in self.passed.values():
            total.add(tally)
        return total


def is_due(series: Series | None, end: int) -> bool:
    """Whether a sample is to be taken: a slot has ended, or the clock went back."""
    return series is None or end > series.end or end < series.end - HEARTBEAT


def series_of(kind: MetricKind, document: Document | None, end: int) -> Series:
    """Return a stored series, or a new one that begins with the slot before ``end``."""
    if document is None:
        return Series.begin(kind.kind, len(kind.sources), end - 1)
    return Series.decode(document.data)


def space_series(sample: Sample, stored: Mapping[str, Document]) -> dict[str, Series]:
    """Return the series of a space with a sample."""
    found = {kind.name: series_of(kind, stored.get(kind.name), sample.end) for kind in SPACE_KINDS}
    total, slots = sample.total, sample.end - found[DATA_ACCESS.name].end
    values = {
        STORAGE_QUOTA.name: (float(sample.quota_b),),
        STORAGE_USED.name: (float(sample.used_b),),
        CONNECTED_USERS.name: (float(sample.connected),),
        DATA_ACCESS.name: _rates(total.read_b, total.written_b, slots),
        BLOCK_ACCESS.name: _rates(total.reads, total.writes, slots),
    }
    return {name: series.sampled(sample.end, values[name]) for name, series in found.items()}


def user_series(order: Order, user_id: UserId, stored: Mapping[str, Document]) -> dict[str, Series]:
    """Return those series of a user that an order changes; an order that was carried out changes none."""
    found: dict[str, Series] = {}
    tally = order.passed.get(user_id)
    if tally is not None:
        slots = order.end - order.first
        found[DATA_ACCESS.name] = _with(
            order, DATA_ACCESS, stored, _rates(tally.read_b, tally.written_b, slots)
        )
        found[BLOCK_ACCESS.name] = _with(
            order, BLOCK_ACCESS, stored, _rates(tally.reads, tally.writes, slots)
        )
    if user_id in order.used_b:
        used_b = order.used_b[user_id]
        value = UNKNOWN if used_b is None else float(used_b)
        found[STORAGE_USED.name] = _with(order, STORAGE_USED, stored, (value,))
    return found


def shown(kind: MetricKind, step: str, of_user: Series | None, of_space: Series) -> Rows:
    """Return the rows of a user; he was idle where nothing is told of him and the space is known.

    Args:
        of_space: a series of the same sources.
    """
    space = of_space.rows(step)
    if of_user is None:
        of_user = Series.idle_until(kind.kind, len(kind.sources), of_space.end)
    elif of_user.end > of_space.end:
        of_user = of_user.rewound(of_space.end)
    rows = of_user.extended(of_space.end, of_user.idle).rows(step)
    values = [_masked(user, mask) for user, mask in zip(rows.values, space.values, strict=True)]
    return Rows(rows.step, rows.end_s, values)


def empty_handed(of_space: Series) -> Series:
    """Return the bytes of a user who holds nothing now; before, nobody knows.

    Args:
        of_space: what the space holds.
    """
    begun = Series.begin(of_space.kind, len(of_space.latest), of_space.end - 1)
    return begun.extended(of_space.end, (0.0,) * len(of_space.latest))


def until(series: Series, end: int) -> Series:
    """Return a series up to now: slots that should have been sampled long ago are unknown."""
    return series.extended(end, series.unknown) if end - series.end > HEARTBEAT else series


def _with(
    order: Order, kind: MetricKind, stored: Mapping[str, Document], values: tuple[float, ...]
) -> Series:
    held = stored.get(kind.name)
    if held is None:
        series = Series.idle_until(kind.kind, len(kind.sources), order.first)
    else:
        series = Series.decode(held.data)
    if order.end < series.end - HEARTBEAT:
        series = series.rewound(order.first)
    return series.extended(order.first, series.idle).sampled(order.end, values)


def _rates(first: int, second: int, slots: int) -> tuple[float, float]:
    span_s = max(1, slots) * SLOT_S
    return first / span_s, second / span_s


def _masked(user: Iterable[float], space: Iterable[float]) -> tuple[float, ...]:
    pairs = zip(user, space, strict=True)
    return tuple(UNKNOWN if math.isnan(mask) else value for value, mask in pairs)
