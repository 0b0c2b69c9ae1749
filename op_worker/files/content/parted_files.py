"""An open content whose bytes lie at several places, as one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from op_worker.files.stored.blocks import Blocks
from op_worker.storage.helper import StorageFile


@frozen(eq=False)
class OpenPart:
    """The open file that these bytes are in."""

    blocks: Blocks
    file: StorageFile


class PartedFile:
    """Implements ``StorageFile``; whatever is in no part is in the main file."""

    def __init__(self, main: StorageFile, parts: Sequence[OpenPart]) -> None:
        self._main = main
        self._files = [main, *(part.file for part in parts)]
        self._ranges = sorted(
            ((offset, offset + size, part.file) for part in parts for offset, size in part.blocks),
            key=lambda found: found[0],
        )

    async def read(self, offset_b: int, size_b: int) -> bytes:
        pieces = []
        for file, at_b, piece_b in self._split(offset_b, size_b):
            piece = await file.read(at_b, piece_b)
            pieces.append(piece)
            if len(piece) < piece_b:
                break
        return b"".join(pieces)

    async def write(self, offset_b: int, data: bytes) -> None:
        for file, at_b, piece_b in self._split(offset_b, len(data)):
            first = at_b - offset_b
            await file.write(at_b, data[first : first + piece_b])

    async def size(self) -> int:
        return max([await file.size() for file in self._files])

    async def truncate(self, size_b: int) -> None:
        """Cut every file that is longer; extend the main one."""
        await self._main.truncate(size_b)
        for file in self._files[1:]:
            if await file.size() > size_b:
                await file.truncate(size_b)

    async def sync(self) -> None:
        for file in self._files:
            await file.sync()

    async def close(self) -> None:
        for file in self._files:
            await file.close()

    def _split(self, offset_b: int, size_b: int) -> Iterator[tuple[StorageFile, int, int]]:
        """Split a range into pieces, each in one file, in order."""
        at_b, end_b = offset_b, offset_b + size_b
        for start, end, file in self._ranges:
            if end <= at_b or start >= end_b:
                continue
            if start > at_b:
                yield self._main, at_b, start - at_b
                at_b = start
            stop = min(end, end_b)
            yield file, at_b, stop - at_b
            at_b = stop
        if at_b < end_b:
            yield self._main, at_b, end_b - at_b
