"""Bodies that enqueue: members of arrays, and values that come in any pieces."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadData, BadValueNotAllowed, MalformedData, MissingRequiredValue, NotSupported
from op_worker.files.model import Json
from op_worker.files.queues.values import ValueType
from op_worker.http.cdmi.bodies.sent_values import SentValues
from op_worker.http.cdmi.queues.bodies import (
    EnqueueBody,
    default_type,
    parse_enqueue_body,
    parse_queue_body,
)
from op_worker.http.cdmi.requests.queries import Span, parse_query
from tests.support.immediate import now
from tests.support.pieces import Pieces


def received(text: bytes, body: EnqueueBody, size_b: int = 1000) -> list[bytes]:
    """Return the values of an array that comes in pieces."""

    async def receive() -> list[bytes]:
        values, found = SentValues(Pieces(text, size_b), body.encoding), []
        while (value := await values.next()) is not None:
            parts = []
            while part := await value.read():
                parts.append(part)
            found.append(b"".join(parts))
        assert values.count == len(found)
        return found

    return now(receive())


@given(st.lists(st.text(max_size=20), max_size=5), st.integers(1, 30), st.booleans())
def test_values_are_the_same_in_whatever_pieces_they_come(
    texts: list[str], size_b: int, is_ascii: bool
) -> None:
    raw = json.dumps(texts, ensure_ascii=is_ascii).encode()
    assert received(raw, EnqueueBody(), size_b) == [text.encode() for text in texts]


@given(st.lists(st.binary(max_size=20), max_size=5), st.integers(1, 30))
def test_values_in_base64_are_the_same_in_whatever_pieces_they_come(data: list[bytes], size_b: int) -> None:
    raw = json.dumps([base64.b64encode(one).decode() for one in data]).encode()
    assert received(raw, EnqueueBody(encodings=["base64"] * len(data)), size_b) == data


@pytest.mark.parametrize("raw", [b'"text"', b"{}", b"[1]", b"[[]]", b'["a", {}]', b"null"])
def test_what_is_no_array_of_strings_is_refused(raw: bytes) -> None:
    with pytest.raises(BadData, match="array of strings"):
        received(raw, EnqueueBody())


def test_what_is_no_json_is_refused() -> None:
    for raw in (b"", b'["a"', b'["a"] x', b'["a",]'):
        with pytest.raises((MalformedData, BadData)):
            received(raw, EnqueueBody())


def test_an_array_of_encodings_that_ends_early_is_refused_at_once() -> None:
    with pytest.raises(BadData, match="one for each value"):
        received(b'["a", "b"]', EnqueueBody(encodings=["utf-8"]))


def test_arrays_count_before_what_values_say_of_themselves() -> None:
    sent = [ValueType("a/b", "base64"), default_type()]
    assert EnqueueBody().types(sent) == sent
    body = parse_enqueue_body({"mimetype": ["X/Y", "z/z"]}, has_value=True)
    assert body.types(sent) == [ValueType("x/y", "base64"), ValueType("z/z", "utf-8")]
    with pytest.raises(BadData):
        body.types(sent[:1])


@pytest.mark.parametrize(
    ("members", "has_value", "error"),
    [
        ({}, False, MissingRequiredValue),
        ({"copy": "/a"}, True, MalformedData),
        ({"copy": "/a", "move": "/b"}, False, MalformedData),
        ({"copy": 1}, False, BadData),
        ({"mimetype": "a/b"}, True, BadData),
        ({"mimetype": [1]}, True, BadData),
        ({"mimetype": ["nothing"]}, True, BadData),
        ({"valuetransferencoding": ["json"]}, True, BadValueNotAllowed),
    ],
)
def test_members_that_cannot_be_are_refused(
    members: dict[str, Json], has_value: bool, error: type[Exception]
) -> None:
    with pytest.raises(error):
        parse_enqueue_body(members, has_value=has_value)


def test_a_queue_is_made_without_values() -> None:
    assert parse_queue_body({"metadata": {"a": 1}}).metadata == {"a": 1}
    assert parse_queue_body({"deserialize": "/a"}).deserialize == "/a"
    with pytest.raises(BadData):
        parse_queue_body({"value": ["a"]})
    with pytest.raises(NotSupported):
        parse_queue_body({"serialize": "/a"})


def test_values_are_asked_for_by_their_count_or_by_their_numbers() -> None:
    assert parse_query(b"values:3").values == 3
    assert parse_query(b"values:0-3").values == Span(0, 3)
    assert parse_query(b"value").values is None
    for bad in (b"values", b"values:", b"values:3-1", b"values:x", b"values:1;values:2"):
        with pytest.raises(BadData):
            parse_query(bad)
