"""Bodies that come in pieces."""

from __future__ import annotations


class Pieces:
    """A body that comes in pieces of one length."""

    def __init__(self, data: bytes, size_b: int) -> None:
        self._data, self._size_b = data, size_b

    async def read(self) -> bytes:
        piece, self._data = self._data[: self._size_b], self._data[self._size_b :]
        return piece
