"""Everything that a server stores, key by key, in pieces that are digested, and written to another server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from attrs import frozen

from cluster_worker.persistence.backup.errors import UnknownContent
from cluster_worker.persistence.layout import holds_data
from cluster_worker.runtime.together import together

Ask = Callable[..., Awaitable[Any]]
"""Sends a command, given by its words, to one server; returns the reply."""

PAGE = 500
"""Keys that are read at the same time; members of a sorted set that are read at once."""


@frozen
class Piece:
    """Some elements of one key: ``(value,)``, ``(field, value)``, ``(member, score)`` or ``(member,)``."""

    key: bytes
    kind: bytes
    elements: Sequence[tuple[bytes, ...]]

    def write(self) -> Sequence[bytes]:
        """Return the command that writes it."""
        if self.kind == b"string":
            return (b"SET", self.key, *self.elements[0])
        if self.kind == b"zset":
            return (b"ZADD", self.key, *_flat((score, member) for member, score in self.elements))
        return (b"HSET" if self.kind == b"hash" else b"SADD", self.key, *_flat(self.elements))


class ContentDigest:
    """A digest of keys, types and values, whatever their order and however many servers have them.

    The sum of one SHA-256 for each element, modulo 2**256. Leases and marks do not count: they come and go
    without anything being stored.
    """

    def __init__(self) -> None:
        self._sum = 0
        self.keys = 0

    def add(self, piece: Piece, *, is_first: bool) -> None:
        """Count a piece; ``is_first`` when it is the first of its key."""
        if not holds_data(piece.key):
            return
        self.keys += is_first
        for element in piece.elements:
            words = (piece.kind, piece.key, *element)
            told = b"".join(b"%d:%b" % (len(word), word) for word in words)
            self._sum += int.from_bytes(sha256(told).digest(), "big")

    @property
    def value(self) -> str:
        """The digest, as 64 hexadecimal digits."""
        return f"{self._sum % 2**256:064x}"


async def visit(ask: Ask, look: Callable[[Piece, bool], Awaitable[None]]) -> None:
    """Call ``look`` with every piece, and whether it is the first of its key, some hundred keys at a time.

    The server should be at rest: what changes meanwhile may be seen or not. ``SCAN`` may tell of a key twice;
    the hashes of all keys are kept so that it is looked at once (some 100 bytes each).

    Raises: UnknownContent; what ``ask`` and ``look`` raise.
    """
    seen: set[int] = set()
    cursor = b"0"
    while True:
        cursor, found = await ask(b"SCAN", cursor, b"COUNT", b"%d" % PAGE)
        keys = []
        for key in found:
            mark = int.from_bytes(sha256(key).digest()[:8], "big")
            if mark not in seen:
                seen.add(mark)
                keys.append(key)
        await together([_visit_key(ask, key, look) for key in keys])
        if cursor == b"0":
            return


async def _visit_key(ask: Ask, key: bytes, look: Callable[[Piece, bool], Awaitable[None]]) -> None:
    is_first = True
    async for piece in _pieces(ask, key):
        await look(piece, is_first)
        is_first = False


async def _pieces(ask: Ask, key: bytes) -> AsyncIterator[Piece]:
    kind = await ask(b"TYPE", key)
    if kind == b"string":
        yield Piece(key, kind, [(await ask(b"GET", key),)])
    elif kind == b"hash":
        yield Piece(key, kind, _pairs(await ask(b"HGETALL", key)))
    elif kind == b"set":
        yield Piece(key, kind, [(member,) for member in await ask(b"SMEMBERS", key)])
    elif kind == b"zset":
        start = 0
        while flat := await ask(b"ZRANGE", key, b"%d" % start, b"%d" % (start + PAGE - 1), b"WITHSCORES"):
            yield Piece(key, kind, _pairs(flat))
            start += PAGE
    elif kind != b"none":
        raise UnknownContent(f"{key!r} is a {kind.decode()}, which is not of our making")


def _pairs(flat: Sequence[bytes]) -> Sequence[tuple[bytes, bytes]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


def _flat(rows: Sequence[tuple[bytes, ...]] | Iterator[tuple[bytes, ...]]) -> Sequence[bytes]:
    return [word for row in rows for word in row]
