"""``/providers``: registering providers, and what users may know of them."""

from __future__ import annotations

from onedata.errors import NotFound
from oz_worker.circles import circle_in
from oz_worker.online import Online
from oz_worker.providers import delete_provider
from oz_worker.records import Provider
from oz_worker.registration import Registration
from oz_worker.rest.access import admin, any_provider, anyone, either, holds, member, self_provider
from oz_worker.rest.routes import Access, Call, Done, Ok, Reply, route
from oz_worker.store import ZoneStore
from oz_worker.views import (
    domain_config_view,
    provider_view,
    shared_group_view,
    shared_user_view,
    space_view,
)

_PROVIDER = "provider.{pid}.instance:private"


def provider_of(call: Call) -> Provider:
    """Return the provider named in the path. Raises: NotFound."""
    provider = circle_in(call.state, "provider", call["pid"])
    assert isinstance(provider, Provider)
    return provider


def _uses(call: Call) -> bool:
    """Effective users of the provider."""
    return call.asker.user_id in call.state.users_of_provider(provider_of(call))


def _in_cluster(privilege: str, *admins: str) -> Access:
    return either(self_provider(), holds("provider", "pid", privilege), admin(*admins))


class Providers:
    """Registration is open to whoever holds a registration token; the rest is for users of a provider."""

    def __init__(self, store: ZoneStore, registration: Registration, online: Online) -> None:
        self._store, self._registration, self._online = store, registration, online

    @route("POST", "/providers", "provider.null.instance:private", anyone)
    async def register(self, call: Call) -> Reply:
        return Ok((await self._registration.register(await call.body(), call.asker)).to_json())

    @route("GET", "/providers", "provider.null.list:private", admin("oz_providers_list"))
    async def list_all(self, call: Call) -> Reply:
        return Ok({"providers": sorted(call.state.providers)})

    @route(
        "GET",
        "/providers/<pid>",
        "provider.{pid}.instance:protected",
        either(_uses, member("provider", "pid"), any_provider, admin("oz_providers_view")),
    )
    async def show(self, call: Call) -> Reply:
        return Ok(provider_view(provider_of(call), online=call["pid"] in self._online))

    @route("DELETE", "/providers/<pid>", _PROVIDER, _in_cluster("cluster_delete", "oz_providers_delete"))
    async def delete(self, call: Call) -> Reply:
        await self._store.change(lambda draft: delete_provider(draft, call["pid"]))
        return Done()

    @route(
        "GET",
        "/providers/<pid>/spaces",
        _PROVIDER,
        _in_cluster("cluster_view", "oz_providers_list_relationships"),
    )
    async def spaces(self, call: Call) -> Reply:
        return Ok({"spaces": sorted(call.state.supported_by(call["pid"]))})

    @route("GET", "/providers/<pid>/spaces/<sid>", _PROVIDER, _in_cluster("cluster_view", "oz_spaces_view"))
    async def space(self, call: Call) -> Reply:
        if call["sid"] not in call.state.supported_by(call["pid"]):
            raise NotFound()
        return Ok(space_view(call.state.spaces[call["sid"]]))

    @route(
        "GET", "/providers/<pid>/domain_config", _PROVIDER, _in_cluster("cluster_view", "oz_providers_view")
    )
    async def domain_config(self, call: Call) -> Reply:
        return Ok(domain_config_view(provider_of(call)))

    @route(
        "GET",
        "/providers/<pid>/effective_users",
        _PROVIDER,
        _in_cluster("cluster_view", "oz_providers_list_relationships"),
    )
    async def users(self, call: Call) -> Reply:
        return Ok({"users": sorted(call.state.users_of_provider(provider_of(call)))})

    @route(
        "GET",
        "/providers/<pid>/effective_users/<uid>",
        _PROVIDER,
        _in_cluster("cluster_view", "oz_users_view"),
    )
    async def user(self, call: Call) -> Reply:
        if call["uid"] not in call.state.users_of_provider(provider_of(call)):
            raise NotFound()
        return Ok(shared_user_view(call.state.users[call["uid"]]))

    @route(
        "GET",
        "/providers/<pid>/effective_groups",
        _PROVIDER,
        _in_cluster("cluster_view", "oz_providers_list_relationships"),
    )
    async def groups(self, call: Call) -> Reply:
        return Ok({"groups": sorted(call.state.groups_of_provider(provider_of(call)))})

    @route(
        "GET",
        "/providers/<pid>/effective_groups/<gid>",
        _PROVIDER,
        _in_cluster("cluster_view", "oz_groups_view"),
    )
    async def group(self, call: Call) -> Reply:
        if call["gid"] not in call.state.groups_of_provider(provider_of(call)):
            raise NotFound()
        return Ok(shared_group_view(call.state.groups[call["gid"]]))
