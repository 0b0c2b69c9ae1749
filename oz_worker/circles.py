"""Joining, leaving and privileges of whatever has members: groups, spaces, clusters of providers. Pure.

Functions change a draft; they do not ask whether the caller may.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal

from attrs import evolve, frozen

from onedata.errors import (
    AlreadyExists,
    CannotAddRelationToSelf,
    CannotRemoveLastOwner,
    NotFound,
    RelationAlreadyExists,
    RelationDoesNotExist,
)
from oz_worker.draft import Draft
from oz_worker.members import descendants, would_close_a_cycle
from oz_worker.records import Group, Members, Provider, Space, with_member, without_member
from oz_worker.state import ZoneState

CircleKind = Literal["group", "space", "provider"]
MemberKind = Literal["user", "group"]
Circle = Group | Space | Provider

PUBLIC_KIND: Final = {"group": "group", "space": "space", "provider": "cluster", "user": "user"}
"""How the kinds are called in errors: the members of a provider are those of its cluster."""


@frozen
class Seat:
    """A place in a circle: ``member`` (by kind and id) as direct member of ``circle``."""

    circle_kind: CircleKind
    circle_id: str
    member_kind: MemberKind
    member_id: str

    def already_exists(self) -> RelationAlreadyExists:
        """The error when the seat is taken."""
        return RelationAlreadyExists(*self._relation())

    def does_not_exist(self) -> RelationDoesNotExist:
        """The error when the seat is empty."""
        return RelationDoesNotExist(*self._relation())

    def _relation(self) -> tuple[str, str, str, str]:
        return self.member_kind, self.member_id, PUBLIC_KIND[self.circle_kind], self.circle_id


def circle_of(draft: Draft, kind: CircleKind, circle_id: str) -> Circle:
    """Return a circle as it will be. Raises: NotFound."""
    if kind == "group":
        return draft.group(circle_id)
    return draft.space(circle_id) if kind == "space" else draft.provider(circle_id)


def circle_in(state: ZoneState, kind: CircleKind, circle_id: str) -> Circle:
    """Return a circle as it is. Raises: NotFound."""
    return circle_of(Draft(state), kind, circle_id)


def direct_members(circle: Circle, kind: MemberKind) -> Members:
    """Return the direct members of one kind."""
    return circle.users if kind == "user" else circle.groups


def add_member(draft: Draft, seat: Seat, privileges: Collection[str]) -> None:
    """Make somebody a direct member. The first direct user of a space becomes its owner.

    Raises: NotFound; RelationAlreadyExists; CannotAddRelationToSelf.
    """
    circle = circle_of(draft, seat.circle_kind, seat.circle_id)
    draft.require(draft.user(seat.member_id) if seat.member_kind == "user" else draft.group(seat.member_id))
    members = direct_members(circle, seat.member_kind)
    if seat.member_id in members:
        raise seat.already_exists()
    if isinstance(circle, Group) and seat.member_kind == "group":
        _demand_no_cycle(draft, seat)
    if isinstance(circle, Space) and seat.member_kind == "user" and not circle.users and not circle.owners:
        circle = evolve(circle, owners=frozenset({seat.member_id}))
    _put(draft, circle, seat.member_kind, with_member(members, seat.member_id, frozenset(privileges)))


def remove_member(draft: Draft, seat: Seat) -> None:
    """End a direct membership. An owner who leaves is no owner any more.

    Raises: NotFound when there is none; CannotRemoveLastOwner while others are members.
    """
    circle = circle_of(draft, seat.circle_kind, seat.circle_id)
    members = direct_members(circle, seat.member_kind)
    if seat.member_id not in members:
        raise NotFound()
    left = without_member(members, seat.member_id)
    if isinstance(circle, Space) and seat.member_kind == "user" and seat.member_id in circle.owners:
        owners = circle.owners - {seat.member_id}
        if not owners and (left or circle.groups):
            raise CannotRemoveLastOwner("space", circle.id)
        circle = evolve(circle, owners=owners)
    _put(draft, circle, seat.member_kind, left)


def change_privileges(draft: Draft, seat: Seat, grant: Collection[str], revoke: Collection[str]) -> None:
    """Grant, then revoke, privileges of a direct member. Raises: NotFound."""
    circle = circle_of(draft, seat.circle_kind, seat.circle_id)
    members = direct_members(circle, seat.member_kind)
    if seat.member_id not in members:
        raise NotFound()
    privileges = (members[seat.member_id] | frozenset(grant)) - frozenset(revoke)
    _put(draft, circle, seat.member_kind, with_member(members, seat.member_id, privileges))


def add_owner(draft: Draft, space_id: str, user_id: str) -> None:
    """Make an effective member of a space one of its owners.

    Raises: NotFound; RelationDoesNotExist; AlreadyExists.
    """
    space = draft.space(space_id)
    draft.require(draft.user(user_id))
    if user_id not in draft.state.members(space).users:
        raise Seat("space", space_id, "user", user_id).does_not_exist()
    if user_id in space.owners:
        raise AlreadyExists()
    draft.put(evolve(space, owners=space.owners | {user_id}))


def remove_owner(draft: Draft, space_id: str, user_id: str) -> None:
    """Take the ownership of a space from a user. Raises: NotFound; CannotRemoveLastOwner."""
    space = draft.space(space_id)
    if user_id not in space.owners:
        raise NotFound()
    if len(space.owners) == 1:
        raise CannotRemoveLastOwner("space", space_id)
    draft.put(evolve(space, owners=space.owners - {user_id}))


def forget_member(draft: Draft, kind: MemberKind, member_id: str) -> None:
    """Take a user or group that is about to be deleted out of everything."""
    circles: tuple[CircleKind, ...] = ("group", "space", "provider")
    for circle_kind in circles:
        for circle_id in sorted(draft.state.direct(kind, member_id, circle_kind)):
            circle = circle_of(draft, circle_kind, circle_id)
            _put(draft, circle, kind, without_member(direct_members(circle, kind), member_id))
    if kind == "user":
        for space in [space for space in draft.state.spaces.values() if member_id in space.owners]:
            current = draft.space(space.id)
            draft.put(evolve(current, owners=current.owners - {member_id}))


def _demand_no_cycle(draft: Draft, seat: Seat) -> None:
    if seat.circle_id == seat.member_id:
        raise CannotAddRelationToSelf()
    groups = draft.state.groups
    if would_close_a_cycle(seat.circle_id, seat.member_id, groups):
        raise Seat("group", seat.member_id, "group", seat.circle_id).already_exists()
    for nested in descendants(seat.member_id, groups):
        if nested in groups:
            draft.require(groups[nested])


def _put(draft: Draft, circle: Circle, kind: MemberKind, members: Members) -> None:
    draft.put(evolve(circle, users=members) if kind == "user" else evolve(circle, groups=members))
