"""Round-robin archives: a series of numbers in fixed room, exact for a day and coarser for a year. Pure.

Time is counted in *slots* of 300 s since the epoch. A series decides slot after slot, each once: it has a
value or is unknown. Each archive consolidates so many slots into a row and keeps so many rows.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Sequence
from enum import Enum

from attrs import define, evolve, frozen

SLOT_S = 300
HEARTBEAT = 2
"""A sample speaks for so many slots before it (600 s); what lies farther back is unknown."""
XFILES_FACTOR = 0.5
"""A row is unknown when more than this part of its slots is."""
UNKNOWN = math.nan
Values = Sequence[float]
"""A number for each source; ``UNKNOWN`` where there is none."""


class Kind(Enum):
    """How slots become a row; the value is stored."""

    LAST = 0
    AVERAGE = 1


@frozen
class Step:
    """A resolution: how many slots a row has, how many rows are kept."""

    slots: int
    rows: int

    @property
    def row_s(self) -> int:
        """How long a row is."""
        return self.slots * SLOT_S


STEPS = {"5m": Step(1, 288), "1h": Step(12, 168), "1d": Step(288, 31), "1m": Step(31 * 288, 12)}


@frozen
class Rows:
    """The rows of an archive, the oldest first, the last one ending at ``end_s``."""

    step: Step
    end_s: int
    values: Sequence[tuple[float, ...]]

    @property
    def start_s(self) -> int:
        """When the first row begins."""
        return self.end_s - len(self.values) * self.step.row_s


@define
class _Archive:
    """Row ``r`` covers the slots from ``r * slots`` on; ``known`` and ``sums`` are of the open row."""

    step: Step
    ring: array[float]
    known: list[int]
    sums: list[float]

    @classmethod
    def empty(cls, step: Step, sources: int) -> _Archive:
        ring = array("d", [UNKNOWN]) * (step.rows * sources)
        return cls(step, ring, [0] * sources, [0.0] * sources)

    def copy(self) -> _Archive:
        return _Archive(self.step, self.ring[:], self.known[:], self.sums[:])

    def decide(self, kind: Kind, first: int, end: int, values: Values) -> None:
        """Give the slots from ``first`` to before ``end`` these values."""
        size, whole = self.step.slots, array("d", values)
        while first < end:
            row = first // size
            oldest = end // size - self.step.rows
            if row < oldest and first == row * size:
                row = oldest  # rows before it would be overwritten anyway
                first = row * size
            stop = min((row + 1) * size, end)
            if stop - first == size:
                self._set(row, whole)
            else:
                self._add(kind, stop - first, values)
                if stop == (row + 1) * size:
                    self._close(kind, row)
            first = stop

    def _add(self, kind: Kind, slots: int, values: Values) -> None:
        for source, value in enumerate(values):
            if math.isnan(value):
                continue
            self.known[source] += slots
            if kind is Kind.LAST:
                self.sums[source] = value
            else:
                self.sums[source] += value * slots

    def _close(self, kind: Kind, row: int) -> None:
        sources = len(self.known)
        for source, (known, total) in enumerate(zip(self.known, self.sums, strict=True)):
            is_known = known > 0 and self.step.slots - known <= XFILES_FACTOR * self.step.slots
            value = (total if kind is Kind.LAST else total / known) if is_known else UNKNOWN
            self.ring[row % self.step.rows * sources + source] = value
        self.known, self.sums = [0] * sources, [0.0] * sources

    def rewind(self, kind: Kind, old: int, new: int) -> None:
        """Take back the slots from ``new`` to before ``old``; what was known before ``new`` is kept."""
        size, sources = self.step.slots, len(self.known)
        old_row, row, elapsed = old // size, new // size, new % size
        if row != old_row:
            kept = self.row(row) if row >= old_row - self.step.rows else (UNKNOWN,) * sources
            self.known = [0 if math.isnan(value) else size for value in kept]
            self.sums = [
                0.0 if math.isnan(value) else value * (1 if kind is Kind.LAST else size) for value in kept
            ]
        for source, known in enumerate(self.known):
            if known > elapsed:
                self.known[source] = elapsed
                if kind is Kind.AVERAGE:
                    self.sums[source] *= elapsed / known
        for gone in range(max(row, old_row - self.step.rows), old_row):
            self._set(gone, array("d", [UNKNOWN] * sources))

    def _set(self, row: int, values: array[float]) -> None:
        first = row % self.step.rows * len(values)
        self.ring[first : first + len(values)] = values

    def row(self, row: int) -> tuple[float, ...]:
        first = row % self.step.rows * len(self.known)
        return tuple(self.ring[first : first + len(self.known)])


_HEAD = struct.Struct("<BBBq")
_SCHEMA = 1


@frozen(eq=False)
class Series:
    """A series of one or several sources. Every slot before ``end`` is decided.

    Attributes:
        latest: the values of the last slot that was decided.
    """

    kind: Kind
    end: int
    latest: tuple[float, ...]
    _archives: tuple[_Archive, ...]

    @classmethod
    def begin(cls, kind: Kind, sources: int, end: int) -> Series:
        """Return a series in which every slot before ``end`` is unknown."""
        archives = tuple(_Archive.empty(step, sources) for step in STEPS.values())
        return cls(kind, end, (UNKNOWN,) * sources, archives)

    @classmethod
    def idle_until(cls, kind: Kind, sources: int, end: int) -> Series:
        """Return a series in which nothing ever happened before ``end``: a gauge is unknown, a rate 0."""
        if kind is Kind.LAST:
            return cls.begin(kind, sources, end)
        archives = tuple(
            _Archive(
                step,
                array("d", bytes(8 * step.rows * sources)),
                [end % step.slots] * sources,
                [0.0] * sources,
            )
            for step in STEPS.values()
        )
        return cls(kind, end, (0.0,) * sources, archives)

    @property
    def unknown(self) -> tuple[float, ...]:
        """No value for any source."""
        return (UNKNOWN,) * len(self.latest)

    @property
    def idle(self) -> tuple[float, ...]:
        """What a slot has in which nothing happens: gauges stay, rates are 0."""
        return self.latest if self.kind is Kind.LAST else (0.0,) * len(self.latest)

    def extended(self, end: int, values: Values) -> Series:
        """Return the series in which all slots up to before ``end`` that were undecided have these values."""
        if end <= self.end:
            return self
        archives = tuple(one.copy() for one in self._archives)
        for archive in archives:
            archive.decide(self.kind, self.end, end, values)
        return evolve(self, end=end, latest=tuple(values), archives=archives)

    def sampled(self, end: int, values: Values) -> Series:
        """Return the series with a sample, which is taken at the end of the slot before ``end``.

        It speaks for the slots since the last sample when these are ``HEARTBEAT`` at most. Otherwise they are
        unknown, but for the last one of a gauge. A clock that stands still or goes back by no more than
        ``HEARTBEAT`` slots changes nothing; after a greater step back time goes on from there.
        """
        if end < self.end - HEARTBEAT:
            back = self.rewound(end - 1)
            return back.extended(end, values if self.kind is Kind.LAST else self.unknown)
        if end - self.end <= HEARTBEAT:
            return self.extended(end, values)
        last = values if self.kind is Kind.LAST else self.unknown
        return self.extended(end - 1, self.unknown).extended(end, last)

    def rewound(self, end: int) -> Series:
        """Return the series as if no slot from ``end`` on had been decided; rows that gave way stay lost."""
        archives = tuple(one.copy() for one in self._archives)
        for archive in archives:
            archive.rewind(self.kind, self.end, end)
        return evolve(self, end=end, archives=archives)

    def rows(self, step: str) -> Rows:
        """Return the closed rows of a step."""
        archive = self._archives[list(STEPS).index(step)]
        size, count = archive.step.slots, archive.step.rows
        end = self.end // size
        values = [archive.row(row) for row in range(end - count, end)]
        return Rows(archive.step, end * archive.step.row_s, values)

    def encode(self) -> bytes:
        """Return the stored form, whose length depends on the number of sources only."""
        sources = len(self.latest)
        parts = [_HEAD.pack(_SCHEMA, self.kind.value, sources, self.end)]
        parts.append(struct.pack(f"<{sources}d", *self.latest))
        for one in self._archives:
            parts.append(struct.pack(f"<{sources}H{sources}d", *one.known, *one.sums))
            parts.append(struct.pack(f"<{len(one.ring)}d", *one.ring))
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes) -> Series:
        """Undo ``encode``. Raises: ValueError for another schema."""
        schema, kind, sources, end = _HEAD.unpack_from(data)
        if schema != _SCHEMA:
            raise ValueError(f"a series of version {schema}")
        place = _HEAD.size
        latest = struct.unpack_from(f"<{sources}d", data, place)
        place += 8 * sources
        archives = []
        for step in STEPS.values():
            numbers = struct.unpack_from(f"<{sources}H{sources}d", data, place)
            place += 10 * sources
            ring = array("d", struct.unpack_from(f"<{step.rows * sources}d", data, place))
            place += 8 * step.rows * sources
            archives.append(_Archive(step, ring, list(numbers[:sources]), list(numbers[sources:])))
        return cls(Kind(kind), end, latest, tuple(archives))
