"""``/tokens/named``: named tokens by id."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from onedata.errors import Forbidden, NotFound
from onedata.tokens.subjects import SubjectKind
from oz_worker.draft import Draft
from oz_worker.issuing import demand_free_name, drop_token
from oz_worker.records import NamedToken
from oz_worker.rest.access import admin, either
from oz_worker.rest.routes import Call, Done, Ok, Reply, route
from oz_worker.rest.subject_tokens import is_root_token
from oz_worker.rest.token_views import named_token_view
from oz_worker.store import ZoneStore

_TOKEN = "token.{tid}.instance:private"


def _owns(call: Call) -> bool:
    """The subject of the token; for tokens of providers also who may update its cluster."""
    token = _token(call)
    if call.asker.subject == token.subject:
        return True
    provider = call.state.providers.get(token.subject.id or "")
    if token.subject.kind is not SubjectKind.ONEPROVIDER or provider is None:
        return False
    held = call.state.members(provider).users.get(call.asker.user_id or "", frozenset())
    return "cluster_update" in held


def _serves(call: Call) -> bool:
    """Providers of whom the token's subject is an effective user."""
    token = _token(call)
    provider = call.state.providers.get(call.asker.provider_id or "")
    return provider is not None and token.subject.id in call.state.users_of_provider(provider)


_may = either(_owns, admin("oz_tokens_manage"))


class NamedTokens:
    """Showing, changing and removing named tokens."""

    def __init__(self, store: ZoneStore) -> None:
        self._store = store

    @route("GET", "/tokens/named", "token.null.list:private", admin("oz_tokens_manage"))
    async def list_all(self, call: Call) -> Reply:
        return Ok({"tokens": sorted(call.state.tokens)})

    @route("GET", "/tokens/named/<tid>", _TOKEN, _may)
    async def show(self, call: Call) -> Reply:
        return Ok(named_token_view(_token(call)))

    @route("PATCH", "/tokens/named/<tid>", _TOKEN, _may)
    async def update(self, call: Call) -> Reply:
        body = await call.body()
        body.require_any("name", "customMetadata", "revoked")
        changes: dict[str, Any] = {}
        if "name" in body:
            changes["name"] = body.name()
        if "customMetadata" in body:
            changes["custom"] = body.json_object("customMetadata")
        if "revoked" in body:
            changes["revoked"] = body.boolean("revoked")

        def decide(draft: Draft) -> None:
            token = evolve(draft.token(call["tid"]), **changes)
            demand_free_name(draft, token)
            draft.put(token)

        await self._store.change(decide)
        return Done()

    @route("DELETE", "/tokens/named/<tid>", _TOKEN, _may)
    async def delete(self, call: Call) -> Reply:
        if is_root_token(call.state, _token(call)):
            raise Forbidden()
        await self._store.change(lambda draft: drop_token(draft, draft.token(call["tid"])))
        return Done()

    @route(
        "GET",
        "/tokens/named/<tid>/status",
        "token.{tid}.instance:shared",
        either(_owns, _serves, admin("oz_tokens_manage")),
    )
    async def status(self, call: Call) -> Reply:
        return Ok({"revoked": _token(call).revoked})


def _token(call: Call) -> NamedToken:
    token = call.state.tokens.get(call["tid"])
    if token is None:
        raise NotFound()
    return token
