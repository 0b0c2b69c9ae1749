"""How bytes inside a file are written: what a server has for it, and new wholes where it has none. Pure."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from attrs import frozen

from op_worker.storage.helper import StorageError, StoragePath

MOST_REWRITTEN_B = 64 * 1024 * 1024
"""Files longer than this are not sent anew to change something inside."""


class RangeWrites(Enum):
    """What a server offers for writing inside a file; the values of ``rangeWriteSupport``."""

    NONE = "none"
    SABREDAV = "sabredav"
    """``PATCH`` with ``X-Update-Range``."""
    MODDAV = "moddav"
    """``PUT`` with ``Content-Range``."""


def range_request(support: RangeWrites, offset_b: int, size_b: int) -> tuple[str, Mapping[str, str]]:
    """Return the method and headers that write ``size_b`` bytes at ``offset_b``."""
    last_b = offset_b + size_b - 1
    if support is RangeWrites.SABREDAV:
        content_type = "application/x-sabredav-partialupdate"
        return "PATCH", {"X-Update-Range": f"bytes={offset_b}-{last_b}", "Content-Type": content_type}
    return "PUT", {"Content-Range": f"bytes {offset_b}-{last_b}/*"}


def pieces(offset_b: int, data: bytes, most_b: int) -> Iterator[tuple[int, bytes]]:
    """Cut a write into pieces of at most ``most_b`` bytes; 0 is no limit."""
    step_b = most_b or max(1, len(data))
    for start_b in range(0, len(data), step_b):
        yield offset_b + start_b, data if step_b >= len(data) else data[start_b : start_b + step_b]


@frozen
class Kept:
    """Bytes that stay."""

    offset_b: int
    size_b: int


@frozen
class Zeros:
    """So many zeros."""

    size_b: int


Segment = Kept | Zeros | bytes


def written(path: StoragePath, size_b: int, offset_b: int, data: bytes) -> Sequence[Segment]:
    """Return a file of ``size_b`` bytes with ``data`` at ``offset_b``. Raises: StorageError(ENOTSUP)."""
    end_b = offset_b + len(data)
    _check_length(path, max(size_b, end_b), errno.ENOTSUP)
    segments: list[Segment] = [Kept(0, min(offset_b, size_b)), Zeros(max(0, offset_b - size_b)), data]
    return _real([*segments, Kept(end_b, size_b - end_b)])


def resized(path: StoragePath, size_b: int, new_size_b: int) -> Sequence[Segment]:
    """Return a file cut, or extended with zeros. Raises: StorageError(ERANGE)."""
    _check_length(path, new_size_b, errno.ERANGE)
    return _real([Kept(0, min(size_b, new_size_b)), Zeros(new_size_b - size_b)])


def total(segments: Sequence[Segment]) -> int:
    """Return how many bytes segments are together."""
    return sum(_size(each) for each in segments)


def _check_length(path: StoragePath, size_b: int, number: int) -> None:
    if size_b > MOST_REWRITTEN_B:
        words = f"the server cannot write inside files, and over {MOST_REWRITTEN_B} bytes are not sent anew"
        raise StorageError(number, path, words)


def _real(segments: Sequence[Segment]) -> Sequence[Segment]:
    return [each for each in segments if _size(each) > 0]


def _size(segment: Segment) -> int:
    return len(segment) if isinstance(segment, bytes) else segment.size_b
