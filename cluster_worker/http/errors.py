"""The one place where an exception becomes an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException

from cluster_worker.persistence.engine import PersistenceUnavailable
from cluster_worker.runtime.request_ids import REQUEST_ID
from cluster_worker.runtime.streams import StreamBroken
from onedata.errors import InternalServerError, OnedataError, ServiceUnavailable

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

_log = Logger()


class HttpError(Exception):
    """An answer of the HTTP layer itself: a status, headers, no body (404, 405, 406, 413, 415, 416)."""

    def __init__(self, status: int, headers: Mapping[bytes, bytes] | None = None) -> None:
        super().__init__(status)
        self.status, self.headers = status, headers or {}


def render_error(request: StreamingRequest, exc: BaseException | Failure) -> None:
    """Answer ``request`` with what ``exc`` means, or drop the connection where an answer is impossible.

    Nothing is sent twice, nothing internal is told: an unknown exception is logged under the
    request's id, which the client gets as the reference.
    """
    failure = exc if isinstance(exc, Failure) else Failure(exc)
    error = failure.value or RuntimeError("a failure without an exception")
    if request.is_gone or request.finished:
        _log_unknown(request, failure)
    elif request.startedWriting or isinstance(error, StreamBroken | CancelledError):
        _log_unknown(request, failure)
        request.abort()
    elif isinstance(error, HttpError):
        _send_empty(request, error.status, error.headers)
    elif isinstance(error, HTTPException):
        _send_empty(request, error.code or 500, _allow(error))
    else:
        _send_onedata(request, failure, error)


def send_error(request: StreamingRequest, error: OnedataError) -> None:
    """Answer with ``error``: its status and its JSON form, in full when ``Prefer: reason`` asks for that."""
    body = json.dumps(error.wrapped(in_full=wants_reason(request)), separators=(",", ":")).encode()
    request.setResponseCode(error.http_status)
    headers = request.responseHeaders
    headers.setRawHeaders(b"Content-Type", [b"application/json"])
    headers.setRawHeaders(b"Content-Length", [b"%d" % len(body)])
    request.write(body)
    request.finish()


def wants_reason(request: StreamingRequest) -> bool:
    """Whether the client prefers (RFC 7240) to be told the fact that a refusal rests on."""
    preferences: bytes = request.getHeader(b"prefer") or b""
    return b"reason" in [one.strip().lower() for one in preferences.split(b",")]


def _send_onedata(request: StreamingRequest, failure: Failure, error: BaseException) -> None:
    if isinstance(error, PersistenceUnavailable):
        request.setHeader(b"Retry-After", b"1")
        error = ServiceUnavailable()
    elif not isinstance(error, OnedataError):
        _log_unknown(request, failure)
        error = InternalServerError(request.request_id)
    send_error(request, error)


def _send_empty(request: StreamingRequest, status: int, headers: Mapping[bytes, bytes]) -> None:
    request.setResponseCode(status)
    for name, value in headers.items():
        request.setHeader(name, value)
    request.setHeader(b"Content-Length", b"0")
    request.finish()


def _allow(error: HTTPException) -> dict[bytes, bytes]:
    methods = getattr(error, "valid_methods", None)
    return {b"Allow": ", ".join(sorted(methods)).encode()} if methods else {}


def _log_unknown(request: StreamingRequest, failure: Failure) -> None:
    expected = (OnedataError, StreamBroken, CancelledError, HTTPException, HttpError, PersistenceUnavailable)
    if isinstance(failure.value, expected):
        return
    outside = REQUEST_ID.set(request.request_id)  # errors arrive here from outside of the request's context
    try:
        _log.failure("a request failed, reference {reference}", failure=failure, reference=request.request_id)
    finally:
        REQUEST_ID.reset(outside)
