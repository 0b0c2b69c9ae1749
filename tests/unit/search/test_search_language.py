"""The query language: what is understood, and what is said of the rest."""

from __future__ import annotations

import pytest

from onedata.errors import BadData
from op_worker.search.compiling import Order, statement
from op_worker.search.grammar import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, parse_query
from op_worker.search.syntax import (
    And,
    Attribute,
    Comparison,
    Has,
    Instant,
    Not,
    Number,
    Operator,
    Or,
    Part,
    Query,
    Source,
)

A = Has(Attribute("xattr"))
B = Has(Attribute("json"))
C = Has(Attribute("rdf"))


def refusal(text: str) -> str:
    """Return the hint that a bad query is refused with, here or when it is compiled."""
    with pytest.raises(BadData) as refused:
        statement(parse_query(text), "root", Order.NAME, None, 1, descending=False)
    assert refused.value.key == "query"
    return refused.value.hint or ""


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ('name="a"', Comparison(Attribute("name"), Operator.EQ, "a")),
        (' name ~ "*.tif" ', Comparison(Attribute("name"), Operator.GLOB, "*.tif")),
        ("size>=10M", Comparison(Attribute("size"), Operator.GE, Number(10 * 2**20, "10M"))),
        ("size < 1.5KiB", Comparison(Attribute("size"), Operator.LT, Number(1536.0, "1.5KiB"))),
        ("mtime > 1970-01-02", Comparison(Attribute("mtime"), Operator.GT, Instant(86400.0))),
        ("mtime > 1970-01-01T01:00+01:00", Comparison(Attribute("mtime"), Operator.GT, Instant(0.0))),
        ("json.a.b[2] != true", Comparison(Part(Source.JSON, ("a", "b", 2)), Operator.NE, True)),
        ("json[0] = null", Comparison(Part(Source.JSON, (0,)), Operator.EQ, None)),
        ('xattr."a b" = "\\u017c\\n"', Comparison(Part(Source.XATTR, ("a b",)), Operator.EQ, "\u017c\n")),
        ("has(json.and.or.not)", Has(Part(Source.JSON, ("and", "or", "not")))),
        ("has(xattr) or has(json) and not has(rdf)", Or((A, And((B, Not(C)))))),
        ("(has(xattr) or has(json)) and has(rdf)", And((Or((A, B)), C))),
        ("has(xattr) and has(json) and has(rdf)", And((A, B, C))),
        ("(" * 500 + "has(xattr)" + ")" * 500, A),
    ],
)
def test_a_query_means_what_it_says(text: str, meaning: Query) -> None:
    assert parse_query(text) == meaning


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "at character 1: found the end, expected ( or a field or has or not"),
        ("name = ", "at character 8: found the end, expected a date or a number or a text"),
        ("(has(json)", "at character 11: found the end, expected )"),
        ("has(json) has(rdf)", "at character 11: found 'has', expected"),
        ("size ! 3", "at character 6: found '! 3', expected"),
        ('name = "abc', "at character 8: found"),
        ("colour = 3", "at character 1: no field is called so; there are name, path"),
        ("name.x = 3", "at character 1: no field is called so"),
        ("json = 3", "use has(json)"),
        ("mtime > 2026-13-01", "at character 9: there is no such date"),
        ("size > 1e999", "at character 8: the number is too large"),
        ('name = "\\ud800"', "at character 8: a text is written as in JSON"),
        ("xattr[1] = 2", "an attribute's name follows xattr"),
        ("json[1.5] = 2", "at character 6: a position is a whole number"),
        ("not " * (MAX_DEPTH + 1) + "has(json)", "levels deep"),
        (" or ".join(["has(json)"] * (MAX_TERMS + 1)), "comparisons"),
        ("x" * (MAX_LENGTH + 1), "characters"),
        ('size = "big"', "size is compared with numbers"),
        ("name = 3", "name is compared with texts"),
        ("name ~ 3", "name is compared with texts"),
        ("size ~ 3", "~ is compared with texts"),
        ("json.a ~ 3", "~ is compared with texts"),
        ("mode = 999", "mode is compared with octal digits"),
        ('mtime > "yesterday"', "mtime is compared with dates"),
        ("json.a > 2026-01-01", "a date is compared with"),
        ("json.a > true", "true, false and null is compared with"),
        ('type = "pipe"', "type is compared with"),
        ('type > "file"', "type is compared with = or !="),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(text: str, hint: str) -> None:
    assert hint in refusal(text)


def test_the_longest_query_compiles_to_sql_that_runs() -> None:
    import sqlite3

    from op_worker.search.schema import TABLES

    connection = sqlite3.connect(":memory:")
    connection.executescript(TABLES)
    terms = [f'json.k{number} != "x"' for number in range(MAX_TERMS)]
    for text in (" or ".join(terms), " and ".join(terms), "not " * (MAX_DEPTH - 1) + 'path ~ "*"'):
        made = statement(parse_query(text), "root", Order.NAME, None, 1, descending=True)
        assert connection.execute(made.sql, made.parameters).fetchall() == []
