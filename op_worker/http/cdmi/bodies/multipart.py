"""Multi-part bodies, part after part, with nothing held but what was just received."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Mapping

from attrs import frozen
from multipart import (
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    content_disposition_unquote,
    parse_options_header,
)

from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadData, MalformedData
from op_worker.http.cdmi.requests.negotiation import Kind, MediaType, parse_media_type

_MOST_HEADERS = 16
_PLAIN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})


class _AnyParts(PushMultipartParser):  # type: ignore[misc]  # the library has no types
    """Takes parts of every multi-part type: form data alone must have names."""

    def _create_segment(self, headerlist: list[tuple[str, str]]) -> MultipartSegment:
        return MultipartSegment(headerlist)


class Part:
    """A part of a body; a ``ByteStream`` of its bytes, to be read before the next part is asked for."""

    def __init__(self, headers: Mapping[str, str], parts: Parts) -> None:
        self.headers = headers
        self._parts = parts

    @property
    def content_type(self) -> MediaType | None:
        """The media type, if there is one."""
        return parse_media_type(self.headers.get("Content-Type"))

    async def read(self) -> bytes:
        """Return the next bytes. Raises as ``Parts.next``."""
        return await self._parts.read_part(self)


class Parts:
    """The parts of a multi-part body.

    Args:
        content_type: of the whole body.

    Raises:
        MalformedData: there is no boundary.
    """

    def __init__(self, content_type: MediaType | None, stream: ByteStream) -> None:
        self._stream = stream
        parameters = {} if content_type is None else dict(content_type.parameters)
        boundary = parameters.get("boundary", "")
        try:
            self._parser = _AnyParts(boundary, max_header_count=_MOST_HEADERS)
        except MultipartError:
            raise MalformedData from None
        self._events: deque[MultipartSegment | bytes | None] = deque()
        self._part: Part | None = None
        self._is_over = False

    async def next(self) -> Part | None:
        """Return the next part; ``None`` when the body was read to its end.

        What was left of the part before is skipped.

        Raises:
            MalformedData: the body cannot be split, or ends before its last boundary.
            BadData: a part that is encoded (key ``content-transfer-encoding``).
            StreamBroken: the client went away.
        """
        while self._part is not None:
            await self.read_part(self._part)
        segment = await self._next_event()
        if not isinstance(segment, MultipartSegment):
            return None
        headers = dict(segment.headerlist)
        encoding = headers.get("Content-Transfer-Encoding", "").strip().lower()
        if encoding not in _PLAIN_ENCODINGS:
            raise BadData("content-transfer-encoding", "parts are sent as they are: binary")
        self._part = Part(headers, self)
        return self._part

    async def read_part(self, part: Part) -> bytes:
        """Return the next bytes of a part; ``b""`` at its end, and of a part that is past."""
        if part is not self._part:
            return b""
        data = await self._next_event()
        if isinstance(data, bytes):
            return data
        self._part = None
        return b""

    async def _next_event(self) -> MultipartSegment | bytes | None:
        """Return a beginning, bytes, or ``None`` for the end of a part and of the body."""
        while not self._events and not self._is_over:
            chunk = await self._stream.read()
            self._is_over = not chunk
            try:
                self._events.extend(self._parser.parse(chunk))
            except MultipartError:
                raise MalformedData from None
        return self._events.popleft() if self._events else None


async def first_part(parts: Parts, kinds: Container[Kind | None] = (Kind.OBJECT,)) -> Part:
    """Return the part that holds the members of a resource of one of ``kinds``.

    Raises: MalformedData; as ``Parts.next``.
    """
    part = await parts.next()
    if part is None or part.content_type is None or part.content_type.kind not in kinds:
        raise MalformedData
    return part


@frozen
class SentFile:
    """A file in a form. ``field`` is the form's name for it, ``name`` the client's, without directories."""

    field: str
    name: str
    content_type: MediaType | None
    stream: ByteStream


async def first_file(content_type: MediaType | None, stream: ByteStream) -> SentFile:
    """Return the first file of a ``multipart/form-data`` body (RFC 7578); fields before it are skipped.

    The stream of the file ends when the whole body was read and found to be well-formed.

    Raises:
        MalformedData: the body cannot be split, or holds no file.
        StreamBroken: the client went away.
    """
    parts = Parts(content_type, stream)
    while (part := await parts.next()) is not None:
        header = part.headers.get("Content-Disposition", "")
        disposition, options = parse_options_header(header, unquote=content_disposition_unquote)
        if disposition == "form-data" and "filename" in options:
            name = options["filename"].replace("\\", "/").rpartition("/")[2]
            return SentFile(options.get("name", ""), name, part.content_type, _ToTheEnd(part, parts))
    raise MalformedData


class _ToTheEnd:
    """The bytes of a part; they end when the whole body was found to be well-formed."""

    def __init__(self, part: Part, parts: Parts) -> None:
        self._part, self._parts = part, parts

    async def read(self) -> bytes:
        """Return the next bytes. Raises as ``Parts.next``."""
        if data := await self._part.read():
            return data
        while await self._parts.next() is not None:
            pass
        return b""
