"""The Redis protocol (RESP 2) without I/O: commands to bytes, bytes to replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Reply = Any
"""``bytes`` (bulk and status), ``int``, ``None``, a list of replies, or a ``ReplyError``."""

MAX_REPLY_B = 256 * 1024 * 1024
_MAX_LINE_B = 64 * 1024
_MAX_ITEMS = 16 * 1024 * 1024
_MAX_DEPTH = 8


class ReplyError(Exception):
    """The server refused a command. ``code`` is the first word of what it said."""

    @property
    def code(self) -> str:
        return str(self).partition(" ")[0]


class BadReply(Exception):
    """What came is not the protocol; the connection is of no more use."""


class _Incomplete(Exception):
    """More bytes are needed, at least up to ``args[0]`` in the buffer."""


def encode_command(words: Sequence[bytes]) -> bytes:
    """Return the bytes of one command."""
    pieces = [b"*%d\r\n" % len(words)]
    pieces += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"".join(pieces)


class ReplyReader:
    """Takes bytes as they come, gives whole replies. A reply longer than ``max_b`` is refused."""

    def __init__(self, max_b: int = MAX_REPLY_B) -> None:
        self._max_b = max_b
        self._buffer = bytearray()
        self._needed = 0

    def feed(self, data: bytes) -> list[Reply]:
        """Return the replies completed by ``data``; raise BadReply."""
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return []
            data = bytes(self._buffer)
            self._buffer.clear()
        replies: list[Reply] = []
        at = 0
        try:
            while at < len(data):
                reply, at = self._parse(data, at, 0)
                replies.append(reply)
        except _Incomplete as more:
            self._keep(data, at, more.args[0])
        return replies

    def _keep(self, data: bytes, start: int, needed: int) -> None:
        self._needed = needed - start
        if self._needed > self._max_b:
            raise BadReply(f"a reply of {self._needed} bytes is too long")
        self._buffer += memoryview(data)[start:]

    def _parse(self, data: bytes, at: int, depth: int) -> tuple[Reply, int]:
        end = data.find(b"\r\n", at)
        if end < 0:
            if len(data) - at > _MAX_LINE_B:
                raise BadReply("a line without an end")
            raise _Incomplete(len(data) + 1)
        kind = data[at]
        if kind == 36:  # $ bulk
            return _bulk(data, end, _number(data, at, end))
        if kind == 58:  # : integer
            return _number(data, at, end), end + 2
        if kind == 42:  # * list
            return self._list(data, end + 2, _number(data, at, end), depth)
        if kind == 43:  # + status
            return data[at + 1 : end], end + 2
        if kind == 45:  # - error
            return ReplyError(data[at + 1 : end].decode("utf-8", "replace")), end + 2
        raise BadReply("an unknown kind of reply")

    def _list(self, data: bytes, at: int, count: int, depth: int) -> tuple[Reply, int]:
        if count < 0:
            return None, at
        if count > _MAX_ITEMS or depth >= _MAX_DEPTH:
            raise BadReply("a list too long or too deep")
        items: list[Reply] = []
        for _ in range(count):
            item, at = self._parse(data, at, depth + 1)
            items.append(item)
        return items, at


def _bulk(data: bytes, end: int, size_b: int) -> tuple[Reply, int]:
    if size_b < 0:
        return None, end + 2
    start = end + 2
    stop = start + size_b
    if stop + 2 > len(data):
        raise _Incomplete(stop + 2)
    return data[start:stop], stop + 2


def _number(data: bytes, at: int, end: int) -> int:
    try:
        return int(data[at + 1 : end])
    except ValueError:
        raise BadReply("not a number where one must be") from None
