"""Operations that follow the changes of a space, for as long as the client stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError

from cluster_worker.http.bodies import decode_json, read_bytes
from cluster_worker.runtime.streams import StreamBroken
from onedata.errors import BadValueInteger, BadValueJSON, MalformedData
from op_worker.changes.lines import Selected, View, beat, classic, event, json_line
from op_worker.changes.specification import KEY, parse_specification
from op_worker.changes.stream import ChangeStream, Framing
from op_worker.http.rest.calls import RestCall
from op_worker.http.rest.negotiation import accepts
from op_worker.http.rest.table import EVENTS, JSON

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

_SPECIFICATION_LIMIT_B = 256 * 1024
_JSON_LINES = Framing(json_line)
_EVENTS = Framing(event, beat)


async def follow_changes(call: RestCall) -> None:
    """Changes of documents that a specification names, as lines of JSON or server-sent events."""
    try:
        body = decode_json(await read_bytes(call.request, _SPECIFICATION_LIMIT_B))
    except MalformedData:
        raise BadValueJSON(KEY) from None
    await _follow(call, Selected(parse_specification(body)))


async def follow_changes_classic(call: RestCall) -> None:
    """Changes of files with all that is known, as lines of JSON or server-sent events."""
    await _follow(call, classic)


async def _follow(call: RestCall, view: View) -> None:
    timeout_ms, last_seq = call.params["timeout"], call.params["last_seq"]
    wants_events = _wants_events(call.request)
    if wants_events and (given := call.request.getHeader(b"last-event-id")):
        last_seq = _event_id(given)
    stream = await call.services.changes.open(
        call.caller,
        call.space_id,
        view,
        _EVENTS if wants_events else _JSON_LINES,
        after=last_seq if isinstance(last_seq, int) else None,
        timeout_s=timeout_ms / 1000 if isinstance(timeout_ms, int) else None,
    )
    try:
        await _send(call.request, stream, EVENTS if wants_events else JSON)
    finally:
        stream.close()


async def _send(request: StreamingRequest, stream: ChangeStream, media_type: str) -> None:
    """Send what there is as soon as there is something, no faster than the client takes it."""
    headers = request.responseHeaders
    headers.setRawHeaders(b"Content-Type", [media_type.encode()])
    headers.setRawHeaders(b"Cache-Control", [b"no-store"])
    if request.method == b"HEAD":
        request.finish()
        return
    request.channel.transport.setTcpKeepAlive(1)  # a client that vanished is noticed also in silence
    gone = request.notifyFinish()
    gone.addBoth(lambda _: stream.end())
    request.write(b"")
    try:
        while data := await stream.read():
            request.write(data)
            await request.drained()
    except (StreamBroken, CancelledError):
        request.abort()
        return
    if not request.is_gone:
        request.finish()


def _wants_events(request: StreamingRequest) -> bool:
    accept = (request.getHeader(b"accept") or b"").decode("latin-1")
    return bool(accept) and accepts(accept, EVENTS) and not accepts(accept, JSON)


def _event_id(given: bytes) -> int:
    if not given.isdigit() or len(given) > 18:
        raise BadValueInteger("Last-Event-ID")
    return int(given)
