"""One provider's conversation over Graph Sync: handshake, requests, subscriptions, pushes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from twisted.logger import Logger

from cluster_worker.persistence.engine import Key, PersistenceUnavailable
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.request_ids import REQUEST_ID, well_formed
from cluster_worker.runtime.services import TaskOwner
from onedata.errors import (
    BadMessage,
    BadVersion,
    ExpectedHandshakeMessage,
    Forbidden,
    HandshakeAlreadyDone,
    InternalServerError,
    LimitReached,
    NotFound,
    NotSupported,
    OnedataError,
    RpcUndefined,
    ServiceUnavailable,
    Unauthorized,
)
from onedata.graphsync import (
    PROTOCOL_VERSION,
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
    MalformedRequest,
    Message,
    NosubPush,
    Operation,
    RpcRequest,
    Subtype,
    TokenAuth,
    UnsubRequest,
    UnsubResponse,
    UpdateType,
    decode,
    encode,
)
from onedata.tokens.caveats import Interface
from oz_worker.asker import Asker
from oz_worker.graphsync.parts import SessionParts, Wire
from oz_worker.graphsync.resources import Resource, may_concern, read_resource

MOST_AT_ONCE: Final = 256
MOST_SHOWN_USERS: Final = 10_000
SLICE: Final = 50
"""So many subscriptions are looked at before other work gets its turn."""


class ProviderSession:
    """Answers one provider and tells it what changed of the resources it subscribed to.

    Changes are looked at together, a slice at a time, and a resource is only told when it differs from
    what the provider was told last. ``revision`` is the number of the zone's feed.
    """

    _log = Logger()

    def __init__(
        self, parts: SessionParts, wire: Wire, peer_ip: str | None, new_id: Callable[[], str]
    ) -> None:
        self._parts, self._wire, self._peer_ip, self._new_id = parts, wire, peer_ip, new_id
        self._asker: Asker | None = None
        self._token = ""
        self._told: dict[Gri, Resource] = {}
        self._shown_users: set[str] = set()
        self._changed: set[Key] = set()
        self._is_looking = False
        self._at_once = 0
        self._tasks = TaskOwner()

    @property
    def provider_id(self) -> str | None:
        """Who is at the other end; ``None`` before the handshake."""
        return None if self._asker is None else self._asker.provider_id

    def received(self, text: str) -> None:
        """A frame came."""
        try:
            message = decode(text)
        except MalformedRequest as exc:
            self._send(exc.response)
        except OnedataError as exc:
            self._send(ErrorPush(error=exc))
        else:
            for item in message.messages if isinstance(message, Batch) else (message,):
                self._handle(item)

    def changed(self, keys: Collection[Key]) -> None:
        """Records of the zone have changed."""
        if self._asker is None:
            return
        self._changed.update(keys)
        if not self._is_looking:
            self._is_looking = True
            self._tasks.spawn("telling a provider of changes", self._tell_changes())

    async def lost(self) -> None:
        """The connection is gone."""
        if self.provider_id is not None:
            self._parts.online.went(self.provider_id)
            self._log.info("provider {provider} is disconnected", provider=self.provider_id)
        self._asker = None
        await self._tasks.close()

    def hang_up(self) -> None:
        """Close the connection from our side."""
        self._wire.close()

    # -- requests ---------------------------------------------------------------------------------

    def _handle(self, message: Message) -> None:
        match message:
            case HandshakeRequest():
                self._handshake(message)
            case GraphRequest() | UnsubRequest() | RpcRequest() if self._asker is None:
                self._fail(message.id, _SUBTYPES[type(message)], ExpectedHandshakeMessage())
                self._wire.close()
            case GraphRequest():
                self._start(message)
            case UnsubRequest():
                self._told.pop(message.gri, None)
                self._send(UnsubResponse(id=message.id))
            case RpcRequest():
                self._fail(message.id, Subtype.RPC, RpcUndefined())
            case _:
                self._send(ErrorPush(error=BadMessage("only requests are expected here")))

    def _handshake(self, request: HandshakeRequest) -> None:
        try:
            asker = self._admit(request)
        except OnedataError as exc:
            self._fail(request.id, Subtype.HANDSHAKE, exc)
            if self._asker is None:
                self._wire.close()
            return
        self._asker = asker
        self._parts.online.came(asker.provider_id or "")
        self._log.info("provider {provider} is connected", provider=asker.provider_id)
        response = HandshakeResponse(
            id=request.id,
            identity=asker.subject,
            session_id=self._new_id(),
            attributes=dict(self._parts.attributes),
        )
        self._send(response)

    def _admit(self, request: HandshakeRequest) -> Asker:
        if self._asker is not None:
            raise HandshakeAlreadyDone()
        if PROTOCOL_VERSION not in request.supported_versions:
            raise BadVersion([PROTOCOL_VERSION])
        if not isinstance(request.auth, TokenAuth):
            raise Unauthorized()
        asker = self._parts.authenticator.token(request.auth.token, self._peer_ip, Interface.GRAPHSYNC)
        if asker.provider_id is None:
            raise Forbidden()
        self._token = request.auth.token
        return asker

    def _start(self, request: GraphRequest) -> None:
        if request.auth_override is not None and request.auth_override.client_auth is not None:
            self._fail(request.id, Subtype.GRAPH, NotSupported())
        elif self._at_once >= MOST_AT_ONCE:
            self._fail(request.id, Subtype.GRAPH, LimitReached(MOST_AT_ONCE, "requests at a time"))
        else:
            self._at_once += 1
            self._tasks.spawn("graph request", self._answer(request))

    async def _answer(self, request: GraphRequest) -> None:
        REQUEST_ID.set(well_formed(request.id.rpartition(".")[0]))
        try:
            self._send(await self._run(request))
        except OnedataError as exc:
            self._fail(request.id, Subtype.GRAPH, exc)
        except PersistenceUnavailable:
            self._fail(request.id, Subtype.GRAPH, ServiceUnavailable())
        except Exception:  # noqa: BLE001 - the boundary: the provider gets an answer, the log the reason
            reference = REQUEST_ID.get() or self._new_id()
            self._log.failure("graph request failed, reference {reference}", reference=reference)
            self._fail(request.id, Subtype.GRAPH, InternalServerError(reference))
        finally:
            self._at_once -= 1

    async def _run(self, request: GraphRequest) -> GraphResponse:
        asker = self._asker
        if asker is None:
            raise Unauthorized()
        asker.demand_api(request.operation, request.gri.text)
        if request.operation is Operation.GET:
            resource = self._read(request.gri)
            if request.subscribe:
                self._told[request.gri] = resource
            return GraphResponse(
                id=request.id, format=DataFormat.RESOURCE, data=self._numbered(request.gri, resource)
            )
        outcome = await self._parts.operations.run(request, asker)
        if outcome.shown_user is not None and len(self._shown_users) < MOST_SHOWN_USERS:
            self._shown_users.add(outcome.shown_user)
        if outcome.value is None:
            return GraphResponse(id=request.id)
        return GraphResponse(id=request.id, format=DataFormat.VALUE, data=outcome.value)

    # -- pushes -----------------------------------------------------------------------------------

    async def _tell_changes(self) -> None:
        try:
            while self._changed and self._asker is not None:
                keys, self._changed = self._changed, set()
                self._demand_still_admitted(keys)
                kinds = {key.partition(":")[0] for key in keys}
                for number, gri in enumerate(list(self._told), 1):
                    if gri in self._told and may_concern(gri, kinds, keys):
                        self._tell(gri)
                    if number % SLICE == 0:
                        await sleep(self._parts.clock, 0)
        finally:
            self._is_looking = False

    def _tell(self, gri: Gri) -> None:
        try:
            resource = self._read(gri)
        except NotFound:
            del self._told[gri]
            self._send(GraphPush(gri=gri, update_type=UpdateType.DELETED))
        except OnedataError:
            del self._told[gri]
            self._send(NosubPush(gri=gri))
        else:
            if resource != self._told[gri]:
                self._told[gri] = resource
                data = self._numbered(gri, resource)
                self._send(GraphPush(gri=gri, update_type=UpdateType.UPDATED, data=data))

    def _demand_still_admitted(self, keys: Collection[Key]) -> None:
        """Hang up on a provider that was removed or whose token was revoked."""
        if not any(key.startswith(("provider:", "token:")) for key in keys):
            return
        try:
            self._parts.authenticator.token(self._token, self._peer_ip, Interface.GRAPHSYNC)
        except OnedataError:
            self._wire.close()

    def _read(self, gri: Gri) -> Resource:
        return read_resource(self._parts.state, gri, self.provider_id or "", self._shown_users)

    def _numbered(self, gri: Gri, resource: Resource) -> Resource:
        return {"gri": gri.text, "revision": self._parts.state.seq, **resource}

    def _fail(self, request_id: str, subtype: Subtype, error: OnedataError) -> None:
        self._send(ErrorResponse(id=request_id, subtype=subtype, error=error))

    def _send(self, message: Message) -> None:
        self._wire.send(encode(message))


_SUBTYPES: Final[dict[type, Subtype]] = {
    GraphRequest: Subtype.GRAPH,
    UnsubRequest: Subtype.UNSUB,
    RpcRequest: Subtype.RPC,
}
