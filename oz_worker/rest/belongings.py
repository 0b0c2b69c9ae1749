"""Spaces, groups and clusters seen from their members: the current user's, and a group's.

One table of relations; every relation gets the same routes.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from attrs import frozen

from onedata.errors import NotFound
from onedata.privileges import GROUP_ADMIN, SPACE_ADMIN
from onedata.tokens.subjects import Subject, SubjectKind
from oz_worker.circles import Circle, CircleKind, MemberKind, Seat, add_member, circle_in, remove_member
from oz_worker.draft import Draft
from oz_worker.fresh import Fresh
from oz_worker.groups import create_group
from oz_worker.invitations import Invitations
from oz_worker.records import Group, Provider, Space
from oz_worker.rest.access import admin, any_user, either, holds
from oz_worker.rest.entity_bodies import new_group, new_space
from oz_worker.rest.routes import Access, Call, Created, Done, Ok, Reply, Route, call_path
from oz_worker.spaces import create_space
from oz_worker.store import ZoneStore
from oz_worker.views import cluster_view, group_view, space_view

Making = Literal["space", "group", "nothing"]


@frozen
class Belonging:
    """What members of one kind belong to; ``parents`` of a group are circles of kind ``group``."""

    member: MemberKind
    circle: CircleKind
    plural: str
    makes: Making
    privilege: str

    @property
    def base(self) -> str:
        """Where the member is found."""
        return "/user" if self.member == "user" else "/groups/<gid>"


BELONGINGS: Final = (
    Belonging("user", "space", "spaces", "space", "space"),
    Belonging("user", "group", "groups", "group", "group"),
    Belonging("user", "provider", "clusters", "nothing", "cluster"),
    Belonging("group", "space", "spaces", "space", "space"),
    Belonging("group", "group", "parents", "group", "parent"),
    Belonging("group", "provider", "clusters", "nothing", "cluster"),
)


class Belongings:
    """The routes of one relation."""

    def __init__(
        self, belonging: Belonging, store: ZoneStore, fresh: Fresh, invitations: Invitations
    ) -> None:
        self._belonging, self._store, self._fresh = belonging, store, fresh
        self._invitations = invitations

    def routes(self) -> list[Route]:
        """Return every route of the relation."""
        b = self._belonging
        all_, one = f"{b.base}/{b.plural}", f"{b.base}/{b.plural}/<cid>"
        gri = f"{'user.null' if b.member == 'user' else 'group.{gid}'}.{b.plural}:private"
        view, add, leave = (
            self._may("view"),
            self._may(f"add_{b.privilege}"),
            self._may(f"leave_{b.privilege}"),
        )
        routes = [
            Route("GET", all_, gri, view, self._list_direct),
            Route("GET", f"{b.base}/effective_{b.plural}", gri, view, self._list_effective),
            Route("POST", f"{all_}/join", gri, add, self._join),
            Route("GET", one, self._circle_gri(), view, self._show_direct),
            Route(
                "GET", f"{b.base}/effective_{b.plural}/<cid>", self._circle_gri(), view, self._show_effective
            ),
            Route("DELETE", one, gri, leave, self._leave),
        ]
        if b.makes != "nothing":
            routes.append(Route("POST", all_, gri, add, self._create))
        return routes

    def _may(self, action: str) -> Access:
        if self._belonging.member == "user":
            return any_user
        allowed = holds("group", "gid", f"group_{action}")
        return either(allowed, admin("oz_groups_view")) if action == "view" else allowed

    def _circle_gri(self) -> str:
        kind = "cluster" if self._belonging.circle == "provider" else self._belonging.circle
        return f"{kind}.{{cid}}.instance:private"

    # -- what happens -----------------------------------------------------------------------------

    async def _list_direct(self, call: Call) -> Reply:
        return Ok({self._belonging.plural: sorted(self._direct(call))})

    async def _list_effective(self, call: Call) -> Reply:
        return Ok({self._belonging.plural: sorted(self._effective(call))})

    async def _show_direct(self, call: Call) -> Reply:
        if call["cid"] not in self._direct(call):
            raise NotFound()
        return Ok(_view(circle_in(call.state, self._belonging.circle, call["cid"])))

    async def _show_effective(self, call: Call) -> Reply:
        if call["cid"] not in self._effective(call):
            raise NotFound()
        return Ok(_view(circle_in(call.state, self._belonging.circle, call["cid"])))

    async def _create(self, call: Call) -> Reply:
        b = self._belonging
        body = await call.body()
        creator = Subject(SubjectKind.USER, call.asker.user_id)
        circle: Space | Group
        if b.makes == "space":
            circle = new_space(body, self._fresh, creator)
        else:
            circle = new_group(body, self._fresh, creator)

        def decide(draft: Draft) -> None:
            if isinstance(circle, Space):
                create_space(draft, circle)
            else:
                create_group(draft, circle)
            everything = SPACE_ADMIN if b.makes == "space" else GROUP_ADMIN
            add_member(draft, Seat(b.circle, circle.id, b.member, self._member_id(call)), everything)

        await self._store.change(decide)
        return Created(call_path(f"{b.base}/{b.plural}/{circle.id}", call))

    async def _join(self, call: Call) -> Reply:
        b = self._belonging
        token = (await call.body()).text("token")
        joined = await self._invitations.join(token, b.circle, b.member, self._member_id(call), call.asker)
        return Created(call_path(f"{b.base}/{b.plural}/{joined}", call))

    async def _leave(self, call: Call) -> Reply:
        b = self._belonging
        seat = Seat(b.circle, call["cid"], b.member, self._member_id(call))
        await self._store.change(lambda draft: remove_member(draft, seat))
        return Done()

    def _member_id(self, call: Call) -> str:
        return (call.asker.user_id or "") if self._belonging.member == "user" else call["gid"]

    def _direct(self, call: Call) -> set[str]:
        b = self._belonging
        return call.state.direct(b.member, self._member_id(call), b.circle)

    def _effective(self, call: Call) -> frozenset[str]:
        b = self._belonging
        found = call.state.effective(b.member, self._member_id(call), b.circle)
        return found - {self._member_id(call)}


def _view(circle: Circle) -> dict[str, Any]:
    if isinstance(circle, Provider):
        return cluster_view(circle)
    return space_view(circle) if isinstance(circle, Space) else group_view(circle)
