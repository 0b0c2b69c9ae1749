"""The table of all messages, and their way into and out of frames.

Types below 128 start something: with a correlation id they are requests and get one reply, without
one (0) they are notices. Types from 128 up are replies and carry the correlation id of their request.
"""

from __future__ import annotations

from typing import ClassVar, Protocol, Self

from cluster_worker.wire.call_messages import Call, Cast, NotOwner
from cluster_worker.wire.errors import BadFrame, BadRequest
from cluster_worker.wire.fields import BadField, Fields, pack_fields, unpack_fields
from cluster_worker.wire.frames import FRAME_LIMIT_B, HEAD_B, Frame, encode_frame
from cluster_worker.wire.health_messages import ClusterStatus, GetClusterStatus, Health, Healthcheck
from cluster_worker.wire.link_messages import Failed, Goodbye, Hello, Ping, Pong, Reject, Result
from cluster_worker.wire.membership_messages import (
    ClusterReady,
    ForceStop,
    Heartbeat,
    InitStep,
    Leave,
    LoadAdvice,
    NotLeader,
    Refused,
    Registered,
    RegisterNode,
    RingUpdate,
    StepReport,
)
from cluster_worker.wire.operator_messages import DrainNode, LeaveNode, StopNode, UndrainNode

FIRST_REPLY_TYPE = 128
NO_CORRELATION = 0


class Message(Protocol):
    """A frozen value that travels in one frame."""

    TYPE: ClassVar[int]

    def encode(self) -> list[object]:
        """The fields of the body, in order."""

    @classmethod
    def decode(cls, fields: Fields) -> Self:
        """Build the message from its fields. Raises: BadField."""


MESSAGE_CLASSES: tuple[type[Message], ...] = (
    *(Hello, Reject, Ping, Goodbye),
    *(RegisterNode, Registered, Refused, InitStep, StepReport, Heartbeat, LoadAdvice, RingUpdate),
    *(ClusterReady, ForceStop, Leave, Healthcheck, GetClusterStatus, NotLeader, StopNode),
    *(Call, Cast),
    *(DrainNode, UndrainNode, LeaveNode),
    *(Result, Failed, Pong, NotOwner, Health, ClusterStatus),
)
MESSAGES_BY_TYPE: dict[int, type[Message]] = {message.TYPE: message for message in MESSAGE_CLASSES}


def encode_message(message: Message, correlation: int, version: int) -> bytes:
    """Return the frame of ``message``.

    Raises:
        BadRequest: it holds a value that cannot be sent, or is larger than a frame may be.
    """
    body = pack_fields(message.encode())
    if HEAD_B + len(body) > FRAME_LIMIT_B:
        raise BadRequest(f"a message of {len(body)} bytes is over the limit of {FRAME_LIMIT_B}")
    return encode_frame(version, message.TYPE, correlation, body)


def decode_message(frame: Frame) -> Message:
    """Return the message in ``frame``.

    Raises:
        BadRequest: a request of unknown type or with wrong fields; it can be answered with an error.
        BadFrame: anything else that is not a message; the link cannot go on.
    """
    values = unpack_fields(frame.body)
    message = MESSAGES_BY_TYPE.get(frame.kind)
    if message is None:
        raise _problem(frame, f"there is no message type {frame.kind}")
    if (frame.kind >= FIRST_REPLY_TYPE) and frame.correlation == NO_CORRELATION:
        raise BadFrame(f"a reply of type {frame.kind} answers nothing")
    try:
        return message.decode(Fields(values))
    except BadField as problem:
        raise _problem(frame, f"{message.__name__}: {problem}") from problem


def is_request(frame: Frame) -> bool:
    """Whether the sender of ``frame`` waits for a reply."""
    return frame.kind < FIRST_REPLY_TYPE and frame.correlation != NO_CORRELATION


def _problem(frame: Frame, text: str) -> BadRequest | BadFrame:
    return BadRequest(text) if is_request(frame) else BadFrame(text)
