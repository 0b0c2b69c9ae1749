"""The privileges of members in spaces, groups, clusters and the rest, and of administrators in the zone.

Each set contains the smaller ones; ``…_ADMIN`` is every privilege of the area. Owners of a space hold all of
``SPACE_ADMIN``. A member's effective privileges are the union over all ways in which they are a member.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Privileges = frozenset[str]


def _named(prefix: str, names: str) -> Privileges:
    return frozenset(f"{prefix}_{name}" for name in names.split())


SPACE_MEMBER = _named("space", "view read_data write_data view_transfers")

SPACE_MANAGER = SPACE_MEMBER | _named(
    "space",
    "view_privileges add_user remove_user add_group remove_group add_harvester remove_harvester"
    " register_files manage_shares view_views query_views view_statistics view_changes_stream"
    " schedule_replication view_qos manage_datasets view_archives create_archives manage_archives"
    " view_atm_workflow_executions schedule_atm_workflow_executions",
)

SPACE_ADMIN = SPACE_MANAGER | _named(
    "space",
    "update delete set_privileges manage_in_marketplace add_support remove_support manage_views"
    " cancel_replication schedule_eviction cancel_eviction manage_qos remove_archives recall_archives"
    " manage_atm_workflow_executions",
)

GROUP_MEMBER = _named("group", "view")

GROUP_MANAGER = GROUP_MEMBER | _named(
    "group",
    "view_privileges add_user remove_user add_parent leave_parent add_child remove_child add_harvester"
    " remove_harvester add_atm_inventory remove_atm_inventory",
)

GROUP_ADMIN = GROUP_MANAGER | _named(
    "group",
    "update delete set_privileges add_space leave_space add_cluster leave_cluster create_handle_service"
    " leave_handle_service create_handle leave_handle",
)

CLUSTER_MEMBER = _named("cluster", "view")
CLUSTER_MANAGER = CLUSTER_MEMBER | _named("cluster", "add_user remove_user add_group remove_group")
CLUSTER_ADMIN = CLUSTER_MANAGER | _named("cluster", "update delete view_privileges set_privileges")

HANDLE_SERVICE_MEMBER = _named("handle_service", "view register_handle list_handles")
HANDLE_SERVICE_ADMIN = HANDLE_SERVICE_MEMBER | _named("handle_service", "update delete manage_handles")

HANDLE_MEMBER = _named("handle", "view")
HANDLE_ADMIN = HANDLE_MEMBER | _named("handle", "update delete")

HARVESTER_MEMBER = _named("harvester", "view")
HARVESTER_MANAGER = HARVESTER_MEMBER | _named(
    "harvester", "add_user remove_user add_group remove_group add_space remove_space"
)
HARVESTER_ADMIN = HARVESTER_MANAGER | _named("harvester", "update delete view_privileges set_privileges")

ATM_INVENTORY_MEMBER = _named("atm_inventory", "view")
ATM_INVENTORY_MANAGER = ATM_INVENTORY_MEMBER | _named(
    "atm_inventory",
    "manage_lambdas manage_workflow_schemas add_user remove_user add_group remove_group",
)
ATM_INVENTORY_ADMIN = ATM_INVENTORY_MANAGER | _named(
    "atm_inventory", "update delete view_privileges set_privileges"
)

_ZONE_AREAS = (
    "users",
    "groups",
    "spaces",
    "providers",
    "handle_services",
    "handles",
    "harvesters",
    "clusters",
    "atm_inventories",
)

ZONE_VIEWER = frozenset[str]().union(
    *(_named(f"oz_{area}", "list view list_relationships") for area in _ZONE_AREAS),
    _named("oz_shares", "list view"),
)

ZONE_ADMIN = ZONE_VIEWER.union(
    _named("oz", "view_privileges set_privileges tokens_manage users_manage_passwords providers_invite"),
    *(
        _named(
            f"oz_{area}",
            "create update delete view_privileges set_privileges add_relationships remove_relationships",
        )
        for area in _ZONE_AREAS
    ),
)

ALL_PRIVILEGES: Mapping[str, Privileges] = MappingProxyType(
    {
        "space": SPACE_ADMIN,
        "group": GROUP_ADMIN,
        "cluster": CLUSTER_ADMIN,
        "handleService": HANDLE_SERVICE_ADMIN,
        "handle": HANDLE_ADMIN,
        "harvester": HARVESTER_ADMIN,
        "atmInventory": ATM_INVENTORY_ADMIN,
        "zone": ZONE_ADMIN,
    }
)
"""Area → every privilege there is; the areas are named as the types of Graph Sync resources."""
