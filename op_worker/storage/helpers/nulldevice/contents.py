"""What files of a null device read as, and whether what is written to them is that. Pure."""

from __future__ import annotations

PATTERN = bytes(range(251))
"""What all files consist of when data are verified: a length that no block size is a multiple of."""


def zeros(offset_b: int, size_b: int) -> bytes:
    """Return what a file reads as."""
    return bytes(size_b)


def patterned(offset_b: int, size_b: int) -> bytes:
    """Return what a file reads as when data are verified: each byte tells its place."""
    start = offset_b % len(PATTERN)
    repeats = (start + size_b) // len(PATTERN) + 1
    return (PATTERN * repeats)[start : start + size_b]


def first_difference(offset_b: int, data: bytes) -> int | None:
    """Return where data differ from the pattern, as an offset in the file; ``None`` when they do not."""
    expected = patterned(offset_b, len(data))
    if expected == data:
        return None
    pairs = zip(data, expected, strict=True)
    return next(at for at, (given, wanted) in enumerate(pairs, offset_b) if given != wanted)
