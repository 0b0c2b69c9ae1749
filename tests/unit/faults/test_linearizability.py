"""The judge of histories: known good and bad ones, and those of a register that really was one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.linearizability import Kind, Operation, check

_History = list[Operation]


def write(value: object, invoked: float, completed: float | None) -> Operation:
    return Operation(kind=Kind.WRITE, value=value, invoked=invoked, completed=completed)


def read(value: object, invoked: float, completed: float | None) -> Operation:
    return Operation(kind=Kind.READ, value=value, invoked=invoked, completed=completed)


GOOD: dict[str, _History] = {
    "nothing": [],
    "a read of what was there before": [read(None, 0, 1)],
    "a write and then a read of it": [write("a", 0, 1), read("a", 2, 3)],
    "a read that overlaps a write may see the old value": [write("a", 0, 3), read(None, 1, 2)],
    "a read that overlaps a write may see the new value": [write("a", 0, 3), read("a", 1, 2)],
    "two overlapping writes may come in either order": [
        write("a", 0, 5),
        write("b", 0, 5),
        read("b", 6, 7),
        read("b", 8, 9),
    ],
    "overlapping reads may see old and new side by side": [
        write("a", 0, 9),
        read("a", 1, 8),
        read(None, 2, 7),
    ],
    "an open write that happened late": [write("a", 0, None), read(None, 5, 6), read("a", 7, 8)],
    "an open write that never happened": [write("a", 0, None), read(None, 5, 6), read(None, 7, 8)],
    "an open write that overtook a later one": [
        write("a", 0, None),
        write("b", 1, 2),
        read("b", 3, 4),
        read("a", 5, 6),
    ],
    "an open read says nothing": [write("a", 0, 1), read("never written", 2, None)],
}

BAD: dict[str, _History] = {
    "a value that nobody wrote": [read("a", 0, 1)],
    "an acknowledged write is lost": [write("a", 0, 1), read(None, 2, 3)],
    "a stale read after a newer write": [write("a", 0, 1), write("b", 2, 3), read("a", 4, 5)],
    "a value from the future": [read("a", 0, 1), write("a", 2, 3)],
    "new and then old while the write goes on": [write("a", 0, 9), read("a", 1, 2), read(None, 3, 4)],
    "two readers disagree about the order of two writes": [
        write("a", 0, 1),
        write("b", 0, 1),
        read("a", 2, 3),
        read("b", 4, 5),
    ],
    "an open write goes away again": [write("a", 0, None), read("a", 1, 2), read(None, 3, 4)],
    "an open write is seen before it began": [read("a", 0, 1), write("a", 2, None)],
}


@pytest.mark.parametrize("name", GOOD)
def test_history_of_one_register_is_accepted(name: str) -> None:
    assert check(GOOD[name]).is_linearizable


@pytest.mark.parametrize("name", BAD)
def test_history_that_no_register_can_have_is_refused(name: str) -> None:
    assert not check(BAD[name]).is_linearizable


def test_verdict_names_the_operations_of_which_none_can_be_next() -> None:
    stale = read("a", 4, 5)
    assert check([write("a", 0, 1), write("b", 2, 3), stale]).stuck_at == [stale]


def test_initial_value_is_what_the_first_read_returns() -> None:
    assert check([read("old", 0, 1)], initial="old").is_linearizable


@st.composite
def histories(draw: st.DrawFn) -> _History:
    """What clients see of a register when each operation takes effect at a moment of its own."""
    history, value = [], None
    for moment in range(draw(st.integers(0, 40))):
        invoked = moment - draw(st.floats(0, 4))
        completed = moment + draw(st.floats(0, 4))
        kind = draw(st.sampled_from(["read", "write", "open write", "open write in vain"]))
        if kind == "read":
            history.append(read(value, invoked, completed))
        elif kind == "open write in vain":
            history.append(write(f"vain {moment}", invoked, None))
        else:
            value = f"v{moment}"
            history.append(write(value, invoked, completed if kind == "write" else None))
    return draw(st.permutations(history))


@given(histories())
def test_what_a_real_register_did_is_accepted(history: _History) -> None:
    assert check(history).is_linearizable


@given(histories(), st.data())
def test_real_history_with_one_stale_read_is_refused(history: _History, data: st.DataObject) -> None:
    last = max([one.completed or one.invoked for one in history], default=0.0)
    appended = [
        write("older", last + 1, last + 2),
        write("newer", last + 3, last + 4),
        read("older", last + 5, last + 6),
    ]
    assert not check(data.draw(st.permutations([*history, *appended]))).is_linearizable


def _by_trying_all_orders(history: _History) -> bool:
    """Judge as the definition says: every order of every choice of the open operations."""
    closed = [one for one in history if one.completed is not None]
    still_open = [one for one in history if one.completed is None and one.kind is Kind.WRITE]
    for count in range(len(still_open) + 1):
        for chosen in itertools.combinations(still_open, count):
            if any(_fits(order) for order in itertools.permutations([*closed, *chosen])):
                return True
    return False


def _fits(order: tuple[Operation, ...]) -> bool:
    value = None
    for index, one in enumerate(order):
        if any(later.completed is not None and later.completed < one.invoked for later in order[index + 1 :]):
            return False
        if one.kind is Kind.READ and one.value != value:
            return False
        value = one.value
    return True


_moments = st.integers(0, 8)
_any_operation = st.builds(
    lambda kind, value, invoked, lasts: Operation(
        kind=kind, value=value, invoked=invoked, completed=None if lasts is None else invoked + lasts
    ),
    st.sampled_from(Kind),
    st.sampled_from(["a", "b", None]),
    _moments,
    st.none() | _moments,
)


@given(st.lists(_any_operation, max_size=5))
def test_judge_agrees_with_the_definition_on_every_small_history(history: _History) -> None:
    assert check(history).is_linearizable == _by_trying_all_orders(history)
