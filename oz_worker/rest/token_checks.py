"""``/tokens/…``: public questions about tokens; whoever holds a token may ask about it."""

from __future__ import annotations

from attrs import evolve

from cluster_worker.runtime.clock import WallClock
from onedata.errors import BadConsumerToken, BadServiceToken, BadValueInviteType, BadValueToken, OnedataError
from onedata.tokens.caveats import Interface
from onedata.tokens.subjects import Service, ServiceKind, Subject
from onedata.tokens.token import Token
from onedata.tokens.types import InviteType
from onedata.tokens.verify import RequestContext
from oz_worker.online import Online
from oz_worker.rest.access import anyone
from oz_worker.rest.routes import Call, Ok, Reply, route
from oz_worker.scope import token_scope
from oz_worker.values import Body, caveats_from
from oz_worker.verification import OWN, Parties, TokenVerifier, Verified

_INTERFACES = tuple(interface.value for interface in Interface)


class TokenChecks:
    """Examining, confining and verifying tokens."""

    def __init__(self, verifier: TokenVerifier, wall_clock: WallClock, online: Online) -> None:
        self._verifier, self._wall_clock, self._online = verifier, wall_clock, online
        self._parties = Parties(verifier)

    @route("POST", "/tokens/infer_access_token_scope", "token.null.infer_access_token_scope:public", anyone)
    async def infer_scope(self, call: Call) -> Reply:
        body = await call.body()
        text = _token_text(body)
        context = RequestContext(
            now_s=self._wall_clock(), peer_ip=call.asker.peer_ip, data_access_allowed=True
        )
        if body.is_null("consumerToken"):
            verified = self._verifier.reach(text, None, context)
        elif "consumerToken" in body:
            consumer = self._consumer(body, context)
            verified = self._verifier.reach(text, consumer, context)
        else:
            verified = self._verifier.reach(text, OWN, context)
        return Ok(token_scope(call.state, verified.subject, verified.caveats, self._online))

    @route("POST", "/tokens/examine", "token.null.examine:public", anyone)
    async def examine(self, call: Call) -> Reply:
        token = _parsed(_token_text(await call.body()))
        identifier = token.identifier
        return Ok(
            {
                "onezoneDomain": token.location,
                "id": identifier.token_id,
                "persistence": identifier.persistence.name,
                "subject": identifier.subject.to_json(),
                "type": identifier.type.to_json(),
                "caveats": [caveat.to_json() for caveat in token.caveats],
            }
        )

    @route("POST", "/tokens/confine", "token.null.confine:public", anyone)
    async def confine(self, call: Call) -> Reply:
        body = await call.body()
        token = _parsed(_token_text(body))
        body.raw("caveats")
        return Ok({"token": token.confine(caveats_from(body)).serialize()})

    @route("POST", "/tokens/verify_access_token", "token.null.verify_access_token:public", anyone)
    async def verify_access(self, call: Call) -> Reply:
        body = await call.body()
        text = _token_text(body)
        return Ok(self._view(self._verifier.access(text, self.access_context(call, body))))

    @route("POST", "/tokens/verify_identity_token", "token.null.verify_identity_token:public", anyone)
    async def verify_identity(self, call: Call) -> Reply:
        body = await call.body()
        text = _token_text(body)
        return Ok(self._view(self._verifier.identity(text, self._context(call, body))))

    @route("POST", "/tokens/verify_invite_token", "token.null.verify_invite_token:public", anyone)
    async def verify_invite(self, call: Call) -> Reply:
        body = await call.body()
        text = _token_text(body)
        return Ok(self._view(self._verifier.invite(text, _invite_type(body), self._context(call, body))))

    def access_context(self, call: Call, body: Body) -> RequestContext:
        """Return under which circumstances the body says an access token is used."""
        context = self._context(call, body)
        service = None
        if "serviceToken" in body:
            try:
                service = self._parties.service_of(body.text("serviceToken"), context)
            except OnedataError as exc:
                raise BadServiceToken(exc) from None
        elif call.asker.provider_id is not None:
            service = Service(ServiceKind.OP_WORKER, call.asker.provider_id)
        allowed = "allowDataAccessCaveats" in body and body.boolean("allowDataAccessCaveats")
        return evolve(context, service=service, data_access_allowed=allowed)

    def _context(self, call: Call, body: Body) -> RequestContext:
        address = call.asker.peer_ip
        if body.is_null("peerIp"):
            address = None
        elif "peerIp" in body:
            address = body.ipv4("peerIp")
        interface = body.choice("interface", _INTERFACES) if "interface" in body else None
        context = RequestContext(
            now_s=self._wall_clock(),
            peer_ip=address,
            interface=None if interface is None else Interface(interface),
        )
        consumer = self._consumer(body, context) if "consumerToken" in body else call.asker.subject
        return self._verifier.context_for(consumer, context)

    def _consumer(self, body: Body, context: RequestContext) -> Subject:
        try:
            return self._parties.subject_of(body.text("consumerToken"), context)
        except OnedataError as exc:
            raise BadConsumerToken(exc) from None

    def _view(self, verified: Verified) -> dict[str, object]:
        return {"subject": verified.subject.to_json(), "ttl": verified.ttl_s(self._wall_clock())}


def _token_text(body: Body) -> str:
    """The token of the body, when it can be read. Raises: BadValueToken."""
    text = body.text("token", limit=2 * 1024 * 1024)
    _parsed(text)
    return text


def _parsed(text: str) -> Token:
    try:
        token = Token.deserialize(text)
        _ = token.caveats
    except OnedataError as exc:
        raise BadValueToken("token", exc) from None
    return token


def _invite_type(body: Body) -> InviteType | None:
    if "expectedInviteType" not in body:
        return None
    try:
        return InviteType(body.string("expectedInviteType"))
    except ValueError:
        raise BadValueInviteType("expectedInviteType") from None
