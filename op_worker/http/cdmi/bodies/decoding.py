"""Values on their way in: from JSON text, in pieces, to the bytes that are stored. Pure."""

from __future__ import annotations

import binascii
from typing import Protocol

import pybase64

from onedata.errors import BadData, BadValueString
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.json_stream.grammar import unescaped


class ValueDecoder(Protocol):
    """Turns the JSON text of a value into bytes.

    The pieces are those of ``op_worker.json_stream``: the first begins with the first character of the
    value, no escape and no character is cut between two of them.
    """

    def decode(self, text: bytes, *, is_last: bool) -> bytes:
        """Return the bytes that the next piece brings.

        Raises:
            BadValueString: the value is no string (key ``value``).
            BadData: it is not what its encoding says (key ``base64``).
        """


class _StringInside:
    """Takes the quotes off."""

    def __init__(self) -> None:
        self._is_begun = False

    def of(self, text: bytes, *, is_last: bool) -> bytes:
        first = 0
        if not self._is_begun and text:
            self._is_begun, first = True, 1
            if not text.startswith(b'"'):
                raise BadValueString("value")
        return text[first:-1] if is_last else text[first:]


class Utf8Decoder:
    """The text of a JSON string, in UTF-8."""

    def __init__(self) -> None:
        self._inside = _StringInside()

    def decode(self, text: bytes, *, is_last: bool) -> bytes:
        return _plain(self._inside.of(text, is_last=is_last))


class Base64Decoder:
    """What RFC 4648 base64 in a JSON string means."""

    def __init__(self) -> None:
        self._inside = _StringInside()
        self._rest, self._is_padded = b"", False

    def decode(self, text: bytes, *, is_last: bool) -> bytes:
        piece = _plain(self._inside.of(text, is_last=is_last))
        whole = self._rest + piece if self._rest else piece
        end = len(whole) if is_last else len(whole) & ~3
        self._rest = whole[end:]
        if not end:
            return b""
        if self._is_padded:
            raise BadData("base64", "the value goes on behind its padding")
        groups = whole[:end]
        self._is_padded = groups.endswith(b"=")
        try:
            return pybase64.b64decode(groups, validate=True)
        except binascii.Error:
            raise BadData("base64", "the value is not base64") from None


class JsonDecoder:
    """Any JSON value, kept as the text that was sent."""

    def decode(self, text: bytes, *, is_last: bool) -> bytes:
        return text


def decoder_for(encoding: Encoding) -> ValueDecoder:
    """Return a new decoder."""
    if encoding is Encoding.BASE64:
        return Base64Decoder()
    return JsonDecoder() if encoding is Encoding.JSON else Utf8Decoder()


def _plain(inside: bytes) -> bytes:
    return unescaped(inside).encode("utf-8") if b"\\" in inside else inside
