"""What is enrolled is what there is, and says truthfully what it can do."""

from __future__ import annotations

import pytest

from op_worker.storage import helper as contract
from tests.conformance.storage.enrolment import WORDS, Enrolled
from tests.conformance.storage.places import Place

POWERS = {
    each for name, each in vars(contract).items() if name.startswith("Supports") and isinstance(each, type)
}


def test_a_helper_has_exactly_the_powers_that_it_enrols_with(place: Place) -> None:
    has = {power for power in POWERS if isinstance(place.helper, power)}
    assert {power.__name__ for power in has} == {power.__name__ for power in place.enrolled.powers}


def test_an_enrolment_lacks_only_what_the_suite_asks_and_says_why(enrolled: Enrolled) -> None:
    assert set(enrolled.lacks) <= set(WORDS)
    assert all(enrolled.lacks.values())


def test_each_word_that_a_test_needs_is_one_of_the_suite(request: pytest.FixtureRequest) -> None:
    marks = [mark for item in request.session.items for mark in item.iter_markers("needs")]
    words = {word for mark in marks for word in mark.args if isinstance(word, str)}
    assert words <= set(WORDS)
    assert {word for mark in marks for word in mark.args if not isinstance(word, str)} <= POWERS
