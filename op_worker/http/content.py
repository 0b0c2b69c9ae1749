"""Sending the content of a file: whole, in one range or in several, with HEAD and 416."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from attrs import field, frozen
from twisted.logger import Logger

from cluster_worker.http.answers import send_bytes
from cluster_worker.http.streaming import write_body
from cluster_worker.runtime.streams import StreamBroken
from onedata.errors import PreconditionNotMet
from op_worker.files.model import ContentReader, FileStat
from op_worker.files.stored.conditions import modified_s
from op_worker.http.conditions import NO_CONDITIONS, Conditions, Header, Verdict, http_date
from op_worker.http.digests import old_digest, repr_digest, wants_old_digest, wants_repr_digest
from op_worker.http.ranges import ByteRange, RangeNotSatisfiableError, multipart, parse_ranges

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

PIECE_B = 256 * 1024
"""How much is read and sent at a time."""

OCTETS = b"application/octet-stream"
_log = Logger()


@frozen
class Segment:
    """A part of an answer: bytes that are known, then bytes of the file."""

    head: bytes
    offset_b: int
    size_b: int


class SegmentStream:
    """A ``ByteStream`` of segments of a file, in pieces of up to ``PIECE_B``."""

    def __init__(self, reader: ContentReader, segments: Sequence[Segment], tail: bytes = b"") -> None:
        self._reader, self._tail = reader, tail
        self._steps = self._plan(segments)

    async def read(self) -> bytes:
        """Return the next piece.

        Raises:
            StreamBroken: the file became shorter than it was when it was opened.
        """
        step = next(self._steps, None)
        if step is None:
            tail, self._tail = self._tail, b""
            return tail
        if isinstance(step, bytes):
            return step
        offset_b, size_b = step
        data = await self._reader.read(offset_b, size_b)
        if len(data) != size_b:
            _log.warn("a file became shorter while it was sent: {guid}", guid=self._reader.stat.guid.text)
            raise StreamBroken("the file became shorter")
        return data

    @staticmethod
    def _plan(segments: Sequence[Segment]) -> Iterator[bytes | tuple[int, int]]:
        for segment in segments:
            if segment.head:
                yield segment.head
            end_b = segment.offset_b + segment.size_b
            for offset_b in range(segment.offset_b, end_b, PIECE_B):
                yield offset_b, min(PIECE_B, end_b - offset_b)


def _random_boundary() -> bytes:
    return os.urandom(16).hex().encode()


@frozen(kw_only=True)
class ContentAnswer:
    """How a file is sent.

    Attributes:
        media_type: of the file; the value of ``Content-Type`` unless several ranges are sent.
        ranges: the ``Range`` header, ``None`` for the whole file.
        conditions: under which the file, or a part of it, is sent.
        boundary: makes the text between several ranges.
    """

    media_type: bytes = OCTETS
    ranges: str | None = None
    conditions: Conditions = NO_CONDITIONS
    boundary: Callable[[], bytes] = field(default=_random_boundary, repr=False)

    async def send(self, request: StreamingRequest, reader: ContentReader) -> None:
        """Answer ``request`` from ``reader`` and close it.

        200, 206, 304, 412 or 416 with the headers that belong to them. When reading fails after the first
        bytes were sent, the connection is dropped.

        Raises:
            OnedataError: reading failed before anything was sent.
        """
        try:
            await self._send(request, reader)
        finally:
            await reader.close()

    async def _send(self, request: StreamingRequest, reader: ContentReader) -> None:
        size_b = reader.stat.size_b
        set_validators(request, reader.stat)
        if self.conditions is not NO_CONDITIONS:
            verdict = self.conditions.verdict(reader.stat)
            if verdict is Verdict.FAILED:
                raise PreconditionNotMet()
            if verdict is Verdict.NOT_MODIFIED:
                _send_304(request)
                return
        if reader.stat.checksum_sha256 is not None:
            set_digests(request, bytes.fromhex(reader.stat.checksum_sha256))
        if self.ranges is None or not self.conditions.allow_ranges(reader.stat):
            await self._send_span(request, reader, 0, size_b)
            return
        try:
            ranges = parse_ranges(self.ranges, size_b)
        except RangeNotSatisfiableError:
            _send_416(request, size_b)
            return
        request.setResponseCode(206)
        if len(ranges) > 1:
            await self._send_several(request, reader, ranges)
            return
        request.responseHeaders.setRawHeaders(b"Content-Range", [ranges[0].content_range(size_b)])
        await self._send_span(request, reader, ranges[0].first, ranges[0].size_b)

    async def _send_span(
        self, request: StreamingRequest, reader: ContentReader, offset_b: int, size_b: int
    ) -> None:
        if size_b > PIECE_B or request.method == b"HEAD":
            source = SegmentStream(reader, [Segment(b"", offset_b, size_b)])
            await self._stream(request, source, self.media_type, size_b)
            return
        data = await reader.read(offset_b, size_b) if size_b else b""
        if len(data) != size_b:
            raise StreamBroken("the file became shorter")
        if not request.is_gone:
            request.responseHeaders.setRawHeaders(b"Accept-Ranges", [b"bytes"])
            send_bytes(request, data, [self.media_type], request.code)

    async def _send_several(
        self, request: StreamingRequest, reader: ContentReader, ranges: Sequence[ByteRange]
    ) -> None:
        layout = multipart(ranges, reader.stat.size_b, self.media_type, self.boundary())
        segments = [
            Segment(head, part.first, part.size_b) for head, part in zip(layout.heads, ranges, strict=True)
        ]
        source = SegmentStream(reader, segments, layout.tail)
        await self._stream(request, source, layout.media_type, layout.length_b)

    async def _stream(
        self, request: StreamingRequest, source: SegmentStream, media_type: bytes, size_b: int
    ) -> None:
        headers = request.responseHeaders
        headers.setRawHeaders(b"Content-Type", [media_type])
        headers.setRawHeaders(b"Content-Length", [b"%d" % size_b])
        headers.setRawHeaders(b"Accept-Ranges", [b"bytes"])
        await write_body(request, source)


def request_header(request: StreamingRequest) -> Header:
    """Return the function that looks up headers of a request."""
    lookup = request.requestHeaders.getRawHeaders

    def header(name: str) -> str | None:
        values = lookup(name.encode("ascii"))
        if not values:
            return None
        return (values[0] if len(values) == 1 else b", ".join(values)).decode("latin-1")

    return header


def set_validators(request: StreamingRequest, stat: FileStat) -> None:
    """Tell which content this is, and of when."""
    headers = request.responseHeaders
    headers.setRawHeaders(b"ETag", [b'"%b"' % stat.content_tag.encode("ascii")])
    headers.setRawHeaders(b"Last-Modified", [http_date(min(modified_s(stat), request.site.now_s()))])


def set_digests(request: StreamingRequest, sha256: bytes) -> None:
    """Tell the SHA-256 of the content in the headers that the client may want."""
    header = request_header(request)
    if wants_repr_digest(header("Want-Repr-Digest")) is not False:
        request.responseHeaders.setRawHeaders(b"Repr-Digest", [repr_digest(sha256)])
    if wants_old_digest(header("Want-Digest")):
        request.responseHeaders.setRawHeaders(b"Digest", [old_digest(sha256)])


def attachment(name: str) -> bytes:
    """Return a ``Content-Disposition`` that saves under ``name``; ``_`` for a blank name."""
    shown = name if name.isprintable() else "".join(c if c.isprintable() else "_" for c in name)
    shown = shown.strip() or "_"
    quoted = shown.replace("\\", "\\\\").replace('"', '\\"')
    if quoted.isascii():
        return b'attachment; filename="%b"' % quoted.encode("ascii")
    plain = quoted.encode("ascii", "replace").replace(b"?", b"_")
    return b"attachment; filename=\"%b\"; filename*=UTF-8''%b" % (plain, quote(shown, safe="").encode())


def _send_304(request: StreamingRequest) -> None:
    request.setResponseCode(304)
    request.responseHeaders.removeHeader(b"Content-Disposition")
    request.finish()


def _send_416(request: StreamingRequest, size_b: int) -> None:
    request.setResponseCode(416)
    request.responseHeaders.setRawHeaders(b"Content-Range", [b"bytes */%d" % size_b])
    request.responseHeaders.setRawHeaders(b"Content-Length", [b"0"])
    request.finish()
