"""Messages: every class there and back, and every wrong body is the right error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.wire.call_messages import Call, Cast, NotOwner
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.errors import BadFrame, BadRequest
from cluster_worker.wire.fields import BadField, Fields, pack_fields
from cluster_worker.wire.frames import FRAME_LIMIT_B, Frame, FrameDecoder
from cluster_worker.wire.health_messages import ClusterStatus, GetClusterStatus, Health, Healthcheck
from cluster_worker.wire.link_messages import (
    Failed,
    Goodbye,
    Hello,
    Ping,
    Pong,
    Reject,
    Result,
    Role,
    VersionRange,
)
from cluster_worker.wire.membership_messages import (
    ClusterReady,
    ForceStop,
    Heartbeat,
    InitStep,
    Leave,
    LoadAdvice,
    NodeAddress,
    NotLeader,
    Refused,
    Registered,
    RegisterNode,
    RingUpdate,
    StepReport,
)
from cluster_worker.wire.messages import (
    FIRST_REPLY_TYPE,
    MESSAGE_CLASSES,
    MESSAGES_BY_TYPE,
    Message,
    decode_message,
    encode_message,
)
from cluster_worker.wire.operator_messages import DrainNode, LeaveNode, StopNode, UndrainNode
from cluster_worker.wire.slot_table import SLOTS, decode_table, encode_table

text = st.text(max_size=20)
small = st.integers(0, 2**63)
epochs = st.builds(Epoch, small, small)
shares = st.floats(0, 1, allow_nan=False)
ranges = st.tuples(st.integers(0, 99), st.integers(0, 99)).map(
    lambda pair: VersionRange(min(pair), max(pair))
)
components = st.lists(st.tuples(text, text), max_size=3).map(tuple)
payloads: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | text
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
ports = st.integers(0, 65535)


def tuples(*parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.tuples(*parts), max_size=3).map(tuple)


addresses = st.builds(NodeAddress, text, text, ports)


@st.composite
def drawn_rings(draw: st.DrawFn) -> RingUpdate:
    """Rings whose slots belong to their nodes, in runs or scattered."""
    nodes = draw(st.lists(addresses, max_size=3, unique_by=lambda node: node.node).map(tuple))
    pattern = draw(st.lists(st.sampled_from([node.node for node in nodes]), max_size=5)) if nodes else []
    table = tuple(pattern[slot * len(pattern) // SLOTS] for slot in range(SLOTS)) if pattern else ()
    names = st.lists(text, max_size=3).map(tuple)
    return RingUpdate(
        draw(epochs), draw(epochs), draw(st.integers(1, 9)), nodes, draw(names), draw(names), table
    )


rings = drawn_rings()
STRATEGIES: dict[type[Message], st.SearchStrategy[Any]] = {
    Hello: st.builds(
        Hello, ranges, st.frozensets(text, max_size=3), st.sampled_from(Role), text, text, text, text
    ),
    Reject: st.builds(Reject, text, text, ranges, ranges),
    Ping: st.just(Ping()),
    Pong: st.just(Pong()),
    Goodbye: st.builds(Goodbye, text),
    Result: st.builds(Result, payloads),
    Failed: st.builds(Failed, text, text, st.none() | st.dictionaries(text, payloads, max_size=3)),
    RegisterNode: st.builds(RegisterNode, text, ports, epochs, st.none() | epochs, st.none() | rings),
    Registered: st.builds(Registered, epochs),
    Refused: st.builds(Refused, epochs, text),
    InitStep: st.builds(InitStep, epochs, text),
    StepReport: st.builds(StepReport, epochs, text, st.none() | text),
    Heartbeat: st.builds(Heartbeat, shares, shares, shares, tuples(text, small)),
    LoadAdvice: st.builds(LoadAdvice, epochs, st.booleans(), tuples(text, shares)),
    RingUpdate: rings,
    ClusterReady: st.builds(ClusterReady, epochs),
    ForceStop: st.builds(ForceStop, epochs, text),
    StopNode: st.builds(StopNode, epochs, text),
    **{kind: st.builds(kind, text) for kind in (DrainNode, UndrainNode, LeaveNode)},
    Leave: st.just(Leave()),
    NotLeader: st.builds(NotLeader, epochs, text, st.integers(0, 65535)),
    Healthcheck: st.builds(Healthcheck, epochs, st.booleans()),
    GetClusterStatus: st.just(GetClusterStatus()),
    Health: st.builds(Health, components),
    ClusterStatus: st.builds(ClusterStatus, tuples(text, components), tuples(text, text)),
    Call: st.builds(Call, text, st.none() | text, small, payloads),
    Cast: st.builds(Cast, text, payloads),
    NotOwner: st.builds(NotOwner, epochs, text),
}
any_message = st.one_of(*STRATEGIES.values())


def frame_of(data: bytes) -> Frame:
    decoder = FrameDecoder(FRAME_LIMIT_B)
    decoder.feed(data)
    frame = decoder.next_frame()
    assert frame is not None
    return frame


def test_every_message_class_is_tested_here() -> None:
    assert set(STRATEGIES) == set(MESSAGE_CLASSES)


def test_no_two_messages_share_a_type_number() -> None:
    assert len(MESSAGES_BY_TYPE) == len(MESSAGE_CLASSES)


@given(any_message, st.integers(1, 2**64 - 1))
def test_every_message_comes_back_as_it_was_sent(message: Message, correlation: int) -> None:
    frame = frame_of(encode_message(message, correlation, 1))
    assert (frame.version, frame.kind, frame.correlation) == (1, message.TYPE, correlation)
    assert decode_message(frame) == message


@given(any_message)
def test_fields_that_a_newer_peer_adds_are_ignored(message: Message) -> None:
    body = pack_fields([*message.encode(), "from the future"])
    assert decode_message(Frame(1, message.TYPE, 1, body)) == message


@given(any_message)
def test_message_without_its_last_field_is_refused(message: Message) -> None:
    values = message.encode()
    if values:
        with pytest.raises((BadFrame, BadRequest)):
            decode_message(Frame(1, message.TYPE, 1, pack_fields(values[:-1])))


@given(
    st.integers(0, 255),
    st.integers(0, 5),
    st.binary(max_size=80) | payloads.map(lambda value: pack_fields([value])),
)
def test_any_body_is_a_message_or_a_documented_error(kind: int, correlation: int, body: bytes) -> None:
    try:
        message = decode_message(Frame(1, kind, correlation, body))
    except BadRequest:
        assert kind < FIRST_REPLY_TYPE and correlation
    except BadFrame:
        pass
    else:
        assert message.TYPE == kind


@given(any_message, st.data())
def test_one_wrong_field_is_a_documented_error_or_harmless(message: Message, data: st.DataObject) -> None:
    values = message.encode()
    if values:
        values[data.draw(st.integers(0, len(values) - 1))] = data.draw(payloads)
        try:
            decode_message(Frame(1, message.TYPE, 1, pack_fields(values)))
        except (BadFrame, BadRequest):
            pass


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x93\x01",
        b"\x90\x90",
        b"\xa1x",
        b"\x91\xc7\x00\x05",
        b"\x91" * 2000,
    ],
)
def test_body_that_is_no_array_drops_the_link(body: bytes) -> None:
    with pytest.raises(BadFrame):
        decode_message(Frame(1, Call.TYPE, 1, body))


def test_unknown_request_type_fails_that_request_only() -> None:
    with pytest.raises(BadRequest, match="no message type 99"):
        decode_message(Frame(1, 99, 1, b"\x90"))


def test_unknown_notice_type_is_a_bad_frame() -> None:
    with pytest.raises(BadFrame, match="no message type 99"):
        decode_message(Frame(1, 99, 0, b"\x90"))


def test_reply_that_answers_nothing_is_a_bad_frame() -> None:
    with pytest.raises(BadFrame, match="answers nothing"):
        decode_message(Frame(1, Pong.TYPE, 0, b"\x90"))


def test_message_over_the_limit_is_not_sent() -> None:
    with pytest.raises(BadRequest, match="over the limit"):
        encode_message(Cast("w", b"x" * FRAME_LIMIT_B), 0, 1)


@pytest.mark.parametrize("payload", [object(), 2**64, {1, 2}, "\ud800"])
def test_value_that_msgpack_cannot_carry_is_a_bad_request(payload: object) -> None:
    with pytest.raises(BadRequest, match="cannot be sent"):
        encode_message(Cast("w", payload), 0, 1)
    assert encode_message(Cast("w", 1), 0, 1)  # and leaves nothing behind


@pytest.mark.parametrize("message", MESSAGE_CLASSES, ids=lambda cls: cls.__name__)
def test_docstring_shows_the_layout_of_every_message(message: type[Message]) -> None:
    assert message.__doc__ is not None and message.__doc__.startswith("``[")


@pytest.mark.parametrize("message", MESSAGE_CLASSES, ids=lambda cls: cls.__name__)
def test_every_message_is_frozen(message: type[Any]) -> None:
    frozen: Callable[..., Any] | None = getattr(message, "__setattr__", None)
    assert frozen is not None and frozen.__name__ == "_frozen_setattrs"
    assert fields(message) is not None


@pytest.mark.parametrize(
    "runs",
    [
        [0, SLOTS - 1],
        [0, SLOTS + 1],
        [0, SLOTS, 1, 1],
        [2, SLOTS],
        [0, 8192, 1],
        [0, -1],
        [0, 2**40],
        ["a", SLOTS],
        [0],
    ],
)
def test_table_that_is_not_whole_or_names_other_nodes_is_refused(runs: list[object]) -> None:
    with pytest.raises(BadField):
        decode_table(Fields(runs), ["a", "b"])


def test_scattered_table_of_a_thousand_nodes_fits_into_a_frame() -> None:
    nodes = [f"worker@node{number:04}.example" for number in range(1000)]
    table = tuple(nodes[slot * 617 % 1000] for slot in range(SLOTS))
    runs = encode_table(table, nodes)
    assert decode_table(Fields(list(runs)), nodes) == table
    assert len(pack_fields(runs)) <= 64 * 1024 + 3
