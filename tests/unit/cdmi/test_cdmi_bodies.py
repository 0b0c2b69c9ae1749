"""JSON bodies of CDMI requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadData, BadValueNotAllowed, BadValueString, MalformedData, NotSupported
from op_worker.files.model import Json
from op_worker.http.cdmi.bodies.members import (
    MAX_DEPTH,
    ContainerBody,
    Encoding,
    ObjectBody,
    parse_container_body,
    parse_json_object,
    parse_object_body,
)


def test_empty_body_is_an_empty_object() -> None:
    assert parse_json_object(b"") == parse_json_object(b" \n") == {}


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[1,2]",
        b"null",
        b'"text"',
        b"\xff{}",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":1' + b"0" * 5000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b"[" * 200000,
        b'{"a":' * 100000 + b"1" + b"}" * 100000,
        b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
    ],
)
def test_body_that_is_no_storable_object_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedData):
        parse_json_object(raw)


def test_surrogate_pairs_and_deep_but_bounded_bodies_are_fine() -> None:
    assert parse_json_object(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}
    assert parse_json_object(b'{"a":' * (MAX_DEPTH - 1) + b"1" + b"}" * (MAX_DEPTH - 1))


@given(st.binary(max_size=80))
def test_any_bytes_are_parsed_or_malformed(raw: bytes) -> None:
    try:
        assert isinstance(parse_json_object(raw), dict)
    except MalformedData:
        pass


def test_members_of_an_object_are_taken_over() -> None:
    sent: dict[str, Json] = {
        "valuetransferencoding": "base64",
        "mimetype": "Text/HTML",
        "metadata": {"a": 1},
        "odd": 1,
        "objectID": "what a representation has is ignored",
    }
    assert parse_object_body(sent, has_value=True) == ObjectBody(
        True, Encoding.BASE64, "text/html", {"a": 1}, others={"odd": 1}
    )


def test_members_of_a_container_are_taken_over() -> None:
    assert parse_container_body({"metadata": {}, "copy": "/S/a/"}) == ContainerBody({}, "/S/a/")


@pytest.mark.parametrize("name", ["serialize"])
def test_container_services_that_are_missing_are_refused(name: str) -> None:
    with pytest.raises(NotSupported):
        parse_container_body({name: {}})


def test_two_sources_of_a_value_are_malformed() -> None:
    with pytest.raises(MalformedData):
        parse_object_body({"copy": "/S/a"}, has_value=True)
    with pytest.raises(MalformedData):
        parse_container_body({"move": "/S/b/", "copy": "/S/a/"})


@pytest.mark.parametrize("name", ["mimetype", "copy", "move", "valuetransferencoding"])
def test_members_that_are_no_strings_are_refused(name: str) -> None:
    wrongs: tuple[Json, ...] = (1, None, [], {}, True)
    for wrong in wrongs:
        with pytest.raises(BadValueString):
            parse_object_body({name: wrong}, has_value=False)


def test_unknown_encoding_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadValueNotAllowed) as refusal:
        parse_object_body({"valuetransferencoding": "rot13"}, has_value=False)
    assert list(refusal.value.allowed) == ["utf-8", "base64", "json"]


def test_mimetype_that_breaks_headers_is_refused() -> None:
    with pytest.raises(BadData):
        parse_object_body({"mimetype": "text/plain\r\nX-Evil: 1"}, has_value=False)


@pytest.mark.parametrize("wrong", [1, "x", [], None])
def test_metadata_that_is_no_object_is_refused(wrong: object) -> None:
    with pytest.raises(BadData) as refusal:
        parse_container_body({"metadata": wrong})  # type: ignore[dict-item]  # that is the point
    assert refusal.value.key == "metadata"
