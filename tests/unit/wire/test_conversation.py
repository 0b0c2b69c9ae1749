"""The conversation: greetings, refusals, requests, and whatever a hostile peer sends."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.wire.call_messages import Call
from cluster_worker.wire.conversation import (
    CloseLink,
    Conversation,
    Expectation,
    LinkOpened,
    NoticeCame,
    Peer,
    ReplyCame,
    RequestCame,
    SendBytes,
    Side,
    State,
)
from cluster_worker.wire.errors import BadFrame
from cluster_worker.wire.frames import FRAME_LIMIT_B, Frame, FrameDecoder
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
from cluster_worker.wire.messages import Message, decode_message, encode_message

WORKER = Hello(VersionRange(1, 3), frozenset({"x", "y"}), Role.WORKER, "worker@w", "op_worker", "1", "w1")
MANAGER = Hello(VersionRange(2, 5), frozenset({"y", "z"}), Role.MANAGER, "cm@m", "cluster_manager", "1", "m1")
A_WORKER = Expectation(frozenset({Role.WORKER}))
A_MANAGER = Expectation(frozenset({Role.MANAGER}))


def frame(message: Message, correlation: int = 0, version: int = 3) -> Frame:
    decoder = FrameDecoder(FRAME_LIMIT_B)
    decoder.feed(encode_message(message, correlation, version))
    found = decoder.next_frame()
    assert found is not None
    return found


def sent(effect: object) -> Message:
    assert isinstance(effect, SendBytes)
    decoder = FrameDecoder(FRAME_LIMIT_B)
    decoder.feed(effect.data)
    found = decoder.next_frame()
    assert found is not None
    return decode_message(found)


def answering(
    identity: str = "worker@w", expectation: Expectation = A_WORKER, own: Hello = MANAGER
) -> Conversation:
    conversation = Conversation(own, expectation, Side.ANSWERING)
    assert conversation.start(identity) == ()
    return conversation


def opened() -> Conversation:
    conversation = answering()
    conversation.receive(frame(WORKER, version=0))
    return conversation


def test_calling_side_greets_as_soon_as_the_transport_is_secure() -> None:
    conversation = Conversation(WORKER, A_MANAGER, Side.CALLING)
    (effect,) = conversation.start("cm@m")
    assert sent(effect) == WORKER
    assert conversation.receive(frame(MANAGER, version=0)) == (
        LinkOpened(Peer(MANAGER, 3, frozenset({"y"}))),
    )
    assert conversation.state is State.OPEN


def test_answering_side_greets_back_before_the_link_is_open() -> None:
    greeting, link = answering().receive(frame(WORKER, version=0))
    assert sent(greeting) == MANAGER
    assert link == LinkOpened(Peer(WORKER, 3, frozenset({"y"})))


def test_highest_common_version_is_agreed_on() -> None:
    assert VersionRange(1, 3).agree(VersionRange(2, 5)) == 3
    assert VersionRange(1, 3).agree(VersionRange(3, 3)) == 3
    assert VersionRange(1, 3).agree(VersionRange(4, 5)) is None


def test_refusal_of_a_version_names_both_ranges() -> None:
    conversation = answering()
    reject, close = conversation.receive(frame(evolve(WORKER, versions=VersionRange(7, 9)), version=0))
    assert sent(reject) == Reject(
        "version", "this node speaks versions 2-5, the peer 7-9", VersionRange(2, 5), VersionRange(7, 9)
    )
    assert isinstance(close, CloseLink) and conversation.state is State.CLOSED


def test_name_that_the_certificate_does_not_carry_is_rejected() -> None:
    reject, _ = answering(identity="worker@other").receive(frame(WORKER, version=0))
    refused = sent(reject)
    assert isinstance(refused, Reject) and refused.code == "identity"


def test_role_that_is_not_wanted_is_rejected() -> None:
    reject, _ = answering(expectation=A_MANAGER).receive(frame(WORKER, version=0))
    refused = sent(reject)
    assert isinstance(refused, Reject) and refused.code == "role"


def test_other_node_than_expected_is_rejected() -> None:
    reject, _ = answering(expectation=evolve(A_WORKER, node="worker@v")).receive(frame(WORKER, version=0))
    refused = sent(reject)
    assert isinstance(refused, Reject) and refused.code == "node"


def test_rejected_caller_closes_with_the_reason() -> None:
    conversation = Conversation(WORKER, A_MANAGER, Side.CALLING)
    conversation.start("cm@m")
    reject = Reject("role", "not here", VersionRange(1, 1), VersionRange(1, 1))
    assert conversation.receive(frame(reject, version=0)) == (
        CloseLink("rejected by the peer (role): not here"),
    )


def test_caller_that_rejects_late_closes_the_open_link() -> None:
    reject = Reject("node", "no", VersionRange(1, 1), VersionRange(1, 1))
    assert opened().receive(frame(reject, version=0)) == (CloseLink("rejected by the peer (node): no"),)


@pytest.mark.parametrize("message", [Ping(), Call("w", None, 1, None), Goodbye("x"), Result(1)])
def test_anything_before_the_greeting_is_a_bad_frame(message: Message) -> None:
    with pytest.raises(BadFrame):
        answering().receive(frame(message, 1, version=0))


def test_greeting_with_an_agreed_version_byte_is_a_bad_frame() -> None:
    with pytest.raises(BadFrame, match="no greeting"):
        answering().receive(frame(WORKER, version=1))


def test_requests_notices_and_replies_are_delivered() -> None:
    conversation = opened()
    call = Call("w", None, 1, None)
    assert conversation.receive(frame(call, 5)) == (RequestCame(call, 5),)
    assert conversation.receive(frame(call, 0)) == (NoticeCame(call),)
    assert conversation.receive(frame(Result(1), 5)) == (ReplyCame(Result(1), 5),)


def test_wrong_request_is_answered_and_the_link_stays_open() -> None:
    conversation = opened()
    (effect,) = conversation.receive(Frame(3, Call.TYPE, 5, b"\x91\x01"))
    failed = sent(effect)
    assert isinstance(failed, Failed) and failed.code == "badRequest"
    assert conversation.state is State.OPEN


def test_ping_is_answered_by_the_machine_itself() -> None:
    (effect,) = opened().receive(frame(Ping(), 9))
    assert sent(effect) == Pong()


def test_goodbye_closes_the_link_with_its_reason() -> None:
    assert opened().receive(frame(Goodbye("done"))) == (CloseLink("the peer said goodbye: done"),)


@pytest.mark.parametrize("bad", [frame(WORKER), frame(Ping(), 1, version=2), Frame(3, 32, 1, b"\xc1")])
def test_bad_frame_on_an_open_link_closes_the_machine(bad: Frame) -> None:
    conversation = opened()
    with pytest.raises(BadFrame):
        conversation.receive(bad)
    assert conversation.state is State.CLOSED
    assert conversation.receive(frame(Ping(), 1)) == ()


raw_frames = st.builds(
    Frame,
    st.sampled_from([0, 3, 3, 3, 200]),
    st.integers(0, 255),
    st.integers(0, 3),
    st.binary(max_size=60) | st.sampled_from([b"\x90", b"\x91\x01", b"\x94\xa1w\xc0\x01\xc0"]),
)


@given(st.booleans(), st.lists(raw_frames, max_size=10))
def test_hostile_frames_raise_nothing_but_bad_frame(is_open: bool, hostile: list[Frame]) -> None:
    conversation = opened() if is_open else answering()
    for each in hostile:
        try:
            conversation.receive(each)
        except BadFrame:
            assert conversation.state is State.CLOSED
