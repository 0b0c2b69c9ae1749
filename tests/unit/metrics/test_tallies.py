"""Counting what passes, in plain numbers."""

from __future__ import annotations

import pytest

from onedata.ids import UserId
from op_worker.files.tallies import OTHERS, Tallies
from tests.support.spaces import ALICE, OTHER_SPACE, SPACE


def test_bytes_and_pieces_are_counted_by_space_and_user() -> None:
    tallies = Tallies()
    tallies.read(SPACE, ALICE, 10)
    tallies.wrote(SPACE, ALICE, (1 << 20) + 1)
    tallies.wrote(SPACE, ALICE, 0)
    tallies.seen(OTHER_SPACE, ALICE)
    taken = tallies.take()
    assert taken[SPACE][ALICE].numbers == (10, (1 << 20) + 1, 1, 3)
    assert taken[OTHER_SPACE][ALICE].numbers == (0, 0, 0, 0)
    assert tallies.take() == {}


def test_guests_count_for_the_space_alone() -> None:
    tallies = Tallies()
    tallies.read(SPACE, None, 5)
    tallies.read(SPACE, OTHERS, 6)
    assert {user: one.read_b for user, one in tallies.take()[SPACE].items()} == {OTHERS: 11}


def test_users_beyond_the_bound_are_not_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("op_worker.files.tallies.MOST_TALLIES", 50)
    tallies = Tallies()
    for number in range(55):
        tallies.read(SPACE, UserId(str(number)), 1)
    taken = tallies.take()[SPACE]
    assert len(taken) == 51
    assert taken[OTHERS].read_b == 5
