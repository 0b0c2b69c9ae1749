"""Values of data objects on their way into JSON, piece by piece."""

from __future__ import annotations

import base64
import codecs
import json
from typing import Protocol

from cluster_worker.runtime.streams import StreamBroken
from op_worker.files.model import ContentReader
from op_worker.http.cdmi.bodies.members import Encoding

PIECE_B = 3 * 262144
"""How much of a value is read at once: whole base64 groups, below the reader's limit of 1 MiB."""


class ValueEncoder(Protocol):
    """Turns bytes into the inside of a JSON string."""

    def encode(self, piece: bytes, *, is_last: bool) -> bytes:
        """Return the JSON text of the next piece. Raises UnicodeDecodeError for what is no text."""


class Base64Encoder:
    """RFC 4648 base64; every piece but the last has a length divisible by 3."""

    def encode(self, piece: bytes, *, is_last: bool) -> bytes:
        return base64.b64encode(piece)


class Utf8Encoder:
    """Text with JSON escapes; characters may be cut anywhere between pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")

    def encode(self, piece: bytes, *, is_last: bool) -> bytes:
        text = self._decoder.decode(piece, is_last)
        return json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8")


def encoder_for(encoding: Encoding) -> ValueEncoder:
    """Return a new encoder."""
    return Utf8Encoder() if encoding is Encoding.UTF8 else Base64Encoder()


def encoded_length_b(encoding: Encoding, size_b: int) -> int | None:
    """Return how long ``size_b`` bytes get; ``None`` when that depends on the bytes."""
    return 4 * ((size_b + 2) // 3) if encoding is Encoding.BASE64 else None


class ValueStream:
    """A ``ByteStream``: ``head``, the encoded bytes of a range of a file, ``tail``.

    Args:
        head: JSON up to and with the quote that opens the value.
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
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    at_b = 0
    try:
        while at_b < size_b:
            piece = await reader.read(at_b, min(PIECE_B, size_b - at_b))
            if not piece:
                break
            at_b += len(piece)
            decoder.decode(piece)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True
