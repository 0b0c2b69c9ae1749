"""Values of data objects on their way into JSON, piece by piece."""

from __future__ import annotations

import codecs
import json
from collections.abc import AsyncIterator
from typing import Protocol

import pybase64

from cluster_worker.runtime.streams import StreamBroken
from op_worker.files.model import ContentReader
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.json_stream.events import InvalidJson, Take
from op_worker.json_stream.reader import JsonReader

PIECE_B = 3 * 65536
"""How much of a value is read at once: whole base64 groups, which get 256 KiB long.

Text is gone through several times; longer pieces would not stay in the processor's caches meanwhile.
"""


_COMMON_ESCAPES = ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\t", b"\\t"))
_RARELY_ESCAPED = bytes(range(0x20)).translate(None, b"\n\r\t")


class ValueEncoder(Protocol):
    """Turns bytes into the inside of a JSON string, or into a JSON value."""

    def encode(self, piece: bytes, *, is_last: bool) -> bytes:
        """Return the JSON text of the next piece. Raises UnicodeDecodeError for what is no text."""


class Base64Encoder:
    """RFC 4648 base64; every piece but the last has a length divisible by 3."""

    def encode(self, piece: bytes, *, is_last: bool) -> bytes:
        return pybase64.b64encode(piece)


class Utf8Encoder:
    """Text with JSON escapes; characters may be cut anywhere between pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def encode(self, piece: bytes, *, is_last: bool) -> bytes:
        data = self._rest + piece if self._rest else piece
        end = _text_end(data, is_last=is_last)
        text, self._rest = (data, b"") if end == len(data) else (data[:end], data[end:])
        return _escaped(text)


class JsonEncoder:
    """Bytes that are JSON already."""

    def encode(self, piece: bytes, *, is_last: bool) -> bytes:
        return piece


def encoder_for(encoding: Encoding) -> ValueEncoder:
    """Return a new encoder."""
    if encoding is Encoding.BASE64:
        return Base64Encoder()
    return JsonEncoder() if encoding is Encoding.JSON else Utf8Encoder()


def around(encoding: Encoding) -> tuple[bytes, bytes]:
    """Return what stands before and after the encoded bytes to make a JSON value of them."""
    return (b"", b"") if encoding is Encoding.JSON else (b'"', b'"')


def encoded_length_b(encoding: Encoding, size_b: int) -> int | None:
    """Return how long ``size_b`` bytes get; ``None`` when that depends on the bytes."""
    if encoding is Encoding.BASE64:
        return 4 * ((size_b + 2) // 3)
    return size_b if encoding is Encoding.JSON else None


class ValueStream:
    """A ``ByteStream``: ``head``, the encoded bytes of a range of a file, ``tail``.

    Args:
        head: JSON up to the encoded bytes; ``tail``: after them.
        offset_b, size_b: the range, which lies inside the file.
    """

    def __init__(
        self, head: bytes, reader: ContentReader, offset_b: int, size_b: int, encoding: Encoding, tail: bytes
    ) -> None:
        self._head, self._tail = head, tail
        self._reader, self._at_b, self._left_b = reader, offset_b, size_b
        self._encoder = encoder_for(encoding)

    async def read(self) -> bytes:
        """Return the next piece of JSON.

        Raises:
            StreamBroken: the file changed meanwhile and can no longer be sent as announced.
        """
        if self._left_b == 0:
            end, self._head, self._tail = self._head + self._tail, b"", b""
            return end
        wanted_b = min(PIECE_B, self._left_b)
        piece = await self._reader.read(self._at_b, wanted_b)
        if len(piece) < wanted_b:
            raise StreamBroken("the value became shorter while it was sent")
        self._at_b += wanted_b
        self._left_b -= wanted_b
        try:
            text = self._encoder.encode(piece, is_last=self._left_b == 0)
        except UnicodeDecodeError:
            raise StreamBroken("the value ceased to be text while it was sent") from None
        head, self._head = self._head, b""
        return head + text


async def is_text(reader: ContentReader, size_b: int) -> bool:
    """Whether the first ``size_b`` bytes of a file are UTF-8."""
    rest = b""
    try:
        async for piece in _pieces(reader, size_b):
            data = rest + piece if rest else piece
            rest = data[_text_end(data, is_last=False) :]
        _text_end(rest, is_last=True)
    except UnicodeDecodeError:
        return False
    return True


async def is_json(reader: ContentReader, size_b: int) -> bool:
    """Whether the first ``size_b`` bytes of a file are one JSON value that can stand inside of JSON."""
    checked = JsonReader(top=Take.TEXT)
    is_first = True
    try:
        async for piece in _pieces(reader, size_b):
            if is_first and piece.startswith(codecs.BOM_UTF8):
                return False
            is_first = False
            checked.feed(piece)
        checked.finish()
    except InvalidJson:
        return False
    return True


async def _pieces(reader: ContentReader, size_b: int) -> AsyncIterator[bytes]:
    at_b = 0
    while at_b < size_b:
        piece = await reader.read(at_b, min(PIECE_B, size_b - at_b))
        if not piece:
            return
        at_b += len(piece)
        yield piece


def _escaped(text: bytes) -> bytes:
    """Return UTF-8 as the inside of a JSON string: what is rare in text goes a slower way."""
    if len(text.translate(None, _RARELY_ESCAPED)) != len(text):
        return json.dumps(text.decode("utf-8"), ensure_ascii=False)[1:-1].encode("utf-8")
    for character, escape in _COMMON_ESCAPES:
        text = text.replace(character, escape)
    return text


def _text_end(data: bytes, *, is_last: bool) -> int:
    """Return where the last whole character ends. Raises UnicodeDecodeError for what is no UTF-8."""
    return len(data) if data.isascii() else codecs.utf_8_decode(data, "strict", is_last)[1]
