"""Members of domains, made of what a zone tells of a space."""

from __future__ import annotations

from onedata.ids import GroupId, SpaceId, UserId
from onedata.privileges import SPACE_ADMIN, SPACE_MANAGER, SPACE_MEMBER
from op_worker.domains.members import group_member, principals_of, user_member
from op_worker.zone.records import SpaceInfo, UserInfo

A, B, C, G, H = UserId("a"), UserId("b"), UserId("c"), GroupId("g"), GroupId("h")
SPACE = SpaceInfo(
    space_id=SpaceId("s"),
    name="Space",
    owners=frozenset({A}),
    user_privileges={A: SPACE_MEMBER, B: SPACE_ADMIN, C: SPACE_MANAGER},
    groups={G: "Group", H: ""},
)


def test_users_and_groups_are_members_in_order() -> None:
    assert principals_of(SPACE) == ["a", "b", "c", "g", "h"]


def test_owners_pass_permissions_and_full_privileges_make_administrators() -> None:
    shown = [user_member(SPACE, user, None, shows_privileges=True).privileges for user in (A, B, C)]
    assert shown == [("administrator", "backup_operator"), ("administrator",), ()]
    assert user_member(SPACE, A, None, shows_privileges=False).privileges is None


def test_only_groups_of_the_space_are_told_of_a_user() -> None:
    user = UserInfo(user_id=B, full_name="Bea", groups=frozenset({G, GroupId("elsewhere")}), blocked=True)
    member = user_member(SPACE, B, user, shows_privileges=False)
    assert (member.name, member.principal, member.groups, member.is_enabled) == ("Bea", "b", ("g",), False)


def test_who_is_not_told_of_is_called_by_his_id() -> None:
    assert user_member(SPACE, C, None, shows_privileges=False).name == "c"
    assert [group_member(SPACE, group).name for group in (G, H)] == ["Group", "h"]
    assert group_member(SPACE, G).privileges is None
