"""Digests that a sender gives along with a body: what they are of, and whether the body agrees."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from attrs import field, frozen

from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import ChecksumMismatch

_INLINE_B = 32 * 1024
"""Shorter pieces are hashed at once; handing them to a thread would take longer."""

ALGORITHMS: dict[str, Callable[[], Any]] = {
    "sha-256": hashlib.sha256,
    "sha-512": hashlib.sha512,
    "sha": lambda: hashlib.sha1(usedforsecurity=False),
    "md5": lambda: hashlib.md5(usedforsecurity=False),
}
"""What can be checked, by the names of RFC 9530."""


@frozen
class Digest:
    """The digest that a body must have. ``algorithm`` is one of ``ALGORITHMS``."""

    algorithm: str
    value: bytes


@frozen(eq=False)
class Checker:
    """Hashes a body as it passes."""

    _blocking: Blocking
    _digests: Sequence[Digest]
    _hashers: Sequence[Any] = field(init=False)

    @_hashers.default
    def _make(self) -> Sequence[Any]:
        return [ALGORITHMS[digest.algorithm]() for digest in self._digests]

    async def update(self, data: bytes) -> None:
        """Take the next piece."""
        for hasher in self._hashers:
            if len(data) <= _INLINE_B:
                hasher.update(data)
            else:
                await self._blocking.run(hasher.update, data)

    def require(self) -> None:
        """Return when all that came agrees with every digest. Raises: ChecksumMismatch."""
        for digest, hasher in zip(self._digests, self._hashers, strict=True):
            computed = hasher.digest()
            if computed != digest.value:
                raise ChecksumMismatch(digest.algorithm, digest.value.hex(), computed.hex())


class CheckedStream:
    """A body that is broken unless it agrees with its digests."""

    def __init__(self, body: ByteStream, checker: Checker) -> None:
        self._body, self._checker = body, checker

    async def read(self) -> bytes:
        """Return the next piece. Raises: ChecksumMismatch instead of the end."""
        piece = await self._body.read()
        if piece:
            await self._checker.update(piece)
        else:
            self._checker.require()
        return piece


def agreeing(body: ByteStream, digests: Sequence[Digest], blocking: Blocking) -> ByteStream:
    """Return ``body``, ending with ChecksumMismatch when it does not agree with ``digests``."""
    return CheckedStream(body, Checker(blocking, digests)) if digests else body
