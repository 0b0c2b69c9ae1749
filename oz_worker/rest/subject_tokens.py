"""Tokens of one subject, under ``/user``, ``/users/<id>``, ``/provider`` and ``/providers/<id>``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import frozen

from onedata.errors import NotFound
from onedata.tokens.subjects import Subject, SubjectKind
from onedata.tokens.types import AccessToken, InviteToken, TokenType, token_type_from_json
from oz_worker.draft import Draft
from oz_worker.invitations import RULES, demand_may_issue
from oz_worker.issuing import Issuer, TokenOrder, drop_token, keep_token, temporary_secret
from oz_worker.records import NamedToken
from oz_worker.rest.access import admin, any_provider, any_user, either, holds, self_provider, self_user
from oz_worker.rest.routes import Access, Call, Created, Done, Ok, Reply, Route
from oz_worker.rest.token_views import named_token_view
from oz_worker.state import ZoneState
from oz_worker.store import ZoneStore
from oz_worker.values import Body, caveats_from
from oz_worker.verification import TokenVerifier


@frozen
class TokenOwner:
    """One of the four places where tokens of a subject are found."""

    base: str
    access: Access
    subject: Callable[[Call], Subject]


OWNERS: Final = (
    TokenOwner("/user/tokens", any_user, lambda call: call.asker.subject),
    TokenOwner(
        "/users/<uid>/tokens",
        either(self_user(), admin("oz_tokens_manage")),
        lambda call: Subject(SubjectKind.USER, call["uid"]),
    ),
    TokenOwner("/provider/tokens", any_provider, lambda call: call.asker.subject),
    TokenOwner(
        "/providers/<pid>/tokens",
        either(self_provider(), holds("provider", "pid", "cluster_update"), admin("oz_tokens_manage")),
        lambda call: Subject(SubjectKind.ONEPROVIDER, call["pid"]),
    ),
)


@frozen
class TokenDesk:
    """Issues tokens to whoever may have them.

    Attributes:
        open_registration: whether every user may invite providers.
    """

    store: ZoneStore
    issuer: Issuer
    verifier: TokenVerifier
    open_registration: bool

    def demand_may_issue(self, state: ZoneState, subject: Subject, order: TokenOrder) -> None:
        """Return when the subject may have such a token now.

        Raises: the errors of invite tokens; TokenServiceForbidden.
        """
        self.verifier.demand_usable(subject, order.caveats)
        if isinstance(order.type, InviteToken):
            demand_may_issue(
                state,
                subject,
                order.type,
                with_privileges=order.privileges is not None,
                open_registration=self.open_registration,
            )

    async def issue(self, subject: Subject, order: TokenOrder) -> NamedToken:
        """Make and keep a named token. Raises: as ``demand_may_issue``; BadValueIdentifierOccupied."""
        token = self.issuer.named(subject, order)

        def decide(draft: Draft) -> NamedToken:
            self.demand_may_issue(draft.state, subject, order)
            _require_subject(draft, subject)
            keep_token(draft, token)
            return token

        return await self.store.change(decide)

    def issue_temporary(self, subject: Subject, order: TokenOrder) -> str:
        """Make a temporary token. Raises: as ``demand_may_issue``; TokenTimeCaveatRequired."""
        state = self.store.state
        self.demand_may_issue(state, subject, order)
        return self.issuer.temporary(state, subject, order.type, order.caveats)


class SubjectTokens:
    """The routes of one place."""

    def __init__(self, owner: TokenOwner, desk: TokenDesk) -> None:
        self._owner, self._desk = owner, desk

    def routes(self) -> list[Route]:
        """Return every route of the place."""
        base, access = self._owner.base, self._owner.access
        gri = "token.null.user_named_token:private"
        temporary = "token.null.user_temporary_token:private"
        return [
            Route("POST", f"{base}/named", gri, access, self._create_named),
            Route("GET", f"{base}/named", gri, access, self._list_named),
            Route("DELETE", f"{base}/named", gri, access, self._delete_named),
            Route("GET", f"{base}/named/name/<name>", gri, access, self._show_named),
            Route("POST", f"{base}/temporary", temporary, access, self._create_temporary),
            Route("GET", f"{base}/temporary", temporary, access, self._generation),
            Route("DELETE", f"{base}/temporary", temporary, access, self._revoke_temporary),
        ]

    async def _create_named(self, call: Call) -> Reply:
        token = await self._desk.issue(self._owner.subject(call), named_order(await call.body()))
        return Created(f"/tokens/named/{token.id}", {"tokenId": token.id, "token": token.serialized})

    async def _list_named(self, call: Call) -> Reply:
        return Ok({"tokens": [token.id for token in self._tokens(call)]})

    async def _delete_named(self, call: Call) -> Reply:
        subject = self._owner.subject(call)

        def decide(draft: Draft) -> None:
            for token in _named_tokens(draft.state, subject):
                if not is_root_token(draft.state, token):
                    drop_token(draft, token)

        await self._desk.store.change(decide)
        return Done()

    async def _show_named(self, call: Call) -> Reply:
        for token in self._tokens(call):
            if token.name == call["name"]:
                return Ok(named_token_view(token))
        raise NotFound()

    async def _create_temporary(self, call: Call) -> Reply:
        body = await call.body()
        order = TokenOrder(
            name="temporary",
            type=_type_of(body),
            caveats=caveats_from(body) if "caveats" in body else (),
        )
        return Created(None, {"token": self._desk.issue_temporary(self._owner.subject(call), order)})

    async def _generation(self, call: Call) -> Reply:
        return Ok({"generation": temporary_secret(call.state, self._owner.subject(call)).generation})

    async def _revoke_temporary(self, call: Call) -> Reply:
        subject = self._owner.subject(call)
        await self._desk.store.change(lambda draft: self._desk.issuer.revoke_temporary(draft, subject))
        return Done()

    def _tokens(self, call: Call) -> list[NamedToken]:
        return _named_tokens(call.state, self._owner.subject(call))


def named_order(body: Body) -> TokenOrder:
    """Return the named token that a body asks for."""
    kind = _type_of(body)
    return TokenOrder(
        name=body.name(),
        type=kind,
        caveats=caveats_from(body) if "caveats" in body else (),
        custom=body.json_object("customMetadata") if "customMetadata" in body else None,
        revoked="revoked" in body and body.boolean("revoked"),
        usage_limit=_usage_limit(body) if isinstance(kind, InviteToken) else None,
        privileges=_privileges(body, kind),
    )


def is_root_token(state: ZoneState, token: NamedToken) -> bool:
    """Whether a provider lives on this token."""
    provider = state.providers.get(token.subject.id or "")
    return provider is not None and provider.root_token_id == token.id


def _named_tokens(state: ZoneState, subject: Subject) -> list[NamedToken]:
    return state.tokens_of(subject.kind.value, subject.id)


def _type_of(body: Body) -> TokenType:
    return token_type_from_json(body.raw("type")) if "type" in body else AccessToken()


def _usage_limit(body: Body) -> int | None:
    if "usageLimit" not in body or body.raw("usageLimit") == "infinity":
        return None
    return body.integer("usageLimit", low=1)


def _privileges(body: Body, kind: TokenType) -> frozenset[str] | None:
    rule = RULES.get(kind.invite_type) if isinstance(kind, InviteToken) else None
    if rule is None or rule.member is None or "privileges" not in body:
        return None
    return body.privileges("privileges", rule.known)


def _require_subject(draft: Draft, subject: Subject) -> None:
    if subject.kind is SubjectKind.USER:
        draft.require(draft.user(subject.id or ""))
    else:
        draft.require(draft.provider(subject.id or ""))
