"""``/users``: administration of users."""

from __future__ import annotations

from typing import Any

from onedata.errors import MissingRequiredValue
from onedata.privileges import ZONE_ADMIN
from oz_worker.fresh import Fresh
from oz_worker.passwords import Passwords
from oz_worker.records import User
from oz_worker.rest.access import admin, both, either, self_user
from oz_worker.rest.routes import Access, Call, Created, Done, Ok, Reply, route
from oz_worker.store import ZoneStore
from oz_worker.users import change_zone_privileges, create_user, delete_user, update_user
from oz_worker.values import Body, granted_and_revoked
from oz_worker.views import user_view

_USER = "user.{uid}.instance:private"
_PRIVILEGES = "user.{uid}.privileges:private"


def _admin(*privileges: str) -> Access:
    return both(either(self_user(), lambda call: True), admin(*privileges))


class Users:
    """What administrators ask and change about users."""

    def __init__(self, store: ZoneStore, fresh: Fresh, passwords: Passwords) -> None:
        self._store, self._fresh, self._passwords = store, fresh, passwords

    @route("POST", "/users", "user.null.instance:private", admin("oz_users_create"))
    async def create(self, call: Call) -> Reply:
        body = await call.body()
        user = await self._new_user(body)
        await self._store.change(lambda draft: create_user(draft, user))
        return Created(f"/users/{user.id}")

    @route("GET", "/users", "user.null.list:private", admin("oz_users_list"))
    async def list_all(self, call: Call) -> Reply:
        return Ok({"users": sorted(call.state.users)})

    @route("GET", "/users/<uid>", _USER, either(self_user(), admin("oz_users_view")))
    async def show(self, call: Call) -> Reply:
        return Ok(user_view(call.state.users[call["uid"]]))

    @route("DELETE", "/users/<uid>", _USER, either(self_user(), admin("oz_users_delete")))
    async def delete(self, call: Call) -> Reply:
        await self._store.change(lambda draft: delete_user(draft, call["uid"]))
        return Done()

    @route("PATCH", "/users/<uid>/basic_auth", _USER, _admin("oz_users_manage_passwords"))
    async def change_basic_auth(self, call: Call) -> Reply:
        body = await call.body()
        body.require_any("basicAuthEnabled", "newPassword")
        changes: dict[str, Any] = {}
        if "basicAuthEnabled" in body:
            changes["basic_auth_enabled"] = body.boolean("basicAuthEnabled")
        if "newPassword" in body:
            changes["password_hash"] = await self._passwords.hash(body.password("newPassword"))
        await self._store.change(lambda draft: update_user(draft, call["uid"], changes))
        return Done()

    @route(
        "PATCH",
        "/users/<uid>/access_block",
        _USER,
        both(_admin("oz_users_update"), lambda c: not self_user()(c)),
    )
    async def change_access_block(self, call: Call) -> Reply:
        blocked = (await call.body()).boolean("blocked")
        await self._store.change(lambda draft: update_user(draft, call["uid"], {"blocked": blocked}))
        return Done()

    @route("GET", "/users/<uid>/privileges", _PRIVILEGES, either(self_user(), admin("oz_view_privileges")))
    async def privileges(self, call: Call) -> Reply:
        return Ok({"privileges": sorted(call.state.users[call["uid"]].privileges)})

    @route(
        "GET",
        "/users/<uid>/effective_privileges",
        _PRIVILEGES,
        either(self_user(), admin("oz_view_privileges")),
    )
    async def effective_privileges(self, call: Call) -> Reply:
        return Ok({"privileges": sorted(call.state.zone_privileges(call.state.users[call["uid"]]))})

    @route("PATCH", "/users/<uid>/privileges", _PRIVILEGES, _admin("oz_set_privileges"))
    async def change_privileges(self, call: Call) -> Reply:
        grant, revoke = granted_and_revoked(await call.body(), ZONE_ADMIN)
        await self._store.change(lambda draft: change_zone_privileges(draft, call["uid"], grant, revoke))
        return Done()

    @route("DELETE", "/users/<uid>/privileges", _PRIVILEGES, _admin("oz_set_privileges"))
    async def drop_privileges(self, call: Call) -> Reply:
        await self._store.change(lambda draft: change_zone_privileges(draft, call["uid"], (), ZONE_ADMIN))
        return Done()

    async def _new_user(self, body: Body) -> User:
        for key, other in (("username", "password"), ("password", "username")):
            if key in body and other not in body:
                raise MissingRequiredValue(other)
        username = body.username() if "username" in body else None
        full_name = body.full_name() if "fullName" in body else "Unnamed User"
        hashed = None
        if "password" in body:
            hashed = await self._passwords.hash(body.password("password"))
        return User(
            id=self._fresh.id(),
            created_s=self._fresh.now_s(),
            temporary=self._fresh.temporary_secret(),
            username=username,
            full_name=full_name,
            password_hash=hashed,
            basic_auth_enabled=hashed is not None,
        )
