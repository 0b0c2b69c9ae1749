"""Reading data objects by multi-part MIME: the representation, then the value, or ranges of it, as bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from op_worker.files.model import ContentReader, Json
from op_worker.http.cdmi.answers import ValueAnswer
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.http.cdmi.representations.metadata import PROCESSING, completion_of, encoding_of, mimetype_of
from op_worker.http.cdmi.representations.permitted import Readable, permitted
from op_worker.http.cdmi.representations.representation import object_members, range_text, render
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query, Span
from op_worker.http.cdmi.requests.request import MULTIPART
from op_worker.http.content import Segment, SegmentStream


def in_parts(reader: ContentReader, readable: Readable, query: Query, boundary: str) -> ValueAnswer:
    """Answer with one part for the members, and one for the value or for each of its ranges.

    Args:
        boundary: does not occur in the value.
    """
    mark = f"\r\n--{boundary}".encode()
    spans = _spans(reader.stat.size_b, query)
    xattrs = readable.xattrs
    members = permitted(object_members(reader.stat, xattrs, query), readable, has_more=True)
    if query.wants("valuetransferencoding"):
        members["valuetransferencoding"] = (encoding_of(xattrs) or Encoding.BASE64).value
    is_complete = completion_of(xattrs) != PROCESSING
    if is_complete and query.wants("valuerange") and len(spans) == 1:
        members["valuerange"] = range_text(*spans[0])
    head = b"--%b\r\nContent-Type: %b\r\n\r\n%b" % (
        boundary.encode(),
        Kind.OBJECT.value.encode(),
        render(members),
    )
    segments = [Segment(head, 0, 0)]
    if is_complete and query.wants("value"):
        heads = _heads(spans, reader.stat.size_b, xattrs, query)
        segments += [
            Segment(mark + each, first, size_b) for each, (first, size_b) in zip(heads, spans, strict=True)
        ]
    tail = mark + b"--\r\n"
    length_b = sum(len(each.head) + each.size_b for each in segments) + len(tail)
    return ValueAnswer(
        reader=reader,
        stream=SegmentStream(reader, segments, tail),
        length_b=length_b,
        media_type=f"{MULTIPART}; boundary={boundary}",
    )


def _spans(size_b: int, query: Query) -> list[tuple[int, int]]:
    """Return first byte and number of bytes of each value part, cut at the end of the value."""
    asked = query.value_ranges or (Span(0, max(size_b, 1) - 1),)
    firsts = [min(span.first, size_b) for span in asked]
    return [(first, min(span.last + 1, size_b) - first) for first, span in zip(firsts, asked, strict=True)]


def _heads(
    spans: list[tuple[int, int]], size_b: int, xattrs: Mapping[str, Json], query: Query
) -> Iterator[bytes]:
    """Give what stands before the bytes of each value part."""
    mimetype = mimetype_of(xattrs)
    if encoding_of(xattrs) is Encoding.UTF8:
        mimetype += "; charset=utf-8"
    for first, count in spans:
        lines = [f"Content-Type: {mimetype}", "Content-Transfer-Encoding: binary", f"Content-Length: {count}"]
        if query.value_ranges:
            lines.append(f"Content-Range: bytes {range_text(first, count) or '*'}/{size_b}")
        yield "".join(f"\r\n{line}" for line in lines).encode("ascii") + b"\r\n\r\n"
