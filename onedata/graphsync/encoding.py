"""Each Graph Sync message as a JSON object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from onedata.graphsync.messages import (
    AuthHint,
    AuthOverride,
    ClientAuth,
    ErrorPush,
    ErrorResponse,
    GraphPush,
    GraphRequest,
    GraphResponse,
    HandshakeRequest,
    HandshakeResponse,
    NosubPush,
    RpcRequest,
    RpcResponse,
    Subtype,
    TokenAuth,
    UnsubRequest,
    UnsubResponse,
)

JsonObject = dict[str, Any]

POLICY = MappingProxyType({True: "allowDataAccessCaveats", False: "disallowDataAccessCaveats"})


def _request(request_id: str, subtype: Subtype, override: AuthOverride | None, payload: Any) -> JsonObject:
    return {
        "id": request_id,
        "type": "request",
        "subtype": subtype.value,
        "authOverride": None if override is None else _auth_override(override),
        "payload": payload,
    }


def _success(request_id: str, subtype: Subtype, data: Any) -> JsonObject:
    payload = {"success": True, "error": None, "data": data}
    return {"id": request_id, "type": "response", "subtype": subtype.value, "payload": payload}


def _push(subtype: Subtype, payload: JsonObject) -> JsonObject:
    return {"type": "push", "subtype": subtype.value, "payload": payload}


def _client_auth(auth: ClientAuth) -> Any:
    return {"token": auth.token} if isinstance(auth, TokenAuth) else auth


def _auth_override(override: AuthOverride) -> JsonObject:
    return {
        "clientAuth": _client_auth(override.client_auth),
        "peerIp": override.peer_ip,
        "interface": override.interface,
        "consumerToken": override.consumer_token,
        "dataAccessCaveatsPolicy": POLICY[override.data_access_allowed],
    }


def _hint(hint: AuthHint | None) -> str | None:
    return None if hint is None else hint.text


def _handshake_request(message: HandshakeRequest) -> JsonObject:
    payload = {
        "supportedVersions": list(message.supported_versions),
        "auth": _client_auth(message.auth),
        "sessionId": message.session_id,
    }
    return _request(message.id, Subtype.HANDSHAKE, None, payload)


def _handshake_response(message: HandshakeResponse) -> JsonObject:
    data = {
        "version": message.version,
        "sessionId": message.session_id,
        "identity": message.identity.text,
        "attributes": message.attributes,
    }
    return _success(message.id, Subtype.HANDSHAKE, data)


def _rpc_request(message: RpcRequest) -> JsonObject:
    payload = {"function": message.function, "args": message.args}
    return _request(message.id, Subtype.RPC, message.auth_override, payload)


def _rpc_response(message: RpcResponse) -> JsonObject:
    return _success(message.id, Subtype.RPC, message.result)


def _graph_request(message: GraphRequest) -> JsonObject:
    payload = {
        "gri": message.gri.text,
        "operation": message.operation,
        "data": message.data,
        "subscribe": message.subscribe,
        "authHint": _hint(message.auth_hint),
    }
    return _request(message.id, Subtype.GRAPH, message.auth_override, payload)


def _graph_response(message: GraphResponse) -> JsonObject:
    if message.format is None:
        return _success(message.id, Subtype.GRAPH, None)
    return _success(message.id, Subtype.GRAPH, {"format": message.format, message.format.value: message.data})


def _unsub_request(message: UnsubRequest) -> JsonObject:
    return _request(message.id, Subtype.UNSUB, None, {"gri": message.gri.text})


def _unsub_response(message: UnsubResponse) -> JsonObject:
    return _success(message.id, Subtype.UNSUB, {})


def _error_response(message: ErrorResponse) -> JsonObject:
    payload = {"success": False, "error": message.error.to_json(), "data": {}}
    return {"id": message.id, "type": "response", "subtype": message.subtype.value, "payload": payload}


def _graph_push(message: GraphPush) -> JsonObject:
    payload = {"gri": message.gri.text, "updateType": message.update_type, "data": message.data}
    return _push(Subtype.GRAPH, payload)


def _nosub_push(message: NosubPush) -> JsonObject:
    payload = {"gri": message.gri.text, "authHint": _hint(message.auth_hint), "reason": message.reason}
    return _push(Subtype.NOSUB, payload)


def _error_push(message: ErrorPush) -> JsonObject:
    return _push(Subtype.ERROR, {"error": message.error.to_json()})


ENVELOPES: Mapping[type, Callable[[Any], JsonObject]] = MappingProxyType(
    {
        HandshakeRequest: _handshake_request,
        HandshakeResponse: _handshake_response,
        RpcRequest: _rpc_request,
        RpcResponse: _rpc_response,
        GraphRequest: _graph_request,
        GraphResponse: _graph_response,
        UnsubRequest: _unsub_request,
        UnsubResponse: _unsub_response,
        ErrorResponse: _error_response,
        GraphPush: _graph_push,
        NosubPush: _nosub_push,
        ErrorPush: _error_push,
    }
)
