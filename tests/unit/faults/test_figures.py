"""The table of results, and the choice of pairs."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from tests.faults.catalogue import all_faults
from tests.faults.figures import BEGIN, END, Figures, put_between_marks, table
from tests.faults.pairs import choose
from tests.faults.suite import SOME

FINE = Figures(
    fault="kill",
    acknowledged=7,
    lost=[],
    half_there=[],
    wrong_answers=[],
    longest_pause_s=1.26,
    meanwhile_s=None,
    after_s=0.5,
    not_linearizable=[],
    complaints=[],
    took_s=9.0,
)


def test_row_shows_counts_and_seconds() -> None:
    assert table([FINE]).splitlines()[-1] == "| kill | 7 | 0 | 0 | 0 | 1.3 | - | 0.5 | yes |"


def test_figures_survive_their_way_through_json() -> None:
    assert Figures.of_json(json.loads(json.dumps(FINE.as_json()))) == FINE


def test_fine_figures_have_no_problems_and_others_name_them() -> None:
    assert not FINE.problems()
    assert evolve(FINE, lost=["a"], after_s=None).problems() == [
        "lost: a",
        "no full service after the healing",
    ]


def test_table_goes_between_the_marks_and_replaces_what_was_there() -> None:
    page = put_between_marks(f"before\n{BEGIN}\nold\n{END}\nafter\n", "new\n")
    assert page == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    with pytest.raises(ValueError, match="figures"):
        put_between_marks("no marks", "new")


def test_pairs_are_of_different_groups_and_the_same_for_the_same_seed() -> None:
    faults = all_faults()
    pairs = choose(faults, 16, 5)
    assert pairs == choose(faults, 16, 5) != choose(faults, 16, 6)
    assert len(set(pairs)) == 16
    assert all(one.group != other.group for one, other in pairs)


def test_few_pairs_touch_every_group() -> None:
    faults = all_faults()
    touched = {fault.group for pair in choose(faults, 16, 5) for fault in pair}
    assert touched == {fault.group for fault in faults}


def test_every_fault_has_a_name_of_its_own_and_the_short_run_knows_them() -> None:
    names = [fault.name for fault in all_faults()]
    assert len(names) == len(set(names))
    assert {name for scenario in SOME for name in scenario} <= set(names)
