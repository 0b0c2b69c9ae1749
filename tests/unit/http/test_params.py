"""Typed parameters: coercion, bounds, the errors of the reference."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.http.params import (
    Boolean,
    Choice,
    Integer,
    JsonObject,
    Kind,
    Octal,
    Param,
    Text,
    TextList,
    parse_query,
    sanitise,
)
from onedata.errors import OnedataError


def refused(kind: Kind, value: Any) -> dict[str, Any]:
    with pytest.raises(OnedataError) as caught:
        sanitise([Param("key", kind)], {"key": value})
    return {"id": caught.value.id, **(caught.value.details or {})}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Boolean(), True, True),
        (Boolean(), "false", False),
        (Integer(), 7, 7),
        (Integer(), "-12", -12),
        (Integer(1, 10), "10", 10),
        (Octal(0, 0o1777), "0644", 0o644),
        (Octal(0, 0o1777), "1777", 0o1777),
        (Text(), "word", "word"),
        (Choice(("a", "b")), "b", "b"),
        (TextList(), "one", ["one"]),
        (TextList(or_one=False), ["one", "two"], ["one", "two"]),
        (JsonObject(), {"a": 1}, {"a": 1}),
    ],
)
def test_good_values_come_out_typed(kind: Kind, value: Any, expected: Any) -> None:
    assert sanitise([Param("key", kind)], {"key": value}) == {"key": expected}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Boolean(), "yes", {"id": "badValueBoolean", "key": "key"}),
        (Boolean(), 1, {"id": "badValueBoolean", "key": "key"}),
        (Integer(), "1.5", {"id": "badValueInteger", "key": "key"}),
        (Integer(), True, {"id": "badValueInteger", "key": "key"}),
        (Integer(), "٣", {"id": "badValueInteger", "key": "key"}),
        (Integer(), "1_0", {"id": "badValueInteger", "key": "key"}),
        (Integer(), "9" * 40, {"id": "badValueInteger", "key": "key"}),
        (Integer(low=0), -1, {"id": "badValueTooLow", "key": "key", "limit": 0}),
        (Integer(high=5), 6, {"id": "badValueTooHigh", "key": "key", "limit": 5}),
        (Integer(1, 10), 11, {"id": "badValueNotInRange", "key": "key", "low": 1, "high": 10}),
        (Octal(0, 0o1777), "0493", {"id": "badValueInteger", "key": "key"}),
        (Octal(0, 0o1777), 644, {"id": "badValueInteger", "key": "key"}),
        (Octal(0, 0o1777), "2000", {"id": "badValueNotInRange", "key": "key", "low": 0, "high": 1023}),
        (Text(), 5, {"id": "badValueString", "key": "key"}),
        (Text(), "", {"id": "badValueEmpty", "key": "key"}),
        (Choice(("a", "b")), "c", {"id": "badValueNotAllowed", "key": "key", "allowed": ["a", "b"]}),
        (Choice(("a", "b")), ["a"], {"id": "badValueNotAllowed", "key": "key", "allowed": ["a", "b"]}),
        (TextList(), [1], {"id": "badValueListOfStrings", "key": "key"}),
        (TextList(or_one=False), "one", {"id": "badValueListOfStrings", "key": "key"}),
        (JsonObject(), "[]", {"id": "badValueJSON", "key": "key"}),
    ],
)
def test_wrong_values_give_the_error_of_the_reference(kind: Kind, value: Any, expected: Any) -> None:
    assert refused(kind, value) == expected


def test_missing_values_take_defaults_and_null_counts_as_missing() -> None:
    params = [Param("limit", Integer(), default=1000), Param("token", Text())]
    assert sanitise(params, {"limit": None, "other": 1}) == {"limit": 1000, "token": None}


def test_a_required_value_must_be_given() -> None:
    with pytest.raises(OnedataError) as caught:
        sanitise([Param("name", Text(), required=True)], {})
    assert caught.value.to_json()["details"] == {"key": "name"}


def test_an_alias_stands_for_the_name() -> None:
    assert sanitise([Param("name", Text(), aliases=("old_name",))], {"old_name": "x"}) == {"name": "x"}


def test_query_strings_know_lists_flags_and_escapes() -> None:
    assert parse_query(b"a=1&b&a=2&a=3&c=%C4%8D+x&&d=") == {
        "a": ["1", "2", "3"],
        "b": True,
        "c": "č x",
        "d": "",
    }


@given(st.binary(max_size=60))
def test_any_bytes_are_a_query_string(query: bytes) -> None:
    assert isinstance(parse_query(query), dict)
