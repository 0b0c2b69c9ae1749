"""Matching expressions: what each operator asks, and which texts are none."""

from __future__ import annotations

import time

import pytest

from onedata.errors import BadData
from op_worker.queue_services.expressions import MAX_CONSTANT, MAX_REGEX, parse_expression

HOLDS = [
    ("== abc", "abc", "ABC"),
    ("==abc", "abc", " abc"),
    ("==  abc", " abc", "abc"),
    ("!= abc", "ABC", "abc"),
    ("> b", "ba", "b"),
    (">= b", "b", "az"),
    ("< b", "az", "b"),
    ("<= b", "b", "ba"),
    ("> 9", "a", "10"),
    ("#> 9", "10", "a"),
    ("#>= 9", "9.0", "8.99"),
    ("#== 100", "1e2", "100.01"),
    ("#!= 100", "99", "1e2"),
    ("#< -1", "-1.5", "0"),
    ("#<= .5", "0.5", "0.51"),
    ("starts ab", "abc", "bab"),
    ("!starts ab", "bab", "abc"),
    ("ends bc", "abc", "bcd"),
    ("!ends bc", "bcd", "abc"),
    ("contains b", "abc", "aBc"),
    ("!contains b", "aBc", "abc"),
    ("tag Red", "blue, red", "reddish, blue"),
    ("!tag red", "reddish", "RED"),
    ("=~ ^a(b|c)+$", "abcb", "abd"),
    ("!~ [[:digit:]]{3}", "12a", "a123"),
]


@pytest.mark.parametrize(("text", "fits", "fails"), HOLDS)
def test_an_operator_tells_what_fits_from_what_does_not(text: str, fits: str, fails: str) -> None:
    expression = parse_expression(text)
    assert expression.holds([fits])
    assert not expression.holds([fails])
    assert not expression.holds_of_nothing


def test_stars_ask_for_being_there_alone() -> None:
    assert parse_expression("*").holds([""])
    assert not parse_expression("!*").holds([""])
    assert parse_expression("!*").holds_of_nothing
    assert not parse_expression("*").holds_of_nothing


@pytest.mark.parametrize("operator", ["#==", "#!=", "#>", "#>=", "#<", "#<="])
@pytest.mark.parametrize("value", ["", "ten", "1_0", "0x1", "nan", "inf", "1e99999", "1 2", "٣"])
def test_what_is_no_number_answers_no_numeric_question(operator: str, value: str) -> None:
    assert not parse_expression(f"{operator} 10").holds([value])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "= abc",
        "startsabc",
        "*x",
        "!* ",
        "#== ten",
        "#starts 1",
        "=~ (",
        r"=~ \d",
        "=~ (?i)a",
        "=~ " + "a" * (MAX_REGEX + 1),
        "=~ ((a{1,900}){1,900}){1,900}",
        "== " + "a" * (MAX_CONSTANT + 1),
    ],
)
def test_what_is_no_expression_is_refused_by_its_key(text: str) -> None:
    with pytest.raises(BadData) as refusal:
        parse_expression(text)
    assert refusal.value.key == "cdmi_scope_specification"


def test_a_regular_expression_that_is_slow_elsewhere_takes_no_time() -> None:
    expression = parse_expression("=~ ^(a*)*(a|aa)+$")
    began_s = time.perf_counter()
    assert not expression.holds(["a" * 60_000 + "b"])
    assert time.perf_counter() - began_s < 1.0


def test_lines_are_part_of_a_value() -> None:
    assert parse_expression("=~ a.b").holds(["a\nb"])
    assert not parse_expression("=~ ^b").holds(["a\nb"])
