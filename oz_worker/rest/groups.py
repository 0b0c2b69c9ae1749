"""``/groups``: groups themselves; their members and what they belong to are elsewhere."""

from __future__ import annotations

from onedata.errors import NotFound
from onedata.privileges import GROUP_ADMIN, GROUP_MANAGER, GROUP_MEMBER, ZONE_ADMIN
from oz_worker.circles import Seat, circle_in
from oz_worker.fresh import Fresh
from oz_worker.groups import change_zone_privileges, create_group, delete_group, update_group
from oz_worker.online import Online
from oz_worker.records import Group
from oz_worker.rest.access import admin, anyone, both, either, holds, member
from oz_worker.rest.entity_bodies import group_changes, new_group
from oz_worker.rest.routes import Access, Call, Created, Done, Ok, Reply, route
from oz_worker.rest.spaces import create_member_group
from oz_worker.store import ZoneStore
from oz_worker.values import granted_and_revoked
from oz_worker.views import group_view, provider_view

_GROUP = "group.{gid}.instance:private"


def _exists(call: Call) -> bool:
    circle_in(call.state, "group", call["gid"])
    return True


def _admin(privilege: str) -> Access:
    return both(_exists, admin(privilege))


class Groups:
    """What members and administrators ask and change about groups."""

    def __init__(self, store: ZoneStore, fresh: Fresh, online: Online) -> None:
        self._store, self._fresh, self._online = store, fresh, online

    @route("POST", "/groups", "group.null.instance:private", admin("oz_groups_create"))
    async def create(self, call: Call) -> Reply:
        group = new_group(await call.body(), self._fresh, call.asker.subject)
        await self._store.change(lambda draft: create_group(draft, group))
        return Created(f"/groups/{group.id}")

    @route("GET", "/groups", "group.null.list:private", admin("oz_groups_list"))
    async def list_all(self, call: Call) -> Reply:
        return Ok({"groups": sorted(call.state.groups)})

    @route("GET", "/groups/privileges", "group.null.privileges:public", anyone)
    async def known_privileges(self, call: Call) -> Reply:
        sets = {"member": GROUP_MEMBER, "manager": GROUP_MANAGER, "admin": GROUP_ADMIN}
        return Ok({name: sorted(privileges) for name, privileges in sets.items()})

    @route("GET", "/groups/<gid>", _GROUP, either(member("group", "gid"), admin("oz_groups_view")))
    async def show(self, call: Call) -> Reply:
        return Ok(group_view(_group(call)))

    @route(
        "PATCH",
        "/groups/<gid>",
        _GROUP,
        either(holds("group", "gid", "group_update"), admin("oz_groups_update")),
    )
    async def update(self, call: Call) -> Reply:
        body = await call.body()
        body.require_any("name", "type")
        changes = group_changes(body)
        await self._store.change(lambda draft: update_group(draft, call["gid"], changes))
        return Done()

    @route(
        "DELETE",
        "/groups/<gid>",
        _GROUP,
        either(holds("group", "gid", "group_delete"), admin("oz_groups_delete")),
    )
    async def delete(self, call: Call) -> Reply:
        await self._store.change(lambda draft: delete_group(draft, call["gid"]))
        return Done()

    @route("POST", "/groups/<gid>/children", _GROUP, holds("group", "gid", "group_add_child"))
    async def create_child(self, call: Call) -> Reply:
        seat = Seat("group", call["gid"], "group", "")
        child_id = await create_member_group(self._store, self._fresh, call, seat)
        return Created(f"/groups/{call['gid']}/children/{child_id}")

    @route("GET", "/groups/<gid>/privileges", _GROUP, _admin("oz_view_privileges"))
    async def privileges(self, call: Call) -> Reply:
        return Ok({"privileges": sorted(_group(call).privileges)})

    @route("GET", "/groups/<gid>/effective_privileges", _GROUP, _admin("oz_view_privileges"))
    async def effective_privileges(self, call: Call) -> Reply:
        groups = (call.state.groups.get(group_id) for group_id in call.state.groups_of_group(call["gid"]))
        return Ok({"privileges": sorted({p for group in groups if group for p in group.privileges})})

    @route("PATCH", "/groups/<gid>/privileges", _GROUP, _admin("oz_set_privileges"))
    async def change_privileges(self, call: Call) -> Reply:
        grant, revoke = granted_and_revoked(await call.body(), ZONE_ADMIN)
        await self._store.change(lambda draft: change_zone_privileges(draft, call["gid"], grant, revoke))
        return Done()

    @route("DELETE", "/groups/<gid>/privileges", _GROUP, _admin("oz_set_privileges"))
    async def drop_privileges(self, call: Call) -> Reply:
        await self._store.change(lambda draft: change_zone_privileges(draft, call["gid"], (), ZONE_ADMIN))
        return Done()

    @route("GET", "/groups/<gid>/effective_providers", _GROUP, holds("group", "gid", "group_view"))
    async def providers(self, call: Call) -> Reply:
        return Ok({"providers": sorted(call.state.providers_of("group", call["gid"]))})

    @route("GET", "/groups/<gid>/effective_providers/<pid>", _GROUP, holds("group", "gid", "group_view"))
    async def provider(self, call: Call) -> Reply:
        if call["pid"] not in call.state.providers_of("group", call["gid"]):
            raise NotFound()
        return Ok(provider_view(call.state.providers[call["pid"]], online=call["pid"] in self._online))

    @route(
        "GET", "/groups/<gid>/effective_providers/<pid>/spaces", _GROUP, holds("group", "gid", "group_view")
    )
    async def spaces_of_provider(self, call: Call) -> Reply:
        own = call.state.effective("group", call["gid"], "space")
        return Ok({"spaces": sorted(own & call.state.supported_by(call["pid"]))})


def _group(call: Call) -> Group:
    return call.state.groups[call["gid"]]
