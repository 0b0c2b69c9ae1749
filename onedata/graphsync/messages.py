"""The messages of Graph Sync, one frozen class each; JSON shapes are beside the codec in ``codec``."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import field, frozen

from onedata.errors import OnedataError
from onedata.gri import Gri
from onedata.tokens.party_caveats import Operation
from onedata.tokens.request_caveats import Interface
from onedata.tokens.subjects import Subject

PROTOCOL_VERSION = 4

Json = Any
"""A value of JSON."""


@frozen
class TokenAuth:
    """The sender authorises with a token."""

    token: str = field(repr=False)


class PublicAuth(StrEnum):
    """The sender asks for what anybody may see."""

    NOBODY = "nobody"


ClientAuth = TokenAuth | PublicAuth | None


@frozen(kw_only=True)
class AuthOverride:
    """Lets a provider ask on behalf of a user: the user's authorisation and circumstances."""

    client_auth: ClientAuth = None
    peer_ip: str | None = None
    interface: Interface | None = None
    consumer_token: str | None = field(default=None, repr=False)
    data_access_allowed: bool = False


class HintContext(StrEnum):
    """How the sender is related to the resource, or on whose behalf it acts."""

    THROUGH_USER = "throughUser"
    THROUGH_GROUP = "throughGroup"
    THROUGH_SPACE = "throughSpace"
    THROUGH_PROVIDER = "throughProvider"
    THROUGH_HANDLE_SERVICE = "throughHandleService"
    THROUGH_HANDLE = "throughHandle"
    THROUGH_HARVESTER = "throughHarvester"
    THROUGH_CLUSTER = "throughCluster"
    THROUGH_ATM_INVENTORY = "throughAtmInventory"
    AS_USER = "asUser"
    AS_GROUP = "asGroup"
    AS_SPACE = "asSpace"
    AS_HARVESTER = "asHarvester"


@frozen
class AuthHint:
    """``throughSpace:<id>``, ``asUser:<id>`` …"""

    context: HintContext = field(converter=HintContext)
    id: str = field()

    @property
    def text(self) -> str:
        """The written form."""
        return f"{self.context.value}:{self.id}"


class Subtype(StrEnum):
    """What a message is about."""

    HANDSHAKE = "handshake"
    RPC = "rpc"
    GRAPH = "graph"
    UNSUB = "unsub"
    NOSUB = "nosub"
    ERROR = "error"


@frozen(kw_only=True)
class HandshakeRequest:
    """The first message of a client: the versions it speaks and who it is."""

    id: str
    supported_versions: tuple[int, ...] = (PROTOCOL_VERSION,)
    auth: ClientAuth = None
    session_id: str | None = None


@frozen(kw_only=True)
class HandshakeResponse:
    """The server's choice of a version, and whom it takes the client for."""

    id: str
    identity: Subject
    version: int = PROTOCOL_VERSION
    session_id: str | None = None
    attributes: dict[str, Json] | None = None


@frozen(kw_only=True)
class RpcRequest:
    """A call of a function by name."""

    id: str
    function: str
    args: dict[str, Json] = field(factory=dict)
    auth_override: AuthOverride | None = None


@frozen(kw_only=True)
class RpcResponse:
    """What the function returned."""

    id: str
    result: Json = None


@frozen(kw_only=True)
class GraphRequest:
    """An operation on a resource; with ``subscribe`` the client wants to be told of its changes."""

    id: str
    gri: Gri
    operation: Operation = field(converter=Operation)
    data: Json = None
    subscribe: bool = False
    auth_hint: AuthHint | None = None
    auth_override: AuthOverride | None = None


class DataFormat(StrEnum):
    """RESOURCE: a resource with its ``gri`` and ``revision``; VALUE: anything else."""

    RESOURCE = "resource"
    VALUE = "value"


@frozen(kw_only=True)
class GraphResponse:
    """The outcome of a successful operation; without a format there is no data."""

    id: str
    format: DataFormat | None = None
    data: Json = None


@frozen(kw_only=True)
class UnsubRequest:
    """The client no longer wants to be told of changes of the resource."""

    id: str
    gri: Gri


@frozen(kw_only=True)
class UnsubResponse:
    """The subscription has ended."""

    id: str


def _as_json(error: OnedataError) -> dict[str, object]:
    return error.to_json()


@frozen(kw_only=True)
class ErrorResponse:
    """A request failed; ``subtype`` is that of the request."""

    id: str
    subtype: Subtype
    error: OnedataError = field(eq=_as_json)


class UpdateType(StrEnum):
    """What happened to a resource."""

    UPDATED = "updated"
    DELETED = "deleted"


@frozen(kw_only=True)
class GraphPush:
    """A resource that the client subscribed to has changed; ``data`` is the resource, None when deleted."""

    gri: Gri
    update_type: UpdateType
    data: dict[str, Json] | None = None


@frozen(kw_only=True)
class NosubPush:
    """The client is no longer told of changes of the resource, since it may not see it any more."""

    gri: Gri
    auth_hint: AuthHint | None = None
    reason: str = "forbidden"


@frozen(kw_only=True)
class ErrorPush:
    """An error that belongs to no request."""

    error: OnedataError = field(eq=_as_json)


Request = HandshakeRequest | RpcRequest | GraphRequest | UnsubRequest
Response = HandshakeResponse | RpcResponse | GraphResponse | UnsubResponse | ErrorResponse
Push = GraphPush | NosubPush | ErrorPush


@frozen
class Batch:
    """Several messages in one frame."""

    messages: tuple[Request | Response | Push, ...]


Message = Request | Response | Push | Batch
