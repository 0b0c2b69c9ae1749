"""Request bodies that must be whole before anything is done with them."""

from __future__ import annotations

from cluster_worker.runtime.streams import ByteStream, read_all
from onedata.errors import BadData
from op_worker.files.model import Json
from op_worker.http.cdmi.bodies.members import parse_json_object
from op_worker.http.cdmi.refusals import Refused


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
