"""Frames: the bytes of a link cut into pieces with a type, a correlation id and a body.

Layout, big-endian: ``u32 length`` (of all that follows), ``u8 version``, ``u8 type``,
``u64 correlation``, body.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from cluster_worker.wire.errors import BadFrame, FrameTooLarge

LENGTH_B = 4
HEAD_B = 10
"""Bytes of version, type and correlation id: the least length a frame may announce."""

GREETING_FRAME_LIMIT_B = 16 * 1024
"""The largest length accepted from a peer that is not known yet."""
FRAME_LIMIT_B = 4 * 1024 * 1024
"""The largest length sent or accepted on an open link."""

_LENGTH = struct.Struct("!I")
_HEAD = struct.Struct("!BBQ")
_ALL = struct.Struct("!IBBQ")


class Frame(NamedTuple):
    """One frame. A tuple and not an attrs class: two are made for every call (see benchmarks/wire.py)."""

    version: int
    kind: int
    correlation: int
    body: bytes


def encode_frame(version: int, kind: int, correlation: int, body: bytes) -> bytes:
    """Return the frame's bytes. The caller keeps to the limits of the link."""
    return _ALL.pack(HEAD_B + len(body), version, kind, correlation) + body


class FrameDecoder:
    """Finds frames in a stream that the network may have chopped anywhere.

    ``feed`` takes bytes, ``next_frame`` gives frames until it gives ``None``; between rounds less
    than one frame of ``limit_b`` waits in memory. After ``BadFrame`` the decoder stays broken.

    Attributes:
        limit_b: the largest length accepted, in bytes; may be changed between two frames.
    """

    def __init__(self, limit_b: int) -> None:
        self.limit_b = limit_b
        self._buffer = bytearray()
        self._start = 0
        self._broken: BadFrame | None = None

    @property
    def buffered_b(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._buffer) - self._start

    def feed(self, data: bytes) -> None:
        """Add bytes from the network; after ``BadFrame`` they are thrown away."""
        if self._broken is None:
            self._buffer += data

    def next_frame(self) -> Frame | None:
        """Return the next complete frame, or ``None`` when more bytes are needed.

        Raises:
            BadFrame: a length is shorter than a head; again at each later call.
            FrameTooLarge: a length is beyond the limit; nothing of that frame is kept.
        """
        if self._broken is not None:
            raise self._broken
        length = self._next_length()
        if length is None:
            self._compact()
            return None
        head = self._start + LENGTH_B
        end = head + length
        version, kind, correlation = _HEAD.unpack_from(self._buffer, head)
        body = bytes(memoryview(self._buffer)[head + HEAD_B : end])
        self._start = end
        return Frame(version, kind, correlation, body)

    def _next_length(self) -> int | None:
        buffered_b = len(self._buffer) - self._start
        if buffered_b < LENGTH_B:
            return None
        length: int = _LENGTH.unpack_from(self._buffer, self._start)[0]
        if length < HEAD_B:
            raise self._break(BadFrame(f"a frame of {length} bytes is shorter than its head"))
        if length > self.limit_b:
            raise self._break(FrameTooLarge(f"a frame of {length} bytes is over the limit of {self.limit_b}"))
        return length if buffered_b >= LENGTH_B + length else None

    def _break(self, problem: BadFrame) -> BadFrame:
        self._broken = problem
        self._buffer = bytearray()
        self._start = 0
        return problem

    def _compact(self) -> None:
        if self._start:
            del self._buffer[: self._start]
            self._start = 0
