"""JSON objects as Graph Sync messages.

Every reader takes an envelope and raises KeyError, TypeError, ValueError or BadGRI when it does not fit.
"""

from __future__ import annotations

from typing import Any, TypeVar

from onedata.errors import error_from_json
from onedata.graphsync.encoding import POLICY
from onedata.graphsync.messages import (
    AuthHint,
    AuthOverride,
    ClientAuth,
    DataFormat,
    ErrorPush,
    ErrorResponse,
    GraphPush,
    GraphRequest,
    GraphResponse,
    HandshakeRequest,
    HandshakeResponse,
    HintContext,
    NosubPush,
    PublicAuth,
    RpcRequest,
    RpcResponse,
    Subtype,
    TokenAuth,
    UnsubRequest,
    UnsubResponse,
    UpdateType,
)
from onedata.gri import Gri
from onedata.tokens.party_caveats import Operation
from onedata.tokens.request_caveats import Interface
from onedata.tokens.subjects import Subject

JsonObject = dict[str, Any]
T = TypeVar("T")

_POLICY_ALLOWS = {policy: allowed for allowed, policy in POLICY.items()}


def _typed(value: Any, kind: type[T]) -> T:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"expected {kind.__name__}")
    return value


def _optional(value: Any, kind: type[T]) -> T | None:
    return None if value is None else _typed(value, kind)


def _payload(envelope: JsonObject) -> JsonObject:
    payload: JsonObject = _typed(envelope["payload"], dict)
    return payload


def _id(envelope: JsonObject) -> str:
    return _typed(envelope["id"], str)


def _gri(payload: JsonObject) -> Gri:
    return Gri.parse(_typed(payload["gri"], str))


def _client_auth(value: Any) -> ClientAuth:
    if value is None:
        return None
    if isinstance(value, str):
        return PublicAuth(value)
    auth: JsonObject = _typed(value, dict)
    return TokenAuth(_typed(auth.get("token", auth.get("macaroon")), str))


def _auth_override(envelope: JsonObject) -> AuthOverride | None:
    override = _optional(envelope.get("authOverride"), dict)
    if override is None:
        return None
    interface = _optional(override.get("interface"), str)
    policy = _optional(override.get("dataAccessCaveatsPolicy"), str)
    return AuthOverride(
        client_auth=_client_auth(override["clientAuth"]),
        peer_ip=_optional(override.get("peerIp"), str),
        interface=None if interface is None else Interface(interface),
        consumer_token=_optional(override.get("consumerToken"), str),
        data_access_allowed=policy is not None and _POLICY_ALLOWS[policy],
    )


def _auth_hint(payload: JsonObject) -> AuthHint | None:
    text = _optional(payload.get("authHint"), str)
    if text is None:
        return None
    context, _, entity_id = text.partition(":")
    return AuthHint(HintContext(context), entity_id)


def handshake_request(envelope: JsonObject) -> HandshakeRequest:
    """``{"supportedVersions", "auth", "sessionId"}``."""
    payload = _payload(envelope)
    versions: list[Any] = _typed(payload["supportedVersions"], list)
    return HandshakeRequest(
        id=_id(envelope),
        supported_versions=tuple(_typed(version, int) for version in versions),
        auth=_client_auth(payload.get("auth")),
        session_id=_optional(payload.get("sessionId"), str),
    )


def rpc_request(envelope: JsonObject) -> RpcRequest:
    """``{"function", "args"}``."""
    payload = _payload(envelope)
    return RpcRequest(
        id=_id(envelope),
        function=_typed(payload["function"], str),
        args=_typed(payload["args"], dict),
        auth_override=_auth_override(envelope),
    )


def graph_request(envelope: JsonObject) -> GraphRequest:
    """``{"gri", "operation", "data", "subscribe", "authHint"}``."""
    payload = _payload(envelope)
    return GraphRequest(
        id=_id(envelope),
        gri=_gri(payload),
        operation=Operation(_typed(payload["operation"], str)),
        data=payload.get("data"),
        subscribe=_typed(payload.get("subscribe", False), bool),
        auth_hint=_auth_hint(payload),
        auth_override=_auth_override(envelope),
    )


def unsub_request(envelope: JsonObject) -> UnsubRequest:
    """``{"gri"}``."""
    return UnsubRequest(id=_id(envelope), gri=_gri(_payload(envelope)))


def _failure(envelope: JsonObject) -> ErrorResponse | None:
    payload = _payload(envelope)
    if _typed(payload["success"], bool):
        return None
    return ErrorResponse(
        id=_id(envelope),
        subtype=Subtype(envelope["subtype"]),
        error=error_from_json(payload.get("error")),
    )


def handshake_response(envelope: JsonObject) -> HandshakeResponse | ErrorResponse:
    """``{"version", "sessionId", "identity", "attributes"}``."""
    failure = _failure(envelope)
    if failure is not None:
        return failure
    data: JsonObject = _typed(_payload(envelope)["data"], dict)
    return HandshakeResponse(
        id=_id(envelope),
        version=_typed(data["version"], int),
        session_id=_optional(data.get("sessionId"), str),
        identity=Subject.parse(_typed(data["identity"], str)),
        attributes=_optional(data.get("attributes"), dict),
    )


def rpc_response(envelope: JsonObject) -> RpcResponse | ErrorResponse:
    """Any value."""
    return _failure(envelope) or RpcResponse(id=_id(envelope), result=_payload(envelope).get("data"))


def graph_response(envelope: JsonObject) -> GraphResponse | ErrorResponse:
    """``{"format": "resource", "resource": …}``, ``{"format": "value", "value": …}`` or null."""
    failure = _failure(envelope)
    if failure is not None:
        return failure
    data = _optional(_payload(envelope).get("data"), dict)
    if not data:
        return GraphResponse(id=_id(envelope))
    kind = DataFormat(_typed(data["format"], str))
    return GraphResponse(id=_id(envelope), format=kind, data=data[kind.value])


def unsub_response(envelope: JsonObject) -> UnsubResponse | ErrorResponse:
    """Nothing."""
    return _failure(envelope) or UnsubResponse(id=_id(envelope))


def graph_push(envelope: JsonObject) -> GraphPush:
    """``{"gri", "updateType", "data"}``."""
    payload = _payload(envelope)
    return GraphPush(
        gri=_gri(payload),
        update_type=UpdateType(_typed(payload["updateType"], str)),
        data=_optional(payload.get("data"), dict),
    )


def nosub_push(envelope: JsonObject) -> NosubPush:
    """``{"gri", "authHint", "reason"}``."""
    payload = _payload(envelope)
    return NosubPush(gri=_gri(payload), auth_hint=_auth_hint(payload), reason=_typed(payload["reason"], str))


def error_push(envelope: JsonObject) -> ErrorPush:
    """``{"error"}``."""
    return ErrorPush(error=error_from_json(_payload(envelope)["error"]))
