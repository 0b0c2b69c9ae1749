"""Values of queues on their way into answers, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import define, field, frozen

from cluster_worker.runtime.streams import BytesStream, ByteStream, StreamBroken
from onedata.errors import OnedataError
from op_worker.files.model import ContentReader, FileStat, Json
from op_worker.files.queues.values import QueuedValue
from op_worker.http.cdmi.answers import ValueAnswer
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.http.cdmi.representations.metadata import encoding_of, mimetype_of
from op_worker.http.cdmi.representations.representation import render
from op_worker.http.cdmi.representations.values import ValueStream, is_text
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Span
from op_worker.http.cdmi.requests.request import MULTIPART
from op_worker.http.content import Segment, SegmentStream

MOST_OPEN = 32
"""So many values are kept open while an answer is sent; further ones are opened when their turn comes."""

Sent = Callable[["ShownValue", ContentReader, int], ByteStream]


@define(eq=False)
class ShownValue:
    """A value, how it is sent, and which bytes of it. ``reader`` is ``None`` until its turn comes."""

    value: QueuedValue
    encoding: Encoding
    first_b: int
    size_b: int
    reader: ContentReader | None

    async def opened(self) -> ContentReader:
        """Return the open value. Raises: StreamBroken when it was taken, or is another one now."""
        if self.reader is None:
            try:
                self.reader = await self.value.open()
            except OnedataError:
                raise StreamBroken("a value was taken while others were sent") from None
        return self.reader

    async def close(self) -> None:
        """Give the value back."""
        reader, self.reader = self.reader, None
        if reader is not None:
            await reader.close()


@frozen(eq=False)
class OpenValues:
    """The values of an answer, the oldest first."""

    stat: FileStat
    shown: list[ShownValue] = field(factory=list)

    async def close(self) -> None:
        """Give back whatever is open."""
        for one in self.shown:
            await one.close()


async def open_values(stat: FileStat, values: Sequence[QueuedValue], span: Span | None) -> OpenValues:
    """Open values; with ``span`` only these bytes of each are shown, in base64.

    Raises: Posix(ENOENT) when one was taken meanwhile.
    """
    opened = OpenValues(stat)
    try:
        for value in values:
            reader = await value.open()
            first_b, size_b = _range(reader.stat.size_b, span)
            shown = ShownValue(value, Encoding.BASE64, first_b, size_b, reader)
            opened.shown.append(shown)
            if span is None and encoding_of(value.xattrs) is Encoding.UTF8 and await is_text(reader, size_b):
                shown.encoding = Encoding.UTF8
            if len(opened.shown) > MOST_OPEN:
                await shown.close()
    except BaseException:
        await opened.close()
        raise
    return opened


def in_json(members: Mapping[str, Json], values: OpenValues) -> ValueAnswer:
    """Answer with the values in an array, the last member."""
    head = render({**members, "value": []})[: -len("]}")]

    def sent(one: ShownValue, reader: ContentReader, at: int) -> ByteStream:
        before = (b"," if at else head) + b'"'
        after = b'"' + (b"" if at < len(values.shown) - 1 else b"]}")
        return ValueStream(before, reader, one.first_b, one.size_b, one.encoding, after)

    stream = _Values(values, sent)
    return ValueAnswer(reader=values, stream=stream, length_b=None, media_type=Kind.QUEUE.value)


def in_parts(members: Mapping[str, Json], values: OpenValues, boundary: str) -> ValueAnswer:
    """Answer with a part for the members, and one for each value.

    Args:
        boundary: occurs in no value.
    """
    mark = f"--{boundary}".encode()
    head = mark + f"\r\nContent-Type: {Kind.QUEUE.value}\r\n\r\n".encode() + render(members)
    tail = b"\r\n" + mark + b"--\r\n"

    def sent(one: ShownValue, reader: ContentReader, at: int) -> ByteStream:
        before = (b"" if at else head) + b"\r\n" + mark + b"\r\n" + _head_of_part(one)
        segment = Segment(before, one.first_b, one.size_b)
        return SegmentStream(reader, [segment], tail if at == len(values.shown) - 1 else b"")

    stream: ByteStream = _Values(values, sent) if values.shown else BytesStream(head + tail)
    media_type = f"{MULTIPART}; boundary={boundary}"
    return ValueAnswer(reader=values, stream=stream, length_b=None, media_type=media_type)


class _Values:
    """A ``ByteStream`` over the values of an answer, each opened when its turn comes at the latest.

    Args:
        sent: returns what is sent of a value, with what stands before and after it.
    """

    def __init__(self, values: OpenValues, sent: Sent) -> None:
        self._shown, self._sent = values.shown, sent
        self._at = 0
        self._stream: ByteStream | None = None

    async def read(self) -> bytes:
        """Return the next piece. Raises: StreamBroken when a value cannot be sent as announced."""
        while self._at < len(self._shown):
            one = self._shown[self._at]
            if self._stream is None:
                self._stream = self._sent(one, await one.opened(), self._at)
            if piece := await self._stream.read():
                return piece
            await one.close()
            self._at, self._stream = self._at + 1, None
        return b""


def _range(size_b: int, span: Span | None) -> tuple[int, int]:
    if span is None:
        return 0, size_b
    first_b = min(span.first, size_b)
    return first_b, min(span.last + 1, size_b) - first_b


def _head_of_part(value: ShownValue) -> bytes:
    mimetype = mimetype_of(value.value.xattrs)
    if value.encoding is Encoding.UTF8:
        mimetype += "; charset=utf-8"
    lines = f"Content-Type: {mimetype}\r\nContent-Transfer-Encoding: binary"
    return f"{lines}\r\nContent-Length: {value.size_b}\r\n\r\n".encode("ascii")
