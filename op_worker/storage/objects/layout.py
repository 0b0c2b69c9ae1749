"""Where the bytes of a file lie among objects: blocks, their keys, and what a range touches. Pure."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence

from attrs import frozen

from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.objects.store import ObjectKey

MOST_BLOCKS = 10**6
MOST_KEYS = 1000
"""How many objects are removed at once."""
_DIGITS = 6


@frozen
class Part:
    """The piece of a range that lies in one block:

    ``size_b`` bytes from ``inside_b``, ``at_b`` into the range.
    """

    index: int
    inside_b: int
    size_b: int
    at_b: int


@frozen
class Layout:
    """Files in blocks of one size, each an object of its own.

    The key of a block counts down, so that the last block is the first of a listing, and tells the file's
    size.
    """

    block_size_b: int

    @property
    def maximum_b(self) -> int:
        """The size of the largest file."""
        return self.block_size_b * MOST_BLOCKS

    def key(self, base: str, index: int) -> ObjectKey:
        """Return the key of a block of the file at ``base``."""
        return ObjectKey(f"{base}/{MOST_BLOCKS - 1 - index:0{_DIGITS}}")

    def index(self, base: str, key: str) -> int | None:
        """Return which block of the file at ``base`` has this key; ``None`` when it is no block of it."""
        name = key.removeprefix(base + "/")
        if len(name) != _DIGITS or not (name.isascii() and name.isdigit()):
            return None
        return MOST_BLOCKS - 1 - int(name)

    def last_index(self, size_b: int) -> int:
        """Return the last block of a file of this size; an empty file has an empty first block."""
        return max(size_b - 1, 0) // self.block_size_b

    def last_size(self, size_b: int) -> int:
        """Return how many bytes the last block of a file of this size has."""
        return size_b - self.last_index(size_b) * self.block_size_b

    def size(self, last_index: int, last_size_b: int) -> int:
        """Return the size of a file from its last block."""
        return last_index * self.block_size_b + last_size_b

    def parts(self, offset_b: int, size_b: int) -> Iterator[Part]:
        """Cut a range at the borders of blocks."""
        at_b = 0
        while at_b < size_b:
            index, inside_b = divmod(offset_b + at_b, self.block_size_b)
            part_b = min(self.block_size_b - inside_b, size_b - at_b)
            yield Part(index, inside_b, part_b, at_b)
            at_b += part_b

    def removal(self, first: int, last: int) -> Iterator[Sequence[int]]:
        """Give the blocks from ``first`` to ``last`` in the order in which they are removed, in batches.

        The last one goes first and alone: a reader who misses a block can then ask whether the file that it
        knows is still there.
        """
        if last >= first:
            yield [last]
        for end in range(last - 1, first - 1, -MOST_KEYS):
            yield range(end, max(end - MOST_KEYS, first - 1), -1)


def overlaid(old: bytes, offset_b: int, data: bytes) -> bytes:
    """Return ``old`` with ``data`` written at ``offset_b``; a gap between is filled with zeros."""
    return b"".join((old[:offset_b].ljust(offset_b, b"\0"), data, old[offset_b + len(data) :]))


def fitted(old: bytes, size_b: int) -> bytes:
    """Return ``old`` cut, or extended with zeros, to ``size_b``."""
    return old[:size_b].ljust(size_b, b"\0")


def check_path(path: StoragePath) -> None:
    """Raise StorageError(EINVAL) for what is no path of a file."""
    if "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise StorageError(errno.EINVAL, path, "not a path")
