"""``/user``: the user who asks, about himself."""

from __future__ import annotations

from typing import Any

from onedata.errors import BadBasicCredentials, NotFound, Unauthorized
from onedata.privileges import ZONE_ADMIN
from oz_worker.online import Online
from oz_worker.passwords import Passwords, WrongPassword
from oz_worker.records import User
from oz_worker.rest.access import admin, any_user, both
from oz_worker.rest.routes import Call, Done, Ok, Reply, route
from oz_worker.store import ZoneStore
from oz_worker.users import change_zone_privileges, delete_user, remove_alias, set_alias, update_user
from oz_worker.values import granted_and_revoked
from oz_worker.views import provider_view, user_view

_SELF = "user.null.instance:private"
_PRIVILEGES = "user.null.privileges:private"
_PROVIDERS = "user.null.providers:private"
_ALIAS = "user.null.alias,{sid}:private"
_may_set = both(any_user, admin("oz_set_privileges"))


class CurrentUser:
    """What users ask and change about themselves."""

    def __init__(self, store: ZoneStore, passwords: Passwords, online: Online) -> None:
        self._store, self._passwords, self._online = store, passwords, online

    @route("GET", "/user", _SELF, any_user)
    async def show(self, call: Call) -> Reply:
        return Ok(user_view(current_user(call)))

    @route("PATCH", "/user", _SELF, any_user)
    async def update(self, call: Call) -> Reply:
        body = await call.body()
        body.require_any("fullName", "username")
        changes: dict[str, Any] = {}
        if "fullName" in body:
            changes["full_name"] = body.full_name()
        if "username" in body:
            changes["username"] = body.username()
        user_id = current_user(call).id
        await self._store.change(lambda draft: update_user(draft, user_id, changes))
        return Done()

    @route("DELETE", "/user", _SELF, any_user)
    async def delete(self, call: Call) -> Reply:
        user_id = current_user(call).id
        await self._store.change(lambda draft: delete_user(draft, user_id))
        return Done()

    @route("PATCH", "/user/password", _SELF, any_user)
    async def change_password(self, call: Call) -> Reply:
        body = await call.body()
        new = body.password("newPassword")
        user = current_user(call)
        if user.password_hash is not None:
            await self._demand_password(
                call, user, body.string("oldPassword") if "oldPassword" in body else ""
            )
        elif "oldPassword" in body:
            raise Unauthorized(BadBasicCredentials())
        hashed = await self._passwords.hash(new)
        await self._store.change(lambda draft: update_user(draft, user.id, {"password_hash": hashed}))
        return Done()

    @route("GET", "/user/privileges", _PRIVILEGES, any_user)
    async def privileges(self, call: Call) -> Reply:
        return Ok({"privileges": sorted(current_user(call).privileges)})

    @route("PATCH", "/user/privileges", _SELF, _may_set)
    async def change_privileges(self, call: Call) -> Reply:
        grant, revoke = granted_and_revoked(await call.body(), ZONE_ADMIN)
        user_id = current_user(call).id
        await self._store.change(lambda draft: change_zone_privileges(draft, user_id, grant, revoke))
        return Done()

    @route("DELETE", "/user/privileges", _SELF, _may_set)
    async def drop_privileges(self, call: Call) -> Reply:
        user_id = current_user(call).id
        await self._store.change(lambda draft: change_zone_privileges(draft, user_id, (), ZONE_ADMIN))
        return Done()

    @route("GET", "/user/effective_privileges", _PRIVILEGES, any_user)
    async def effective_privileges(self, call: Call) -> Reply:
        return Ok({"privileges": sorted(call.state.zone_privileges(current_user(call)))})

    @route("GET", "/user/effective_providers", _PROVIDERS, any_user)
    async def providers(self, call: Call) -> Reply:
        return Ok({"providers": sorted(call.state.providers_of("user", current_user(call).id))})

    @route("GET", "/user/effective_providers/<pid>", "provider.{pid}.instance:protected", any_user)
    async def provider(self, call: Call) -> Reply:
        if call["pid"] not in call.state.providers_of("user", current_user(call).id):
            raise NotFound()
        return Ok(provider_view(call.state.providers[call["pid"]], online=call["pid"] in self._online))

    @route("GET", "/user/effective_providers/<pid>/spaces", _PROVIDERS, any_user)
    async def spaces_of_provider(self, call: Call) -> Reply:
        user_id = current_user(call).id
        if call["pid"] not in call.state.providers_of("user", user_id):
            raise NotFound()
        own = call.state.effective("user", user_id, "space")
        return Ok({"spaces": sorted(own & call.state.supported_by(call["pid"]))})

    @route("GET", "/user/spaces/<sid>/alias", _ALIAS, any_user)
    async def alias(self, call: Call) -> Reply:
        alias = current_user(call).aliases.get(call["sid"])
        if alias is None:
            raise NotFound()
        return Ok({"alias": alias})

    @route("PUT", "/user/spaces/<sid>/alias", _SELF, any_user)
    async def set_alias(self, call: Call) -> Reply:
        user_id = current_user(call).id
        if call["sid"] not in call.state.effective("user", user_id, "space"):
            raise NotFound()
        alias = (await call.body()).text("alias", limit=256)
        await self._store.change(lambda draft: set_alias(draft, user_id, call["sid"], alias))
        return Done()

    @route("DELETE", "/user/spaces/<sid>/alias", _SELF, any_user)
    async def remove_alias(self, call: Call) -> Reply:
        user_id = current_user(call).id
        await self._store.change(lambda draft: remove_alias(draft, user_id, call["sid"]))
        return Done()

    async def _demand_password(self, call: Call, user: User, password: str) -> None:
        def find(_: str) -> User | None:
            return call.state.users.get(user.id)

        try:
            await self._passwords.log_in(user.username or user.id, password, call.asker.peer_ip, find)
        except WrongPassword:
            raise Unauthorized(BadBasicCredentials()) from None


def current_user(call: Call) -> User:
    """Return the user who asks. Raises: NotFound when he was deleted meanwhile."""
    user = call.state.users.get(call.asker.user_id or "")
    if user is None:
        raise NotFound()
    return user
