"""The ``Range`` header, and the layout of the answers to it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import frozen

MOST_RANGES = 64
"""A request for more ranges is not satisfied; it would cost more than it is worth."""

_RANGE = re.compile(r"(\d{0,18})-(\d{0,18})")


class RangeNotSatisfiableError(Exception):
    """The header is malformed, or asks for bytes beyond the end."""


@frozen
class ByteRange:
    """Bytes ``first`` to ``last`` of a file, both included."""

    first: int
    last: int

    @property
    def size_b(self) -> int:
        return self.last - self.first + 1

    def content_range(self, size_b: int) -> bytes:
        """Return the ``Content-Range`` of this part of a file of ``size_b`` bytes."""
        return b"bytes %d-%d/%d" % (self.first, self.last, size_b)


def parse_ranges(header: str, size_b: int) -> Sequence[ByteRange]:
    """Return the ranges asked for, in their order, ends clamped to the size of the file.

    Raises:
        RangeNotSatisfiableError: any of them is malformed or begins at or after the end.
    """
    unit, mark, specs = header.partition("=")
    if unit.strip().lower() != "bytes" or not mark:
        raise RangeNotSatisfiableError(header)
    texts = specs.split(",", MOST_RANGES)
    if len(texts) > MOST_RANGES:
        raise RangeNotSatisfiableError(header)
    return [_parse_one(text.strip(), size_b) for text in texts]


def _parse_one(text: str, size_b: int) -> ByteRange:
    match = _RANGE.fullmatch(text)
    if match is None or not text.isascii():
        raise RangeNotSatisfiableError(text)
    first, last = match.groups()
    if first:
        found = ByteRange(int(first), min(int(last), size_b - 1) if last else size_b - 1)
        if last and int(last) < int(first):
            raise RangeNotSatisfiableError(text)
    elif last:
        found = ByteRange(max(0, size_b - int(last)), size_b - 1)
    else:
        raise RangeNotSatisfiableError(text)
    if found.first >= size_b or found.last < found.first:
        raise RangeNotSatisfiableError(text)
    return found


@frozen
class Multipart:
    """The layout of a ``multipart/byteranges`` body.

    ``heads`` go before the bytes of the range at the same position, ``tail`` after the last.
    """

    media_type: bytes
    heads: Sequence[bytes]
    tail: bytes
    length_b: int


def multipart(ranges: Sequence[ByteRange], size_b: int, media_type: bytes, boundary: bytes) -> Multipart:
    """Lay out several ranges of a file of ``size_b`` bytes. ``boundary`` must not occur in the file."""
    heads = [
        b"\r\n--%b\r\nContent-Type: %b\r\nContent-Range: %b\r\n\r\n"
        % (boundary, media_type, part.content_range(size_b))
        for part in ranges
    ]
    tail = b"\r\n--%b--\r\n" % boundary
    length_b = sum(map(len, heads)) + sum(part.size_b for part in ranges) + len(tail)
    return Multipart(b"multipart/byteranges; boundary=" + boundary, heads, tail, length_b)
