"""Members of a domain: the users and groups of a space, and what they may do in it. Pure."""

from __future__ import annotations

from attrs import frozen

from onedata.ids import GroupId, UserId
from onedata.privileges import SPACE_ADMIN
from op_worker.zone.records import SpaceInfo, UserInfo

ADMINISTRATOR = "administrator"
BACKUP_OPERATOR = "backup_operator"


@frozen(kw_only=True)
class Member:
    """A user or a group of a space.

    Attributes:
        principal: the id, which access control lists know.
        privileges: those of the standard; ``None`` when the reader may not know, or the zone tells none.
        groups: those of the space that a user is in.
    """

    principal: str
    name: str
    is_group: bool = False
    is_enabled: bool = True
    privileges: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()


def principals_of(space: SpaceInfo) -> list[str]:
    """Return the ids of all members, users and groups, in order."""
    return sorted({*space.user_privileges, *space.owners, *space.groups})


def group_member(space: SpaceInfo, group_id: GroupId) -> Member:
    """Return a group of a space; what it may do is told of its users alone."""
    return Member(principal=group_id, name=space.groups[group_id] or group_id, is_group=True)


def user_member(
    space: SpaceInfo, user_id: UserId, user: UserInfo | None, *, shows_privileges: bool
) -> Member:
    """Return a user of a space.

    Args:
        user: ``None`` when the zone does not tell who he is.
    """
    groups = () if user is None else sorted(user.groups & space.groups.keys())
    return Member(
        principal=user_id,
        name=user_id if user is None else user.full_name,
        is_enabled=user is None or not user.blocked,
        privileges=_standard_privileges(space, user_id) if shows_privileges else None,
        groups=tuple(groups),
    )


def _standard_privileges(space: SpaceInfo, user_id: UserId) -> tuple[str, ...]:
    """Return what a user may do, in the words of the standard.

    Owners of a space are bound by no permissions, which is what a backup operator needs. Nobody can make an
    object of another domain than that of its place, so nobody is ``cross_domain``.
    """
    if user_id in space.owners:
        return (ADMINISTRATOR, BACKUP_OPERATOR)
    held = space.user_privileges.get(user_id, frozenset())
    return (ADMINISTRATOR,) if held >= SPACE_ADMIN else ()
