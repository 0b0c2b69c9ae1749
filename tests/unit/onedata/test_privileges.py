"""The sets of privileges nest and are named as published."""

from __future__ import annotations

import pytest

from onedata import privileges as p


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        (p.SPACE_MEMBER, p.SPACE_MANAGER),
        (p.SPACE_MANAGER, p.SPACE_ADMIN),
        (p.GROUP_MEMBER, p.GROUP_MANAGER),
        (p.GROUP_MANAGER, p.GROUP_ADMIN),
        (p.CLUSTER_MEMBER, p.CLUSTER_MANAGER),
        (p.CLUSTER_MANAGER, p.CLUSTER_ADMIN),
        (p.HARVESTER_MEMBER, p.HARVESTER_ADMIN),
        (p.ATM_INVENTORY_MEMBER, p.ATM_INVENTORY_ADMIN),
        (p.HANDLE_SERVICE_MEMBER, p.HANDLE_SERVICE_ADMIN),
        (p.HANDLE_MEMBER, p.HANDLE_ADMIN),
        (p.ZONE_VIEWER, p.ZONE_ADMIN),
    ],
)
def test_each_role_holds_all_of_the_smaller_one(smaller: frozenset[str], larger: frozenset[str]) -> None:
    assert smaller < larger


def test_member_of_a_space_reads_and_writes_data() -> None:
    assert p.SPACE_MEMBER == {"space_view", "space_read_data", "space_write_data", "space_view_transfers"}


def test_space_roles_have_the_published_sizes() -> None:
    assert (len(p.SPACE_MANAGER), len(p.SPACE_ADMIN)) == (25, 39)


def test_zone_administrators_hold_the_special_privileges() -> None:
    special = {"oz_tokens_manage", "oz_providers_invite", "oz_set_privileges", "oz_users_manage_passwords"}
    assert special <= p.ZONE_ADMIN
    assert not special & p.ZONE_VIEWER
    assert {"oz_shares_list", "oz_spaces_list_relationships"} <= p.ZONE_VIEWER


def test_areas_share_no_privilege_with_each_other() -> None:
    everything = [privilege for area in p.ALL_PRIVILEGES.values() for privilege in area]
    assert len(everything) == len(set(everything))
