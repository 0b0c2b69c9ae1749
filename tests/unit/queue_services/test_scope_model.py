"""The evaluator of scopes against a naive one, on specifications and objects that nobody thought of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from op_worker.queue_services.scope import Candidate, matches, parse_scope
from tests.unit.queue_services.naive import naive_match

NAMES = st.sampled_from(["a", "b", "metadata", "children"])
TEXTS = st.text(alphabet="abA, 1.-2e", max_size=5)
NUMBERS = st.sampled_from(["0", "1", "-2", "1.5", "12", "1e1", "10"])
REGEXES = st.sampled_from(["^a", "b$", "a.b", "(a|b)+", "[a-b]{2}", "^$", "x"])
SCALARS = st.one_of(TEXTS, NUMBERS, st.integers(-20, 20), st.booleans(), st.none(), st.floats(-5, 5))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)


@st.composite
def expressions(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["bare", "text", "number", "word", "regex"]))
    blank = draw(st.sampled_from(["", " "]))
    if kind == "bare":
        return draw(st.sampled_from(["*", "!*"]))
    if kind == "number":
        return f"#{draw(st.sampled_from(['==', '!=', '>', '>=', '<', '<=']))}{blank}{draw(NUMBERS)}"
    if kind == "word":
        negation = draw(st.sampled_from(["", "!"]))
        return f"{negation}{draw(st.sampled_from(['starts', 'ends', 'contains', 'tag']))} {draw(TEXTS)}"
    if kind == "regex":
        return f"{draw(st.sampled_from(['=~', '!~']))}{blank}{draw(REGEXES)}"
    # a blank always: without one, "> =x" and ">=x" would be told apart by nobody
    return f"{draw(st.sampled_from(['==', '!=', '>', '>=', '<', '<=']))} {draw(TEXTS)}"


def filters() -> st.SearchStrategy[Any]:
    leaf = st.one_of(expressions(), st.lists(expressions(), max_size=2))
    return st.recursive(
        st.dictionaries(NAMES, leaf, max_size=3),
        lambda inner: st.dictionaries(
            NAMES, st.one_of(leaf, inner, st.lists(st.one_of(inner, expressions()), max_size=2)), max_size=3
        ),
        max_leaves=6,
    )


@pytest.mark.slow
@settings(max_examples=200)
@given(st.lists(filters(), max_size=3), st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_scope_matches_what_a_naive_reading_of_it_matches(
    scope: list[Any], members: dict[str, Any]
) -> None:
    assert matches(parse_scope(scope), Candidate(members)) is naive_match(scope, members)


@given(filters(), filters(), st.dictionaries(NAMES, VALUES, max_size=4))
def test_alternatives_match_when_either_of_them_does(one: Any, other: Any, members: dict[str, Any]) -> None:
    candidate = Candidate(members)
    either = matches(parse_scope([one]), candidate) or matches(parse_scope([other]), candidate)
    assert matches(parse_scope([one, other]), candidate) is either
