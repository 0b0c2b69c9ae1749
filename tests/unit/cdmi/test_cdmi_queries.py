"""The query part of CDMI URIs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadData
from op_worker.http.cdmi.requests.queries import Query, Span, parse_query


def test_no_query_wants_every_field() -> None:
    assert parse_query(b"") == Query()
    assert parse_query(b"").wants("value")


def test_listed_fields_are_the_only_ones_wanted() -> None:
    query = parse_query(b"objectID;metadata;")
    assert query.wants("objectID") and query.wants("metadata") and not query.wants("value")


def test_ranges_of_value_and_children_are_read() -> None:
    query = parse_query(b"value:0-3;children:2-2")
    assert (query.value, query.children) == (Span(0, 3), Span(2, 2))
    assert query.wants("value") and query.wants("children")


def test_metadata_arguments_are_decoded_and_keep_their_dashes() -> None:
    query = parse_query(b"metadata:my-key;metadata:%40user;metadata:a%3Bb%3A")
    assert query.metadata == ("my-key", "@user", "a;b:")


def test_whole_metadata_beside_a_prefix_means_all() -> None:
    assert parse_query(b"metadata:a;metadata").metadata == ()


def test_unknown_items_are_kept_and_match_nothing() -> None:
    query = parse_query(b"nonsense:1-2;values:3")
    assert not query.wants("value") and query.value is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (b"value:3-2", "range"),
        (b"value:a-b", "range"),
        (b"value:-3", "range"),
        (b"value:3", "range"),
        (b"value:", "range"),
        (b";".join([b"value:0-1"] * 65), "range"),
        (b"children:0-1;children:3-4", "childrenrange"),
        (b"value:0-9999999999999999999999", "range"),
        (b"value:\xd9\xa1-\xd9\xa2", "range"),
        (b"children:5-1", "childrenrange"),
        (b"children:x", "childrenrange"),
        (b"metadata:%ff", "query string"),
        (b"metadata:%zz", "query string"),
    ],
)
def test_malformed_items_are_refused_with_their_key(text: bytes, key: str) -> None:
    with pytest.raises(BadData) as refusal:
        parse_query(text)
    assert refusal.value.key == key


def test_several_ranges_of_the_value_are_read_and_no_one_is_the_only_one() -> None:
    query = parse_query(b"value:3-4;value:0-1")
    assert query.value_ranges == (Span(3, 4), Span(0, 1))
    with pytest.raises(BadData) as refusal:
        _ = query.value
    assert refusal.value.key == "range"
    assert parse_query(b"value:3-4").value == Span(3, 4)
    assert parse_query(b"value").value is None


@given(st.binary(max_size=60))
def test_any_query_is_parsed_or_refused(text: bytes) -> None:
    try:
        parse_query(text)
    except BadData:
        pass
