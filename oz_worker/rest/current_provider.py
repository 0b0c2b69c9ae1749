"""``/provider``: the provider that asks, about itself; and public questions of providers."""

from __future__ import annotations

from cluster_worker.runtime.clock import WallClock
from onedata.errors import MissingRequiredValue, NotFound, OnedataError, TokenInvalid
from onedata.tokens.verify import RequestContext
from oz_worker.online import Online
from oz_worker.providers import delete_provider, update_provider
from oz_worker.records import Provider
from oz_worker.registration import provider_changes
from oz_worker.rest.access import any_provider, anyone
from oz_worker.rest.routes import Call, Done, Ok, Reply, route
from oz_worker.spaces import SMALLEST_SUPPORT_B, remove_support, resize_support
from oz_worker.store import ZoneStore
from oz_worker.verification import Parties, TokenVerifier
from oz_worker.views import domain_config_view, provider_view, space_view

_SELF = "provider.null.instance:private"


class CurrentProvider:
    """What providers ask and change about themselves."""

    def __init__(
        self, store: ZoneStore, verifier: TokenVerifier, online: Online, wall_clock: WallClock
    ) -> None:
        self._store, self._online, self._wall_clock = store, online, wall_clock
        self._parties = Parties(verifier)

    @route("GET", "/provider", _SELF, any_provider)
    async def show(self, call: Call) -> Reply:
        provider = _self(call)
        return Ok(provider_view(provider, online=provider.id in self._online))

    @route("PATCH", "/provider", _SELF, any_provider)
    async def update(self, call: Call) -> Reply:
        body = await call.body()
        body.require_any("name", "adminEmail", "latitude", "longitude")
        changes, provider_id = provider_changes(body), _self(call).id
        await self._store.change(lambda draft: update_provider(draft, provider_id, changes))
        return Done()

    @route("DELETE", "/provider", _SELF, any_provider)
    async def unregister(self, call: Call) -> Reply:
        provider_id = _self(call).id
        await self._store.change(lambda draft: delete_provider(draft, provider_id))
        return Done()

    @route("GET", "/provider/spaces", _SELF, any_provider)
    async def spaces(self, call: Call) -> Reply:
        return Ok({"spaces": sorted(call.state.supported_by(_self(call).id))})

    @route("GET", "/provider/spaces/<sid>", "space.{sid}.instance:private", any_provider)
    async def space(self, call: Call) -> Reply:
        if call["sid"] not in call.state.supported_by(_self(call).id):
            raise NotFound()
        return Ok(space_view(call.state.spaces[call["sid"]]))

    @route("PATCH", "/provider/spaces/<sid>", _SELF, any_provider)
    async def resize(self, call: Call) -> Reply:
        size_b = (await call.body()).integer("size", low=SMALLEST_SUPPORT_B)
        provider_id = _self(call).id
        await self._store.change(lambda draft: resize_support(draft, call["sid"], provider_id, size_b))
        return Done()

    @route("DELETE", "/provider/spaces/<sid>", _SELF, any_provider)
    async def cease(self, call: Call) -> Reply:
        provider_id = _self(call).id
        await self._store.change(lambda draft: remove_support(draft, call["sid"], provider_id))
        return Done()

    @route("GET", "/provider/domain_config", _SELF, any_provider)
    async def domain_config(self, call: Call) -> Reply:
        return Ok(domain_config_view(_self(call)))

    @route("GET", "/provider/public/check_my_ip", "provider.null.check_my_ip:public", anyone)
    async def check_my_ip(self, call: Call) -> Reply:
        return Ok(call.asker.peer_ip)

    @route("GET", "/provider/public/get_current_time", "provider.null.current_time:public", anyone)
    async def current_time(self, call: Call) -> Reply:
        return Ok({"timeMillis": int(self._wall_clock() * 1000)})

    @route(
        "POST",
        "/provider/public/verify_provider_identity",
        "provider.null.verify_provider_identity:public",
        anyone,
    )
    async def verify_identity(self, call: Call) -> Reply:
        body = await call.body()
        provider_id = body.text("providerId")
        if "token" not in body and "macaroon" not in body:
            raise MissingRequiredValue("token")
        text = body.text("token" if "token" in body else "macaroon")
        context = RequestContext(now_s=self._wall_clock(), peer_ip=call.asker.peer_ip)
        try:
            service = self._parties.service_of(text, context)
        except OnedataError:
            raise TokenInvalid() from None
        if service.id != provider_id:
            raise TokenInvalid()
        return Done()


def _self(call: Call) -> Provider:
    provider = call.state.providers.get(call.asker.provider_id or "")
    if provider is None:
        raise NotFound()
    return provider
