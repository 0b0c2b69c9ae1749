"""Answers and refusals of CDMI, written to HTTP requests."""

from __future__ import annotations

import json
import re

from twisted.python.failure import Failure

from cluster_worker.http.answers import send_bytes
from cluster_worker.http.errors import HttpError, render_error, wants_reason
from cluster_worker.http.request import StreamingRequest
from cluster_worker.http.streaming import write_body
from onedata.errors import OnedataError
from op_worker.files.model import FileStat
from op_worker.files.stored.conditions import changed_s
from op_worker.http.cdmi.answers import Answer, AnyAnswer, RawAnswer, ValueAnswer
from op_worker.http.cdmi.refusals import Redirected, Referred, Refused, redirect_status, status_of
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.conditions import http_date
from op_worker.http.content import ContentAnswer, attachment, set_validators

_HOST = re.compile(rb"[A-Za-z0-9._\-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")

_OF_STATES = frozenset({Kind.OBJECT.value, Kind.QUEUE.value})


async def send(request: StreamingRequest, answer: AnyAnswer) -> None:
    """Send an answer to its end.

    Raises:
        HttpError: 406, when nothing that the client accepts can be made.
    """
    if isinstance(answer, RawAnswer):
        request.setHeader(b"Content-Disposition", attachment(answer.reader.stat.name))
        content = ContentAnswer(
            media_type=answer.mimetype.encode("ascii"), ranges=answer.ranges, conditions=answer.conditions
        )
        await content.send(request, answer.reader)
    elif isinstance(answer, ValueAnswer):
        await _send_value(request, answer)
    elif answer.status == 406:
        raise HttpError(406)
    else:
        _send_answer(request, answer)


def _send_answer(request: StreamingRequest, answer: Answer) -> None:
    if answer.location is not None:
        request.setHeader(b"Location", _absolute(request, answer.location))
    if answer.state is not None:
        _set_state(request, answer.state)
    if answer.media_type is None:
        if answer.written is not None:
            set_validators(request, answer.written)
        request.setResponseCode(answer.status)
        if answer.status not in (204, 304):
            request.setHeader(b"Content-Length", b"0")
        request.finish()
    else:
        send_bytes(request, answer.body, [answer.media_type.encode("ascii")], answer.status)


def refuse(request: StreamingRequest, failure: Failure) -> None:
    """Answer a request whose operation raised; what is no matter of CDMI goes the house's way."""
    error = failure.value
    if request.startedWriting or request.is_gone:
        render_error(request, failure)
    elif isinstance(error, Redirected):
        _redirect(request, error)
    elif isinstance(error, Referred):
        _refer(request, error.uri)
    elif isinstance(error, Refused):
        _send_error(request, error.status, error.error)
    elif isinstance(error, OnedataError) and error.http_status < 500:
        _send_error(request, status_of(error, method(request)), error)
    else:
        render_error(request, failure)


def method(request: StreamingRequest) -> str:
    """Return the request's method as text."""
    return request.method.decode("ascii")


async def _send_value(request: StreamingRequest, answer: ValueAnswer) -> None:
    try:
        request.setHeader(b"Content-Type", answer.media_type.encode("ascii"))
        if answer.media_type in _OF_STATES:  # several parts differ every time
            _set_state(request, answer.reader.stat)
        if answer.length_b is not None:
            request.setHeader(b"Content-Length", b"%d" % answer.length_b)
        if request.method == b"HEAD":
            request.finish()
        else:
            await write_body(request, answer.stream)
    finally:
        await answer.reader.close()


def _set_state(request: StreamingRequest, stat: FileStat) -> None:
    """Tell which state of a file this is, and of when; the list of spaces has none."""
    if stat.parent is not None:
        headers = request.responseHeaders
        headers.setRawHeaders(b"ETag", [b'"%b"' % stat.state_tag.encode("ascii")])
        headers.setRawHeaders(b"Last-Modified", [http_date(min(changed_s(stat), request.site.now_s()))])


def _absolute(request: StreamingRequest, path: str) -> bytes:
    """Return the URI of a path below the CDMI root, by the host that the client spoke to."""
    host = request.getHeader(b"host") or b""
    origin = b""
    if _HOST.fullmatch(host):
        origin = (b"https://" if request.isSecure() else b"http://") + host
    return origin + b"/" + b"/".join(request.prepath or []) + path.encode("ascii")


def _redirect(request: StreamingRequest, error: Redirected) -> None:
    query = b"?" + request.query if request.query else b""
    request.setResponseCode(redirect_status(method(request)))
    request.setHeader(b"Location", _absolute(request, error.path) + query)
    request.setHeader(b"Cache-Control", b"max-age=3600")
    request.setHeader(b"Content-Length", b"0")
    request.finish()


def _refer(request: StreamingRequest, uri: str) -> None:
    request.setResponseCode(302)
    request.setHeader(b"Location", uri.encode("ascii"))
    request.setHeader(b"Content-Length", b"0")
    request.finish()


def _send_error(request: StreamingRequest, status: int, error: OnedataError) -> None:
    if status == 401:
        request.setHeader(b"WWW-Authenticate", b'Bearer realm="oneprovider"')
    told = error.wrapped(in_full=wants_reason(request))
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    send_bytes(request, body, [b"application/json"], status)
