"""Members of spaces, groups and clusters, seen from the circle: lists, joining, leaving, privileges.

One table of relations; every relation gets the same routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from onedata.errors import Forbidden, NotFound
from onedata.privileges import (
    CLUSTER_ADMIN,
    CLUSTER_MEMBER,
    GROUP_ADMIN,
    GROUP_MEMBER,
    SPACE_ADMIN,
    SPACE_MEMBER,
)
from oz_worker.circles import (
    Circle,
    CircleKind,
    MemberKind,
    Seat,
    add_member,
    change_privileges,
    circle_in,
    direct_members,
    remove_member,
)
from oz_worker.draft import Draft
from oz_worker.members import group_intermediaries, user_intermediaries
from oz_worker.records import Members, Space
from oz_worker.rest.access import (
    admin,
    both,
    either,
    has_privilege,
    holds,
    owner,
    supporter,
)
from oz_worker.rest.routes import Access, Call, Created, Done, Ok, Reply, Route, call_path
from oz_worker.store import ZoneStore
from oz_worker.values import granted_and_revoked
from oz_worker.views import shared_group_view, shared_user_view


@frozen(kw_only=True)
class Relation:
    """How members of one kind belong to circles of one kind.

    Attributes:
        prefix: of the circle's privileges, such as ``space_``.
        noun: of the circle in zone privileges (``oz_spaces_view``).
        word: of the member in the circle's privileges (``space_add_user``).
        own: the privilege needed in the joining group itself.
    """

    kind: CircleKind
    member: MemberKind
    base: str
    plural: str
    prefix: str
    noun: str
    word: str
    own: str | None
    known: frozenset[str]
    default: frozenset[str]

    def privilege(self, action: str) -> str:
        """Return the circle's privilege for an action, as ``space_add_user`` for ``add``."""
        return f"{self.prefix}{action}_{self.word}"

    def admin(self, action: str) -> Access:
        """Return the zone privileges that allow changing this relation."""
        members = "users" if self.member == "user" else "groups"
        return admin(f"oz_{self.noun}_{action}_relationships", f"oz_{members}_{action}_relationships")


def _relation(kind: CircleKind, member: MemberKind, plural: str, word: str, own: str | None) -> Relation:
    known: Mapping[CircleKind, tuple[str, frozenset[str], frozenset[str]]] = {
        "space": ("spaces", SPACE_ADMIN, SPACE_MEMBER),
        "group": ("groups", GROUP_ADMIN, GROUP_MEMBER),
        "provider": ("clusters", CLUSTER_ADMIN, CLUSTER_MEMBER),
    }
    noun, all_known, default = known[kind]
    return Relation(
        kind=kind,
        member=member,
        base=f"/{noun}/<cid>",
        plural=plural,
        prefix=f"{noun[:-1]}_",
        noun=noun,
        word=word,
        own=own,
        known=all_known,
        default=default,
    )


RELATIONS: Final = (
    _relation("space", "user", "users", "user", None),
    _relation("space", "group", "groups", "group", "group_add_space"),
    _relation("group", "user", "users", "user", None),
    _relation("group", "group", "children", "child", "group_add_parent"),
    _relation("provider", "user", "users", "user", None),
    _relation("provider", "group", "groups", "group", "group_add_cluster"),
)


