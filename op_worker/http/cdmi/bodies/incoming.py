"""Request bodies that must be whole before anything is done with them."""

from __future__ import annotations

from cluster_worker.runtime.streams import ByteStream, read_all
from onedata.errors import BadData
from op_worker.files.model import Json
from op_worker.http.cdmi.bodies.members import parse_json_object
from op_worker.http.cdmi.refusals import Refused
from op_worker.http.cdmi.requests.queries import Span


async def read_json(stream: ByteStream, limit_b: int) -> dict[str, Json]:
    """Return a body that is a JSON object.

    Raises:
        Refused: 413, when it is longer than ``limit_b`` bytes.
        MalformedData: when it is no JSON object.
        StreamBroken: when the client went away.
    """
    raw = await read_all(stream, limit_b)
    if raw is None:
        raise Refused(413, BadData("body", f"a JSON body may have up to {limit_b} bytes"))
    return parse_json_object(raw)


async def read_span(stream: ByteStream, span: Span, limit_b: int) -> bytes:
    """Return the bytes for a range whose length was not announced.

    Raises:
        Refused: 411, when the range is longer than ``limit_b`` bytes.
        BadData: when the body is not as long as the range (key ``content-range``).
        StreamBroken: when the client went away.
    """
    if span.length > limit_b:
        raise Refused(411, BadData("content-range", "announce the length of so long a body"))
    data = await read_all(stream, span.length)
    if data is None or len(data) != span.length:
        raise BadData("content-range", "the body has another length than the range")
    return data
