"""Groups: making, changing and deleting them. Pure; functions change a draft and ask for no permission."""

from __future__ import annotations

from collections.abc import Collection

from attrs import evolve

from onedata.errors import AlreadyExists, ProtectedGroup
from oz_worker.circles import forget_member
from oz_worker.draft import Draft
from oz_worker.records import Changes, Group


def create_group(draft: Draft, group: Group) -> None:
    """Add a group. Raises: AlreadyExists for a taken id."""
    if draft.exists("group", group.id):
        raise AlreadyExists()
    draft.put(group)


def update_group(draft: Draft, group_id: str, changes: Changes) -> None:
    """Change attributes of a group, named as in ``records.Group``. Raises: NotFound."""
    draft.put(evolve(draft.group(group_id), **changes))


def change_zone_privileges(
    draft: Draft, group_id: str, grant: Collection[str], revoke: Collection[str]
) -> None:
    """Grant, then revoke, zone privileges of a group. Raises: NotFound."""
    group = draft.group(group_id)
    draft.put(evolve(group, privileges=(group.privileges | frozenset(grant)) - frozenset(revoke)))


def delete_group(draft: Draft, group_id: str) -> None:
    """Remove a group from everything it is a member of. Raises: NotFound; ProtectedGroup."""
    group = draft.group(group_id)
    if group.protected:
        raise ProtectedGroup()
    forget_member(draft, "group", group_id)
    draft.delete(group)
