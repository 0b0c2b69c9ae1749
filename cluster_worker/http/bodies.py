"""Small request bodies, read whole under a limit, as JSON or as bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from cluster_worker.http.errors import HttpError
from cluster_worker.runtime.streams import read_all
from onedata.errors import MalformedData

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

JSON_LIMIT_B = 1024 * 1024


async def read_bytes(request: StreamingRequest, limit_b: int) -> bytes:
    """Return the whole body.

    Raises:
        HttpError: 413, the body is (or is announced to be) longer than ``limit_b``.
        StreamBroken: the client went away.
    """
    length_b = request.body_length
    if length_b == 0:
        return b""
    if length_b is not None and length_b > limit_b:
        raise HttpError(413)
    data = await read_all(request.body, limit_b)
    if data is None:
        raise HttpError(413)
    return data


async def read_json(request: StreamingRequest, limit_b: int = JSON_LIMIT_B) -> Any:
    """Return the body decoded from JSON (UTF-8), whatever its type.

    Raises:
        MalformedData: it is empty or not JSON.
        HttpError: 413, too long.
    """
    return decode_json(await read_bytes(request, limit_b))


async def read_json_object(request: StreamingRequest, limit_b: int = JSON_LIMIT_B) -> dict[str, Any]:
    """Return the body as a JSON object; an empty body is ``{}``.

    Raises:
        MalformedData: the body is not JSON, or JSON but no object.
        HttpError: 413, too long.
    """
    data = await read_bytes(request, limit_b)
    if not data:
        return {}
    value = decode_json(data)
    if not isinstance(value, dict):
        raise MalformedData()
    return value


def decode_json(data: bytes) -> Any:
    """Decode strict JSON: no NaN, no half surrogates.

    Raises:
        MalformedData: it is not JSON.
    """
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
        if b"\\u" in data:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise MalformedData() from None
    return value


def content_type(request: StreamingRequest) -> str:
    """Return the media type of the body in lower case without parameters, ``""`` when not given."""
    value: bytes = request.getHeader(b"content-type") or b""
    return value.decode("latin-1").partition(";")[0].strip().lower()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
