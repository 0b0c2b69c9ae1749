"""The serialised form of a token: packets, URL-safe base64, and an escape that leaves letters and digits.

A packet is ``<length, 4 hex digits><key> <value>\\n``; the length counts the whole packet. The packets are
``location``, ``identifier``, one ``cid`` per caveat and ``signature``. Their concatenation is written in
base64 without padding, in which ``0`` becomes ``00``, ``_`` ``01``, ``-`` ``02``, ``/`` ``03``, ``+`` ``04``
and ``=`` ``05``.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator

_ESCAPED = re.compile(r"0([0-5])")
_ALPHANUMERIC = re.compile(r"(?:[1-9A-Za-z]+|0[0-5])*+")
_CHARACTERS = "0_-/+="
_ESCAPES = {ord(character): f"0{digit}" for digit, character in enumerate(_CHARACTERS)}
_HEADER = re.compile(rb"([0-9a-f]{4})([a-z]+) ")
_MAX_PACKET_B = 0xFFFF

Packet = tuple[str, bytes]


class BadEncoding(ValueError):
    """The text is not a serialised token, or a value is too long for a packet (65 KiB)."""


def encode_packets(packets: Iterable[Packet]) -> str:
    """Serialise ``(key, value)`` pairs; raises BadEncoding when a value is too long."""
    data = b"".join(_encode_packet(key, value) for key, value in packets)
    packed = binascii.b2a_base64(data, newline=False).rstrip(b"=").decode()
    return packed.replace("+", "-").replace("/", "_").translate(_ESCAPES)


def _encode_packet(key: str, value: bytes) -> bytes:
    size = 4 + len(key) + 1 + len(value) + 1
    if size > _MAX_PACKET_B:
        raise BadEncoding("too long for a packet")
    return b"%04x%b %b\n" % (size, key.encode(), value)


def decode_packets(text: str) -> list[Packet]:
    """The ``(key, value)`` pairs of a serialised token; raises BadEncoding when it is not one."""
    return list(_split(_unpack(text)))


def _unpack(text: str) -> bytes:
    if _ALPHANUMERIC.fullmatch(text) is None:
        raise BadEncoding("bad character or escape")
    packed = _ESCAPED.sub(lambda match: _CHARACTERS[int(match[1])], text)
    packed = packed.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return binascii.a2b_base64(packed + "=" * (-len(packed) % 4), strict_mode=True)
    except ValueError as bad:
        raise BadEncoding("not base64") from bad


def _split(data: bytes) -> Iterator[Packet]:
    start = 0
    while start < len(data):
        header = _HEADER.match(data, start)
        if header is None:
            raise BadEncoding("bad packet header")
        end = start + int(header[1], 16)
        if end > len(data) or header.end() >= end or data[end - 1] != 0x0A:
            raise BadEncoding("bad packet length")
        yield header[2].decode(), data[header.end() : end - 1]
        start = end
