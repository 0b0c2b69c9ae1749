"""Graph Sync messages to the text of a WebSocket frame, and back; protocol version 4.

Envelopes, one JSON object per frame::

    {"id", "type": "request", "subtype", "payload", "authOverride"}
    {"id", "type": "response", "subtype", "payload": {"success", "error", "data"}}
    {"type": "push", "subtype", "payload"}
    {"batch": [<message>, …]}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn

from attrs import define, field

from onedata.errors import BadGRI, BadMessage
from onedata.errors.base import HIDDEN
from onedata.graphsync import decoding, encoding
from onedata.graphsync.messages import Batch, ErrorResponse, Message, Push, Request, Response, Subtype


@define(slots=False)
class MalformedRequest(BadMessage):
    """One request is at fault, not the link: its sender can be answered with ``response``."""

    id: ClassVar[str] = BadMessage.id

    response: ErrorResponse = field(metadata=HIDDEN)


def encode(message: Message) -> str:
    """The text of the frame."""
    return json.dumps(_to_json(message), separators=(",", ":"), allow_nan=False)


def _to_json(message: Message) -> dict[str, Any]:
    if isinstance(message, Batch):
        return {"batch": [_to_json(each) for each in message.messages]}
    return encoding.ENVELOPES[type(message)](message)


def decode(text: str | bytes) -> Message:
    """Read a frame. The errors say what is wrong without repeating what the frame carried.

    Raises:
        MalformedRequest: a request that cannot be understood; it holds the response to send.
        BadMessage: the frame is no message, or a batch with a bad one.
    """
    try:
        obj = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as bad:
        raise BadMessage("not JSON") from bad
    if not isinstance(obj, dict):
        raise BadMessage("not an object")
    if "batch" not in obj:
        return _one(obj)
    if not isinstance(obj["batch"], list):
        raise BadMessage("the batch is not a list")
    try:
        return Batch(tuple(map(_one, obj["batch"])))
    except MalformedRequest as bad:
        raise BadMessage(bad.message) from bad


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _one(obj: Any) -> Request | Response | Push:
    try:
        read = _READERS[obj["type"], Subtype(obj["subtype"])]
    except (KeyError, TypeError, ValueError) as bad:
        raise BadMessage("unknown type or subtype") from bad
    try:
        return read(obj)
    except (KeyError, TypeError, ValueError, BadGRI) as bad:
        raise _malformed(obj, bad) from bad


def _malformed(obj: dict[str, Any], cause: Exception) -> BadMessage:
    reason = f"malformed {obj['subtype']} {obj['type']}"
    if obj["type"] != "request" or not isinstance(obj.get("id"), str):
        return BadMessage(reason)
    error = cause if isinstance(cause, BadGRI) else BadMessage(reason)
    return MalformedRequest(reason, ErrorResponse(id=obj["id"], subtype=Subtype(obj["subtype"]), error=error))


_READERS: Mapping[tuple[str, Subtype], Callable[[dict[str, Any]], Request | Response | Push]]
_READERS = MappingProxyType(
    {
        ("request", Subtype.HANDSHAKE): decoding.handshake_request,
        ("request", Subtype.RPC): decoding.rpc_request,
        ("request", Subtype.GRAPH): decoding.graph_request,
        ("request", Subtype.UNSUB): decoding.unsub_request,
        ("response", Subtype.HANDSHAKE): decoding.handshake_response,
        ("response", Subtype.RPC): decoding.rpc_response,
        ("response", Subtype.GRAPH): decoding.graph_response,
        ("response", Subtype.UNSUB): decoding.unsub_response,
        ("push", Subtype.GRAPH): decoding.graph_push,
        ("push", Subtype.NOSUB): decoding.nosub_push,
        ("push", Subtype.ERROR): decoding.error_push,
    }
)
