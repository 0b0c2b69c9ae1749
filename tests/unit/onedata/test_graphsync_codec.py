"""Graph Sync messages as frames, and frames as messages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadMessage, NotFound, Posix, SpaceNotSupportedBy
from onedata.graphsync import (
    AuthHint,
    AuthOverride,
    Batch,
    DataFormat,
    ErrorPush,
    ErrorResponse,
    GraphPush,
    GraphRequest,
    GraphResponse,
    Gri,
    HandshakeRequest,
    HandshakeResponse,
    HintContext,
    MalformedRequest,
    Message,
    NosubPush,
    Operation,
    PublicAuth,
    RpcRequest,
    RpcResponse,
    Scope,
    Subtype,
    TokenAuth,
    UnsubRequest,
    UnsubResponse,
    UpdateType,
    decode,
    encode,
)
from onedata.graphsync.encoding import ENVELOPES
from onedata.tokens import NOBODY, Interface, Subject

TEXTS = st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=3)
WORDS = st.from_regex(r"[a-z0-9_]{1,8}", fullmatch=True).filter(lambda word: word != "null")
GRIS = st.builds(Gri, WORDS, st.none() | WORDS, WORDS, st.none() | WORDS, st.sampled_from(Scope))
AUTHS = st.none() | st.just(PublicAuth.NOBODY) | st.builds(TokenAuth, TEXTS)
HINTS = st.none() | st.builds(AuthHint, st.sampled_from(HintContext), TEXTS)
OVERRIDES = st.none() | st.builds(
    AuthOverride,
    client_auth=AUTHS,
    peer_ip=st.none() | TEXTS,
    interface=st.none() | st.sampled_from(Interface),
    consumer_token=st.none() | TEXTS,
    data_access_allowed=st.booleans(),
)
ERRORS = st.sampled_from([NotFound(), SpaceNotSupportedBy("s1", "p1"), Posix.from_oserror(OSError())])
ANSWERED = st.sampled_from([Subtype.HANDSHAKE, Subtype.RPC, Subtype.GRAPH, Subtype.UNSUB])

BY_CLASS: dict[type, st.SearchStrategy[Any]] = {
    HandshakeRequest: st.builds(
        HandshakeRequest,
        id=TEXTS,
        supported_versions=st.lists(st.integers(), max_size=3).map(tuple),
        auth=AUTHS,
        session_id=st.none() | TEXTS,
    ),
    HandshakeResponse: st.builds(
        HandshakeResponse,
        id=TEXTS,
        identity=st.just(NOBODY) | st.builds(Subject, st.sampled_from(["user", "oneprovider"]), WORDS),
        version=st.integers(),
        session_id=st.none() | TEXTS,
        attributes=st.none() | OBJECTS,
    ),
    RpcRequest: st.builds(RpcRequest, id=TEXTS, function=TEXTS, args=OBJECTS, auth_override=OVERRIDES),
    RpcResponse: st.builds(RpcResponse, id=TEXTS, result=VALUES),
    GraphRequest: st.builds(
        GraphRequest,
        id=TEXTS,
        gri=GRIS,
        operation=st.sampled_from(Operation),
        data=VALUES,
        subscribe=st.booleans(),
        auth_hint=HINTS,
        auth_override=OVERRIDES,
    ),
    GraphResponse: st.builds(GraphResponse, id=TEXTS)
    | st.builds(GraphResponse, id=TEXTS, format=st.sampled_from(DataFormat), data=VALUES),
    UnsubRequest: st.builds(UnsubRequest, id=TEXTS, gri=GRIS),
    UnsubResponse: st.builds(UnsubResponse, id=TEXTS),
    ErrorResponse: st.builds(ErrorResponse, id=TEXTS, subtype=ANSWERED, error=ERRORS),
    GraphPush: st.builds(
        GraphPush, gri=GRIS, update_type=st.sampled_from(UpdateType), data=st.none() | OBJECTS
    ),
    NosubPush: st.builds(NosubPush, gri=GRIS, auth_hint=HINTS, reason=TEXTS),
    ErrorPush: st.builds(ErrorPush, error=ERRORS),
}
SINGLE = st.one_of(*BY_CLASS.values())


def test_strategies_above_cover_every_message_class() -> None:
    assert BY_CLASS.keys() == ENVELOPES.keys()


@given(SINGLE | st.lists(SINGLE, max_size=3).map(lambda messages: Batch(tuple(messages))))
def test_every_message_survives_its_frame(message: Message) -> None:
    assert decode(encode(message)) == message


REQUEST = GraphRequest(
    id="7",
    gri=Gri("space", "s1", "instance", scope=Scope.PROTECTED),
    operation=Operation.GET,
    subscribe=True,
    auth_hint=AuthHint(HintContext.THROUGH_USER, "u1"),
    auth_override=AuthOverride(
        client_auth=TokenAuth("MDAx"), peer_ip="10.0.0.1", interface=Interface.REST, data_access_allowed=True
    ),
)


def test_graph_request_has_the_published_form() -> None:
    assert json.loads(encode(REQUEST)) == {
        "id": "7",
        "type": "request",
        "subtype": "graph",
        "payload": {
            "gri": "space.s1.instance:protected",
            "operation": "get",
            "data": None,
            "subscribe": True,
            "authHint": "throughUser:u1",
        },
        "authOverride": {
            "clientAuth": {"token": "MDAx"},
            "peerIp": "10.0.0.1",
            "interface": "rest",
            "consumerToken": None,
            "dataAccessCaveatsPolicy": "allowDataAccessCaveats",
        },
    }


def test_handshake_has_the_published_form() -> None:
    assert json.loads(encode(HandshakeRequest(id="1", auth=PublicAuth.NOBODY)))["payload"] == {
        "supportedVersions": [4],
        "auth": "nobody",
        "sessionId": None,
    }
    answer = HandshakeResponse(id="1", identity=Subject("oneprovider", "p1"), session_id="x")
    assert json.loads(encode(answer))["payload"] == {
        "success": True,
        "error": None,
        "data": {"version": 4, "sessionId": "x", "identity": "prv-p1", "attributes": None},
    }


@pytest.mark.parametrize("subtype", [Subtype.HANDSHAKE, Subtype.RPC, Subtype.GRAPH, Subtype.UNSUB])
def test_failed_request_is_answered_in_its_own_subtype(subtype: Subtype) -> None:
    message = ErrorResponse(id="7", subtype=subtype, error=NotFound())
    frame = json.loads(encode(message))
    assert (frame["type"], frame["subtype"]) == ("response", subtype)
    assert frame["payload"] == {"success": False, "error": NotFound().to_json(), "data": {}}
    assert decode(encode(message)) == message


def test_pushes_have_the_published_form() -> None:
    gri = Gri("user", "u1", "instance")
    assert json.loads(encode(GraphPush(gri=gri, update_type=UpdateType.DELETED))) == {
        "type": "push",
        "subtype": "graph",
        "payload": {"gri": "user.u1.instance:private", "updateType": "deleted", "data": None},
    }
    assert json.loads(encode(NosubPush(gri=gri)))["payload"]["reason"] == "forbidden"


def test_fields_that_may_be_missing_have_defaults() -> None:
    frame = {"id": "1", "type": "request", "subtype": "graph"}
    payload = {"gri": "space.s1.instance", "operation": "get"}
    assert decode(json.dumps({**frame, "payload": payload})) == GraphRequest(
        id="1", gri=Gri("space", "s1", "instance"), operation=Operation.GET
    )
    override = {"clientAuth": None}
    decoded = decode(json.dumps({**frame, "payload": payload, "authOverride": override}))
    assert isinstance(decoded, GraphRequest)
    assert decoded.auth_override == AuthOverride()


def test_older_name_of_a_token_is_understood() -> None:
    payload = {"supportedVersions": [4], "auth": {"macaroon": "MDAx"}}
    frame = {"id": "1", "type": "request", "subtype": "handshake", "payload": payload}
    assert decode(json.dumps(frame)) == HandshakeRequest(id="1", auth=TokenAuth("MDAx"))


def test_printing_messages_does_not_tell_their_tokens() -> None:
    override = AuthOverride(client_auth=TokenAuth("secret-1"), consumer_token="secret-2")
    assert "secret" not in repr(evolve(REQUEST, auth_override=override))


@given(st.text(max_size=30) | st.binary(max_size=30) | VALUES.map(json.dumps))
def test_any_text_or_bytes_as_a_frame_is_refused(frame: str | bytes) -> None:
    with pytest.raises(BadMessage):
        decode(frame)


FIELDS = ["gri", "operation", "data", "success", "error", "supportedVersions", "auth", "function", "args"]
PAYLOADS = VALUES | st.dictionaries(st.sampled_from(FIELDS), VALUES | GRIS.map(lambda gri: gri.text))


@given(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["request", "response", "push", "x"]) | VALUES,
            "subtype": st.sampled_from([*Subtype]) | VALUES,
            "payload": PAYLOADS,
        },
        optional={"id": TEXTS | VALUES, "authOverride": VALUES},
    )
)
def test_any_envelope_is_read_or_refused(envelope: dict[str, Any]) -> None:
    for frame in (envelope, {"batch": [envelope]}):
        try:
            assert decode(encode(decode(json.dumps(frame)))) is not None
        except BadMessage:
            pass


@given(SINGLE, st.data())
def test_message_with_any_field_replaced_is_read_or_refused(message: Message, data: st.DataObject) -> None:
    envelope = json.loads(encode(message))
    holder = data.draw(st.sampled_from([envelope, envelope["payload"]]))
    holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(VALUES)
    try:
        decode(json.dumps(envelope))
    except BadMessage:
        pass


@pytest.mark.parametrize(
    "frame", ["[" * 100_000, '{"a": NaN}', '{"batch": 7}', '{"batch": [7]}', "\ufeff{}", b"\xff"]
)
def test_hostile_frames_are_refused_as_bad_messages(frame: str | bytes) -> None:
    with pytest.raises(BadMessage):
        decode(frame)


def _broken(**payload: object) -> dict[str, object]:
    return {"id": "9", "type": "request", "subtype": "graph", "payload": payload}


def test_malformed_request_brings_the_response_to_send() -> None:
    with pytest.raises(MalformedRequest) as refused:
        decode(json.dumps(_broken(gri="nonsense", operation="get")))
    response = refused.value.response
    assert (response.id, response.subtype, response.error.id) == ("9", Subtype.GRAPH, "badGRI")
    with pytest.raises(MalformedRequest) as refused:
        decode(json.dumps(_broken(gri="a.b.c", operation="fly")))
    assert refused.value.response.error.to_json() == refused.value.to_json()
    assert refused.value.to_json()["id"] == "badMessage"


def test_bad_message_in_a_batch_spoils_the_batch() -> None:
    with pytest.raises(BadMessage) as refused:
        decode(json.dumps({"batch": [_broken(gri="nonsense")]}))
    assert not isinstance(refused.value, MalformedRequest)


def test_refusals_do_not_repeat_what_the_frame_carried() -> None:
    override = {"clientAuth": {"token": "secret"}, "interface": "none"}
    with pytest.raises(BadMessage) as refused:
        decode(json.dumps({**_broken(gri="a.b.c", operation="get"), "authOverride": override}))
    assert "secret" not in repr(refused.value) + str(refused.value)
