"""Series of bounded room, against a model that keeps every slot for ever."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from op_worker.metrics.series import HEARTBEAT, SLOT_S, STEPS, UNKNOWN, Kind, Series

BEGIN = 5_000_000
VALUES = st.one_of(st.just(UNKNOWN), st.integers(0, 1000).map(float))
SAMPLES = st.lists(st.tuples(st.sampled_from((1, 1, 1, 2, 3, 11, 12, 200, 300)), VALUES), max_size=25)
KINDS = st.sampled_from(list(Kind))


class Naive:
    """Every slot that was ever decided."""

    def __init__(self, kind: Kind) -> None:
        self.kind, self.slots, self.end = kind, dict[int, float](), BEGIN

    def sample(self, end: int, value: float) -> None:
        is_late = end - self.end > HEARTBEAT
        for slot in range(self.end, end):
            is_known = not is_late or (self.kind is Kind.LAST and slot == end - 1)
            self.slots[slot] = value if is_known else UNKNOWN
        self.end = max(self.end, end)

    def rows(self, step: str) -> list[float]:
        size, count = STEPS[step].slots, STEPS[step].rows
        end = self.end // size
        return [self.row(row * size, size) for row in range(end - count, end)]

    def row(self, first: int, size: int) -> float:
        if first + size <= BEGIN:
            return UNKNOWN
        slots = [self.slots.get(slot, UNKNOWN) for slot in range(first, first + size)]
        known = [value for value in slots if not math.isnan(value)]
        if not known or len(known) * 2 < size:
            return UNKNOWN
        return known[-1] if self.kind is Kind.LAST else sum(known) / size * (size / len(known))


def told(series: Series, step: str) -> list[float]:
    return [value for (value,) in series.rows(step).values]


@settings(max_examples=20)
@given(kind=KINDS, samples=SAMPLES)
def test_rows_are_those_of_a_model_that_forgets_nothing(kind: Kind, samples: list[tuple[int, float]]) -> None:
    series, model = Series.begin(kind, 1, BEGIN), Naive(kind)
    for slots, value in samples:
        series = Series.decode(series.sampled(series.end + slots, [value]).encode())
        model.sample(model.end + slots, value)
    for step in ("5m", "1h", "1d"):
        assert told(series, step) == pytest.approx(model.rows(step), nan_ok=True)


@settings(max_examples=20)
@given(kind=KINDS, samples=SAMPLES)
def test_the_stored_form_never_grows(kind: Kind, samples: list[tuple[int, float]]) -> None:
    series = Series.begin(kind, 2, BEGIN)
    size_b = len(series.encode())
    for slots, value in samples:
        series = series.sampled(series.end + slots, [value, value])
        assert len(series.encode()) == size_b
    assert size_b <= 8200


def test_a_series_of_one_source_takes_four_kilobytes() -> None:
    assert len(Series.begin(Kind.LAST, 1, BEGIN).encode()) <= 4100


@pytest.mark.parametrize("step", STEPS)
def test_a_row_is_kept_for_just_the_span_of_its_step(step: str) -> None:
    size, count = STEPS[step].slots, STEPS[step].rows
    first = -(-BEGIN // size) * size
    series = Series.begin(Kind.AVERAGE, 1, first).extended(first + size, [7.0])
    kept = series.extended(first + size * count, [0.0])
    assert told(kept, step) == [7.0] + [0.0] * (count - 1)
    assert told(kept.extended(kept.end + size - 1, [0.0]), step)[0] == 7.0
    assert told(kept.extended(kept.end + size, [0.0]), step) == [0.0] * count


def test_rows_end_at_multiples_of_their_length() -> None:
    rows = Series.begin(Kind.LAST, 1, BEGIN).rows("1h")
    assert rows.end_s % 3600 == 0
    assert BEGIN * SLOT_S - 3600 < rows.end_s <= BEGIN * SLOT_S
    assert rows.end_s - rows.start_s == 168 * 3600


@pytest.mark.parametrize(("known", "is_known"), [(6, True), (5, False)])
def test_a_row_is_unknown_when_more_than_half_of_it_is(known: int, is_known: bool) -> None:
    first = -(-BEGIN // 12) * 12
    series = Series.begin(Kind.AVERAGE, 1, first).extended(first + known, [4.0])
    (last,) = told(series.extended(first + 12, [UNKNOWN]), "1h")[-1:]
    assert math.isnan(last) is not is_known


@pytest.mark.parametrize("kind", Kind)
def test_a_sample_speaks_for_600_seconds_before_it(kind: Kind) -> None:
    in_time = Series.begin(kind, 1, BEGIN).sampled(BEGIN + 2, [3.0])
    assert told(in_time, "5m")[-2:] == [3.0, 3.0]
    late = told(Series.begin(kind, 1, BEGIN).sampled(BEGIN + 3, [3.0]), "5m")[-3:]
    last = 3.0 if kind is Kind.LAST else UNKNOWN
    assert late == pytest.approx([UNKNOWN, UNKNOWN, last], nan_ok=True)


@pytest.mark.parametrize("kind", Kind)
def test_a_clock_that_goes_back_a_little_changes_nothing(kind: Kind) -> None:
    series = Series.begin(kind, 1, BEGIN).extended(BEGIN + 20, [5.0])
    assert series.sampled(series.end - HEARTBEAT, [9.0]) is series


@pytest.mark.parametrize("kind", Kind)
def test_after_a_day_ahead_and_back_the_series_goes_on(kind: Kind) -> None:
    series = Series.begin(kind, 1, BEGIN).extended(BEGIN + 400, [5.0])
    right = series.end
    series = series.sampled(right + 288, [6.0]).sampled(right + 1, [7.0])
    assert series.end == right + 1
    series = series.sampled(right + 2, [8.0])
    assert told(series, "5m")[-1] == 8.0
    assert told(series, "1h")[-10:-1] == [5.0] * 9  # coarser rows did not give way


@settings(max_examples=20)
@given(kind=KINDS, samples=SAMPLES, back=st.integers(0, 50))
def test_going_back_keeps_what_was_known_before_unless_its_row_gave_way(
    kind: Kind, samples: list[tuple[int, float]], back: int
) -> None:
    series = Series.begin(kind, 1, BEGIN)
    for slots, value in samples:
        series = series.sampled(series.end + slots, [value])
    old, rewound = told(series, "5m"), told(series.rewound(series.end - back), "5m")
    assert rewound[back:] == pytest.approx(old[: 288 - back], nan_ok=True)
    assert all(math.isnan(value) for value in rewound[:back])


@given(slots=st.integers(0, 20_000))
@settings(max_examples=10)
def test_a_series_in_which_nothing_ever_happened_goes_on_like_one_that_was_told_so(slots: int) -> None:
    idle = Series.idle_until(Kind.AVERAGE, 1, BEGIN)
    told_so = Series.begin(Kind.AVERAGE, 1, BEGIN - 12 * 8928).extended(BEGIN, [0.0])
    for step in STEPS:
        assert told(idle.extended(BEGIN + slots, [2.0]), step) == pytest.approx(
            told(told_so.extended(BEGIN + slots, [2.0]), step)
        )


def test_other_schemas_are_refused() -> None:
    with pytest.raises(ValueError, match="version 9"):
        Series.decode(b"\x09" + Series.begin(Kind.LAST, 1, BEGIN).encode()[1:])
