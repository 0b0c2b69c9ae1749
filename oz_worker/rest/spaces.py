"""``/spaces``: spaces, their owners and their providers."""

from __future__ import annotations

from onedata.errors import Forbidden, NotFound
from onedata.privileges import GROUP_ADMIN, SPACE_ADMIN, SPACE_MANAGER, SPACE_MEMBER
from onedata.tokens.subjects import Subject, SubjectKind
from oz_worker.circles import Seat, add_member, add_owner, remove_owner
from oz_worker.draft import Draft
from oz_worker.fresh import Fresh
from oz_worker.groups import create_group
from oz_worker.online import Online
from oz_worker.rest.access import admin, anyone, either, has_privilege, holds, member, owner, supporter
from oz_worker.rest.entity_bodies import (
    MARKETPLACE_KEYS,
    SPACE_KEYS,
    demand_advertisable,
    new_group,
    new_space,
    space_changes,
)
from oz_worker.rest.routes import Call, Created, Done, Ok, Reply, route
from oz_worker.spaces import create_space, delete_space, remove_support, update_space
from oz_worker.store import ZoneStore
from oz_worker.views import provider_view, space_view

_SPACE = "space.{sid}.instance:private"
_OWNERS = "space.{sid}.owners:private"
_PROVIDERS = "space.{sid}.providers:private"
_view = either(holds("space", "sid", "space_view"), admin("oz_spaces_list_relationships"))
_own = either(owner(), admin("oz_spaces_set_privileges"))


class Spaces:
    """What members, owners and administrators ask and change about spaces."""

    def __init__(self, store: ZoneStore, fresh: Fresh, online: Online) -> None:
        self._store, self._fresh, self._online = store, fresh, online

    @route("POST", "/spaces", "space.null.instance:private", admin("oz_spaces_create"))
    async def create(self, call: Call) -> Reply:
        space = new_space(await call.body(), self._fresh, call.asker.subject)
        await self._store.change(lambda draft: create_space(draft, space))
        return Created(f"/spaces/{space.id}")

    @route("GET", "/spaces", "space.null.list:private", admin("oz_spaces_list"))
    async def list_all(self, call: Call) -> Reply:
        return Ok({"spaces": sorted(call.state.spaces)})

    @route("GET", "/spaces/privileges", "space.null.privileges:public", anyone)
    async def known_privileges(self, call: Call) -> Reply:
        sets = {"member": SPACE_MEMBER, "manager": SPACE_MANAGER, "admin": SPACE_ADMIN}
        return Ok({name: sorted(privileges) for name, privileges in sets.items()})

    @route(
        "GET", "/spaces/<sid>", _SPACE, either(member("space", "sid"), supporter(), admin("oz_spaces_view"))
    )
    async def show(self, call: Call) -> Reply:
        view = space_view(call.state.spaces[call["sid"]])
        if not has_privilege(call, "space", call["sid"], "space_manage_in_marketplace"):
            view["marketplaceContactEmail"] = ""
        return Ok(view)

    @route(
        "PATCH",
        "/spaces/<sid>",
        _SPACE,
        either(holds("space", "sid", "space_update"), admin("oz_spaces_update")),
    )
    async def update(self, call: Call) -> Reply:
        body = await call.body()
        body.require_any(*SPACE_KEYS)
        if any(key in body for key in MARKETPLACE_KEYS) and not (
            has_privilege(call, "space", call["sid"], "space_manage_in_marketplace")
            or call.asker.is_admin(call.state, "oz_spaces_update")
        ):
            raise Forbidden()
        changes = space_changes(body)

        def decide(draft: Draft) -> None:
            demand_advertisable(draft.space(call["sid"]), changes)
            update_space(draft, call["sid"], changes)

        await self._store.change(decide)
        return Done()

    @route(
        "DELETE",
        "/spaces/<sid>",
        _SPACE,
        either(holds("space", "sid", "space_delete"), admin("oz_spaces_delete")),
    )
    async def delete(self, call: Call) -> Reply:
        await self._store.change(lambda draft: delete_space(draft, call["sid"]))
        return Done()

    @route("POST", "/spaces/<sid>/groups", _SPACE, holds("space", "sid", "space_add_group"))
    async def create_group(self, call: Call) -> Reply:
        group_id = await create_member_group(
            self._store, self._fresh, call, Seat("space", call["sid"], "group", "")
        )
        return Created(f"/spaces/{call['sid']}/groups/{group_id}")

    @route("GET", "/spaces/<sid>/owners", _OWNERS, _view)
    async def owners(self, call: Call) -> Reply:
        return Ok({"users": sorted(call.state.spaces[call["sid"]].owners)})

    @route("PUT", "/spaces/<sid>/owners/<uid>", _OWNERS, _own)
    async def add_owner(self, call: Call) -> Reply:
        await self._store.change(lambda draft: add_owner(draft, call["sid"], call["uid"]))
        return Done()

    @route("DELETE", "/spaces/<sid>/owners/<uid>", _OWNERS, _own)
    async def remove_owner(self, call: Call) -> Reply:
        await self._store.change(lambda draft: remove_owner(draft, call["sid"], call["uid"]))
        return Done()

    @route("GET", "/spaces/<sid>/providers", _PROVIDERS, either(member("space", "sid"), supporter(), _view))
    async def providers(self, call: Call) -> Reply:
        return Ok({"providers": sorted(call.state.spaces[call["sid"]].supports)})

    @route(
        "GET", "/spaces/<sid>/providers/<pid>", _PROVIDERS, either(member("space", "sid"), supporter(), _view)
    )
    async def provider(self, call: Call) -> Reply:
        if call["pid"] not in call.state.spaces[call["sid"]].supports:
            raise NotFound()
        return Ok(provider_view(call.state.providers[call["pid"]], online=call["pid"] in self._online))

    @route(
        "DELETE",
        "/spaces/<sid>/providers/<pid>",
        _PROVIDERS,
        either(holds("space", "sid", "space_remove_support"), admin("oz_spaces_remove_relationships")),
    )
    async def remove_support(self, call: Call) -> Reply:
        await self._store.change(lambda draft: remove_support(draft, call["sid"], call["pid"]))
        return Done()


async def create_member_group(store: ZoneStore, fresh: Fresh, call: Call, seat: Seat) -> str:
    """Make a group of the asking user and put it into the circle of ``seat``; return its id."""
    user_id = call.asker.user_id or ""
    group = new_group(await call.body(), fresh, Subject(SubjectKind.USER, user_id))
    default = SPACE_MEMBER if seat.circle_kind == "space" else frozenset({"group_view"})

    def decide(draft: Draft) -> None:
        create_group(draft, group)
        add_member(draft, Seat("group", group.id, "user", user_id), GROUP_ADMIN)
        add_member(draft, Seat(seat.circle_kind, seat.circle_id, "group", group.id), default)

    await store.change(decide)
    return group.id
