"""Random bytes for ids and names, without a system call for each of them."""

from __future__ import annotations

from collections.abc import Callable

POOL_B = 4096
RandomBytes = Callable[[int], bytes]
"""Returns so many random bytes, such as ``os.urandom``."""


class PooledRandom:
    """Gives random bytes from a pool that ``source`` fills; every byte is given once.

    For ids and names. Secrets are taken from the system directly, so that none of them waits in memory.

    Args:
        source: what fills the pool, such as ``os.urandom``.
    """

    def __init__(self, source: RandomBytes) -> None:
        self._source = source
        self._pool = b""
        self._used_b = 0

    def __call__(self, size_b: int) -> bytes:
        """Return ``size_b`` random bytes."""
        start, end = self._used_b, self._used_b + size_b
        if end > len(self._pool):
            self._pool = self._source(max(POOL_B, size_b))
            start, end = 0, size_b
        self._used_b = end
        return self._pool[start:end]