class Memberships:
    """The routes of one relation."""

    def __init__(self, relation: Relation, store: ZoneStore) -> None:
        self._relation, self._store = relation, store

    def routes(self) -> list[Route]:
        """Return every route of the relation."""
        r = self._relation
        one, all_ = f"{r.base}/{r.plural}/<mid>", f"{r.base}/{r.plural}"
        eff_one, eff_all = f"{r.base}/effective_{r.plural}/<mid>", f"{r.base}/effective_{r.plural}"
        view = either(holds(r.kind, "cid", f"{r.prefix}view"), admin(f"oz_{r.noun}_list_relationships"))
        look = self._privilege_view()
        gri = f"{'cluster' if r.kind == 'provider' else r.kind}.{{cid}}.{r.plural}:private"
        return [
            Route("GET", all_, gri, view, self._list_direct),
            Route("GET", eff_all, gri, view, self._list_effective),
            Route("GET", one, gri, view, self._show_direct),
            Route("GET", eff_one, gri, view, self._show_effective),
            Route("PUT", one, gri, self._may_add(), self._add),
            Route("DELETE", one, gri, self._may_remove(), self._remove),
            Route("GET", f"{one}/privileges", gri, look, self._direct_privileges),
            Route("GET", f"{eff_one}/privileges", gri, look, self._effective_privileges),
            Route("PATCH", f"{one}/privileges", gri, self._may_set(), self._change_privileges),
            Route("GET", f"{eff_one}/membership", gri, either(self._is_self, view), self._membership),
        ]

    # -- who may ----------------------------------------------------------------------------------

    def _is_self(self, call: Call) -> bool:
        circle_in(call.state, self._relation.kind, call["cid"])
        if self._relation.member == "user":
            return call.asker.user_id == call["mid"]
        return call.asker.user_id is not None and call["mid"] in call.state.groups_of_user(call.asker.user_id)

    def _privilege_view(self) -> Access:
        r = self._relation
        checks: list[Access] = [self._is_self, holds(r.kind, "cid", f"{r.prefix}view_privileges")]
        if r.kind == "space":
            checks.append(supporter("cid"))
        return either(*checks, admin(f"oz_{r.noun}_view_privileges"))

    def _may_set(self) -> Access:
        r = self._relation
        allowed = holds(r.kind, "cid", f"{r.prefix}set_privileges")
        return either(allowed, admin(f"oz_{r.noun}_set_privileges"))

    def _may_add(self) -> Access:
        """Users add themselves, groups are added by who may on both sides; the rest is for admins."""
        r = self._relation
        allowed = holds(r.kind, "cid", r.privilege("add"))
        if r.own is None:
            return either(both(allowed, self._is_self), r.admin("add"))
        return either(both(allowed, self._may_add_group), r.admin("add"))

    def _may_add_group(self, call: Call) -> bool:
        own = self._relation.own
        return (
            own is not None
            and call["mid"] in call.state.groups
            and has_privilege(call, "group", call["mid"], own)
        )

    def _may_remove(self) -> Access:
        r = self._relation
        allowed = holds(r.kind, "cid", r.privilege("remove"))
        if r.kind == "space" and r.member == "user":
            allowed = both(allowed, either(owner("cid"), self._is_no_owner))
        return either(allowed, r.admin("remove"))

    def _is_no_owner(self, call: Call) -> bool:
        circle = circle_in(call.state, "space", call["cid"])
        return isinstance(circle, Space) and call["mid"] not in circle.owners

    # -- what happens -----------------------------------------------------------------------------

    async def _list_direct(self, call: Call) -> Reply:
        return Ok({self._relation.plural: sorted(self._direct(call))})

    async def _list_effective(self, call: Call) -> Reply:
        return Ok({self._relation.plural: sorted(self._effective(call))})

    async def _show_direct(self, call: Call) -> Reply:
        return self._show(call, self._direct(call))

    async def _show_effective(self, call: Call) -> Reply:
        return self._show(call, self._effective(call))

    def _show(self, call: Call, members: Members) -> Reply:
        _demand_member(members, call["mid"])
        if self._relation.member == "user":
            return Ok(shared_user_view(call.state.users[call["mid"]]))
        return Ok(shared_group_view(call.state.groups[call["mid"]]))

    async def _direct_privileges(self, call: Call) -> Reply:
        return Ok({"privileges": sorted(_demand_member(self._direct(call), call["mid"]))})

    async def _effective_privileges(self, call: Call) -> Reply:
        return Ok({"privileges": sorted(_demand_member(self._effective(call), call["mid"]))})

    async def _membership(self, call: Call) -> Reply:
        _demand_member(self._effective(call), call["mid"])
        circle = self._circle(call)
        found: list[dict[str, str]] = []
        if call["mid"] in self._direct(call):
            found.append({"type": self._relation.member, "id": call["mid"]})
        if self._relation.member == "user":
            groups = user_intermediaries(circle, call["mid"], call.state.groups_of_user(call["mid"]))
        else:
            above = call.state.groups_of_group(call["mid"]) - {call["mid"]}
            groups = group_intermediaries(circle, above)
        return Ok({"intermediaries": [*found, *({"type": "group", "id": group_id} for group_id in groups)]})

    async def _add(self, call: Call) -> Reply:
        r = self._relation
        body = await call.body()
        privileges = body.privileges("privileges", r.known) if "privileges" in body else r.default
        if "privileges" in body and not self._may_set()(call):
            raise Forbidden()
        await self._store.change(lambda draft: add_member(draft, self._seat(call), privileges))
        return Created(call_path(f"{r.base}/{r.plural}/<mid>", call))

    async def _remove(self, call: Call) -> Reply:
        await self._store.change(lambda draft: remove_member(draft, self._seat(call)))
        return Done()

    async def _change_privileges(self, call: Call) -> Reply:
        body = await call.body()
        grant, revoke = granted_and_revoked(body, self._relation.known)

        def decide(draft: Draft) -> None:
            change_privileges(draft, self._seat(call), grant, revoke)

        await self._store.change(decide)
        return Done()

    def _circle(self, call: Call) -> Circle:
        return circle_in(call.state, self._relation.kind, call["cid"])

    def _direct(self, call: Call) -> Members:
        return direct_members(self._circle(call), self._relation.member)

    def _effective(self, call: Call) -> Members:
        found = call.state.members(self._circle(call))
        return found.users if self._relation.member == "user" else found.groups

    def _seat(self, call: Call) -> Seat:
        return Seat(self._relation.kind, call["cid"], self._relation.member, call["mid"])


def _demand_member(members: Members, member_id: str) -> frozenset[str]:
    if member_id not in members:
        raise NotFound()
    return members[member_id]
