"""Block lists: which bytes of a file are held. Pure.

A block is ``(offset, size)`` in bytes. A block list is sorted, disjoint and consolidated: touching
neighbours are one block and no block is empty. Every function takes and returns such lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from attrs import frozen

Block = tuple[int, int]
Blocks = tuple[Block, ...]

NONE: Blocks = ()


@frozen
class Piece:
    """A part of a range to be read: ``size_b`` bytes from ``offset_b``, held on storage or a hole."""

    offset_b: int
    size_b: int
    held: bool


def whole(size_b: int) -> Blocks:
    """Return the list that covers ``size_b`` bytes from the start."""
    return ((0, size_b),) if size_b > 0 else NONE


def consolidate(blocks: Iterable[Block]) -> Blocks:
    """Return the normal form of blocks in any order, overlapping or empty."""
    result: list[Block] = []
    for offset, size in sorted(block for block in blocks if block[1] > 0):
        if result and offset <= result[-1][0] + result[-1][1]:
            start, length = result[-1]
            result[-1] = (start, max(length, offset + size - start))
        else:
            result.append((offset, size))
    return tuple(result)


def merge(left: Blocks, right: Blocks) -> Blocks:
    """Return the bytes of either list."""
    if not right:
        return left
    return consolidate((*left, *right))


def subtract(left: Blocks, right: Blocks) -> Blocks:
    """Return the bytes of ``left`` that are not in ``right``."""
    result: list[Block] = []
    for offset, size in left:
        at, end = offset, offset + size
        for cut, length in right:
            if cut + length <= at or cut >= end:
                continue
            if cut > at:
                result.append((at, cut - at))
            at = min(end, cut + length)
        if at < end:
            result.append((at, end - at))
    return tuple(result)


def intersect(left: Blocks, right: Blocks) -> Blocks:
    """Return the bytes that are in both lists."""
    return subtract(left, subtract(left, right))


def cut(blocks: Blocks, size_b: int) -> Blocks:
    """Return the bytes below ``size_b``."""
    if upper(blocks) <= size_b:
        return blocks
    return tuple((offset, min(size, size_b - offset)) for offset, size in blocks if offset < size_b)


def upper(blocks: Blocks) -> int:
    """Return the offset after the last byte held, 0 for none."""
    return blocks[-1][0] + blocks[-1][1] if blocks else 0


def lower(blocks: Blocks) -> int:
    """Return the offset of the first byte held, 0 for none."""
    return blocks[0][0] if blocks else 0


def total(blocks: Blocks) -> int:
    """Return how many bytes are held."""
    return sum(size for _, size in blocks)


def is_normal(blocks: Blocks) -> bool:
    """Whether a list is sorted, disjoint and consolidated."""
    return all(offset >= 0 and size > 0 for offset, size in blocks) and all(
        a + n < b for (a, n), (b, _) in pairwise(blocks)
    )


def pieces(blocks: Blocks, offset_b: int, size_b: int) -> Iterator[Piece]:
    """Split the range into held and missing pieces, in order, without gaps."""
    at, end = offset_b, offset_b + size_b
    for offset, size in blocks:
        if offset + size <= at:
            continue
        if offset >= end or at >= end:
            break
        if offset > at:
            yield Piece(at, offset - at, held=False)
            at = offset
        stop = min(end, offset + size)
        yield Piece(at, stop - at, held=True)
        at = stop
    if at < end:
        yield Piece(at, end - at, held=False)
