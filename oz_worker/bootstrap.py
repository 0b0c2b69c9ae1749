"""What a zone has from its first start on: the group of administrators and, outside tests, one of them."""

from __future__ import annotations

from typing import Final

from onedata.privileges import GROUP_ADMIN, ZONE_ADMIN
from oz_worker.circles import Seat, add_member
from oz_worker.draft import Draft
from oz_worker.fresh import Fresh
from oz_worker.groups import create_group
from oz_worker.records import Group, User
from oz_worker.users import create_user

ADMINS: Final = "admins"
ADMIN_NAME: Final = "admin"


def ensure_admin_group(draft: Draft, fresh: Fresh) -> None:
    """Make the group whose members hold every zone privilege, unless it is there."""
    if not draft.exists("group", ADMINS):
        group = Group(
            id=ADMINS,
            created_s=fresh.now_s(),
            name="Admins",
            type="role_holders",
            protected=True,
            privileges=ZONE_ADMIN,
        )
        create_group(draft, group)


def needs_admin(draft: Draft) -> bool:
    """Whether nobody was ever made an administrator here."""
    return draft.state.user_named(ADMIN_NAME) is None and not draft.group(ADMINS).users


def ensure_admin(draft: Draft, fresh: Fresh, password_hash: str) -> None:
    """Make the user ``admin`` in the group of administrators, unless there is one."""
    if not needs_admin(draft):
        return
    admin = User(
        id=fresh.id(),
        created_s=fresh.now_s(),
        temporary=fresh.temporary_secret(),
        username=ADMIN_NAME,
        full_name="Administrator",
        password_hash=password_hash,
        basic_auth_enabled=True,
    )
    create_user(draft, admin)
    add_member(draft, Seat("group", ADMINS, "user", admin.id), GROUP_ADMIN)
