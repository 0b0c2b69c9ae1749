"""Expressions over storages: what is written, what it means, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import InvalidQosExpression
from op_worker.qos_expression.evaluation import matching
from op_worker.qos_expression.grammar import MAX_LENGTH, MAX_OPERANDS, parse_expression
from op_worker.qos_expression.syntax import AnyStorage, Comparison, Expression, Join, Joined, Relation

STORAGES: dict[str, dict[str, str | float]] = {
    "disk": {"type": "disk", "tier": 1.0, "storageId": "disk"},
    "ssd": {"type": "ssd", "tier": 2.0, "fast lane": "yes", "storageId": "ssd"},
    "tape": {"type": "tape", "tier": "1", "storageId": "tape"},
    "bare": {"storageId": "bare"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anyStorage", {"disk", "ssd", "tape", "bare"}),
        ("type=disk", {"disk"}),
        ('"type" = "disk"', {"disk"}),
        ("tier=1", {"disk"}),
        ("tier = 1.0", {"disk"}),
        ("tier >= 1", {"disk", "ssd"}),
        ("tier < 1.5e0", {"disk"}),
        ("tier>1|type=tape", {"ssd", "tape"}),
        ("fast lane=yes", {"ssd"}),
        (r"anyStorage \ type=disk", {"ssd", "tape", "bare"}),
        ("type=disk | type=ssd & tier=2", {"ssd"}),
        ("type=disk | (type=ssd & tier=2)", {"disk", "ssd"}),
        ("storageId=bare", {"bare"}),
        ("type=no such", set()),
        ("tier=-1", set()),
    ],
)
def test_an_expression_is_about_the_storages_that_match(text: str, expected: set[str]) -> None:
    assert matching(parse_expression(text), STORAGES) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "at character 1: found the end"),
        ("type", "'type' is compared with nothing"),
        ("type=", "at character 6: found the end"),
        ("tier<fast", "'fast' is no number"),
        ("(type=a", "expected ) or one of & | \\"),
        ("a=b c=d", "found '='"),
        ("a=b & & c=d", "at character 7"),
        ("a=b + c", "found '+ c'"),
        ("x" * (MAX_LENGTH + 1), "longer than"),
        ("|".join(["a=b"] * (MAX_OPERANDS + 1)), "more than 100 operands"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_place(text: str, reason: str) -> None:
    with pytest.raises(InvalidQosExpression) as caught:
        parse_expression(text)
    assert reason in caught.value.reason


words = st.from_regex(r"[a-zA-Z_ż][a-zA-Z0-9_.]{0,5}( [a-z]+)?", fullmatch=True).filter(
    lambda word: word != "anyStorage"
)
numbers = st.integers(-1000, 1000).map(float)
comparisons = st.one_of(
    st.builds(Comparison, words, st.just(Relation.EQ), st.one_of(words, numbers)),
    st.builds(Comparison, words, st.sampled_from(list(Relation)), numbers),
)
expressions: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(st.just(AnyStorage()), comparisons),
    lambda inner: st.builds(Joined, inner, st.sampled_from(list(Join)), inner),
    max_leaves=8,
)


@given(expressions)
def test_an_expression_comes_back_from_its_text(expression: Expression) -> None:
    assert parse_expression(str(expression)) == expression


def test_deep_parentheses_end_in_a_value_or_a_refusal() -> None:
    text = "(" * 2000 + "a=b" + ")" * 2000
    assert parse_expression(text) == Comparison("a", Relation.EQ, "b")
