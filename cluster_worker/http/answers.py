"""The usual answers: JSON, nothing, something created."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

_JSON = [b"application/json"]


def send_json(request: StreamingRequest, value: Any, status: int = 200) -> None:
    """Answer with ``value`` as JSON and finish."""
    send_bytes(request, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), _JSON, status)


def send_bytes(request: StreamingRequest, body: bytes, media_type: list[bytes], status: int = 200) -> None:
    """Answer with a whole body and finish."""
    if status != 200:
        request.setResponseCode(status)
    headers = request.responseHeaders
    headers.setRawHeaders(b"Content-Type", media_type)
    headers.setRawHeaders(b"Content-Length", [b"%d" % len(body)])
    request.write(body)
    request.finish()


def send_created(request: StreamingRequest, location: str, value: Any) -> None:
    """Answer 201 with ``Location`` (an absolute URL) and a JSON body."""
    request.responseHeaders.setRawHeaders(b"Location", [location.encode("ascii")])
    send_json(request, value, 201)


def send_nothing(request: StreamingRequest) -> None:
    """Answer 204."""
    request.setResponseCode(204)
    request.finish()
