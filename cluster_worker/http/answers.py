"""The usual answers: JSON, nothing, something created, and what is known only later."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred

from cluster_worker.http.errors import render_error

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

T = TypeVar("T")
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


def send_later(request: StreamingRequest, work: Coroutine[Any, Any, T], send: Callable[[T], None]) -> None:
    """Answer with ``send`` what ``work`` returns, or what it raises; it is cancelled when the client goes."""
    working = Deferred.fromCoroutine(work)
    if not working.called:
        request.work = working

    def ended(result: object) -> object:
        request.work = None
        return result

    working.addBoth(ended)
    working.addCallback(send)
    working.addErrback(lambda failure: render_error(request, failure))
