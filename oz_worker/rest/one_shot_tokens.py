"""Old ways to get tokens: invitations that hold once, and access tokens called client tokens."""

from __future__ import annotations

from typing import Final

from onedata.errors import NotFound
from onedata.tokens.subjects import Subject, SubjectKind
from onedata.tokens.types import InviteToken, InviteType
from oz_worker.draft import Draft
from oz_worker.fresh import Fresh
from oz_worker.invitations import RULES
from oz_worker.issuing import TokenOrder, drop_token
from oz_worker.records import NamedToken
from oz_worker.rest.access import admin, any_user, either, holds, self_provider, self_user
from oz_worker.rest.routes import Access, Call, Done, Ok, Reply, Route, route
from oz_worker.rest.subject_tokens import TokenDesk

_PATHS: Final = {
    InviteType.USER_JOIN_SPACE: "/spaces/<cid>/users/token",
    InviteType.GROUP_JOIN_SPACE: "/spaces/<cid>/groups/token",
    InviteType.SUPPORT_SPACE: "/spaces/<cid>/providers/token",
    InviteType.USER_JOIN_GROUP: "/groups/<cid>/users/token",
    InviteType.GROUP_JOIN_GROUP: "/groups/<cid>/children/token",
    InviteType.USER_JOIN_CLUSTER: "/clusters/<cid>/users/token",
    InviteType.GROUP_JOIN_CLUSTER: "/clusters/<cid>/groups/token",
}
_CLIENT_TOKEN: Final = {"clientToken": True}


class OneShotTokens:
    """Named tokens under the hood, with names nobody chose."""

    def __init__(self, desk: TokenDesk, fresh: Fresh) -> None:
        self._desk, self._fresh = desk, fresh

    def routes(self) -> list[Route]:
        """Return the routes of invitations to spaces, groups and clusters."""
        return [self._invite_route(kind, path) for kind, path in _PATHS.items()]

    def _invite_route(self, kind: InviteType, path: str) -> Route:
        rule = RULES[kind]

        async def handle(call: Call) -> Reply:
            return await self._invite(call.asker.subject, InviteToken(kind, call["cid"]))

        access: Access = either(holds(rule.circle, "cid", rule.privilege), admin(*rule.admin))
        if rule.circle == "provider":
            access = either(access, self_provider("cid"))
        noun = "cluster" if rule.circle == "provider" else rule.circle
        return Route("POST", path, f"{noun}.{{cid}}.invite_token:private", access, handle)

    @route(
        "POST",
        "/user/clusters/provider_registration_token",
        "user.null.provider_registration_token:private",
        any_user,
    )
    async def registration_token(self, call: Call) -> Reply:
        target = call.asker.user_id or ""
        return await self._invite(call.asker.subject, InviteToken(InviteType.REGISTER_ONEPROVIDER, target))

    @route(
        "POST",
        "/users/<uid>/clusters/provider_registration_token",
        "user.{uid}.provider_registration_token:private",
        either(self_user(), admin("oz_providers_invite")),
    )
    async def registration_token_for(self, call: Call) -> Reply:
        return await self._invite(
            call.asker.subject, InviteToken(InviteType.REGISTER_ONEPROVIDER, call["uid"])
        )

    @route("POST", "/user/client_tokens", "token.null.user_named_token:private", any_user)
    async def create_client_token(self, call: Call) -> Reply:
        order = TokenOrder(name=f"client token {self._fresh.id()[:12]}", custom=dict(_CLIENT_TOKEN))
        token = await self._desk.issue(call.asker.subject, order)
        return Ok({"token": token.serialized})

    @route("GET", "/user/client_tokens", "token.null.user_named_token:private", any_user)
    async def list_client_tokens(self, call: Call) -> Reply:
        return Ok({"tokens": [token.serialized for token in self._client_tokens(call)]})

    @route("DELETE", "/user/client_tokens/<token>", "token.null.user_named_token:private", any_user)
    async def delete_client_token(self, call: Call) -> Reply:
        found = [token.id for token in self._client_tokens(call) if token.serialized == call["token"]]
        if not found:
            raise NotFound()

        def decide(draft: Draft) -> None:
            drop_token(draft, draft.token(found[0]))

        await self._desk.store.change(decide)
        return Done()

    async def _invite(self, subject: Subject, invite: InviteToken) -> Reply:
        name = f"{invite.invite_type.value} {self._fresh.id()[:12]}"
        token = await self._desk.issue(subject, TokenOrder(name=name, type=invite, usage_limit=1))
        return Ok({"token": token.serialized})

    def _client_tokens(self, call: Call) -> list[NamedToken]:
        tokens = call.state.tokens_of(SubjectKind.USER.value, call.asker.user_id)
        return [token for token in tokens if token.custom == _CLIENT_TOKEN and not token.is_invite]
