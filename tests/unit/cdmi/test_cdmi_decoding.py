"""Values in JSON text, in pieces, become the bytes that they mean."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadData, BadValueString
from op_worker.http.cdmi.bodies.decoding import decoder_for
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.json_stream.events import Piece, Take
from op_worker.json_stream.reader import JsonReader

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)


def decoded(value: bytes, encoding: Encoding, size: int) -> bytes:
    """Decode the JSON text of a value that comes in chunks of ``size`` bytes."""
    decoder = decoder_for(encoding)
    pieces = [decoder.decode(piece.text, is_last=piece.is_last) for piece in _pieces(value, size)]
    return b"".join(pieces)


def _pieces(value: bytes, size: int) -> Iterator[Piece]:
    reader = JsonReader(lambda _: Take.TEXT)
    raw = b'{"value": ' + value + b"}"
    for at in range(0, len(raw), size):
        yield from (event for event in reader.feed(raw[at : at + size]) if isinstance(event, Piece))
    reader.finish()


@given(st.binary(max_size=60), st.booleans())
def test_base64_is_decoded_wherever_it_is_cut(data: bytes, has_escapes: bool) -> None:
    text = base64.b64encode(data)
    value = b'"' + (text.replace(b"/", b"\\/") if has_escapes else text) + b'"'
    for size in range(1, len(value) + 12):
        assert decoded(value, Encoding.BASE64, size) == data


@given(TEXTS, st.booleans())
def test_text_is_decoded_wherever_it_is_cut(text: str, ascii_only: bool) -> None:
    value = json.dumps(text, ensure_ascii=ascii_only).encode()
    for size in range(1, len(value) + 12):
        assert decoded(value, Encoding.UTF8, size) == text.encode()


@pytest.mark.parametrize("value", [b"null", b"-1.5e3", b'"a\\u0041"', b'[1, {"a" : [] }]', b'{"\xc3\xa9":1}'])
def test_json_is_kept_as_it_was_sent(value: bytes) -> None:
    for size in range(1, len(value) + 12):
        assert decoded(value, Encoding.JSON, size) == value


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "ab=",
        "!!!!",
        "YWJj\\n",
        "YW Jj",
        "====",
        "YWJj=",
        "\u017c",
        "\\u017c",
        "YWJjZA",
        "YQ==YQ==",
        "YQ==" + "A" * 40,
        "A" * 41,
        "A=AA" + "A" * 40,
    ],
)
def test_text_that_is_not_base64_is_refused_wherever_it_is_cut(text: str) -> None:
    for size in range(1, 60):
        with pytest.raises(BadData) as refusal:
            decoded(f'"{text}"'.encode(), Encoding.BASE64, size)
        assert refusal.value.key == "base64"


@pytest.mark.parametrize("value", [b"1", b"null", b"true", b"{}", b'["YQ=="]'])
@pytest.mark.parametrize("encoding", [Encoding.UTF8, Encoding.BASE64])
def test_value_that_is_no_string_is_refused(value: bytes, encoding: Encoding) -> None:
    for size in (1, 4, 100):
        with pytest.raises(BadValueString):
            decoded(value, encoding, size)
