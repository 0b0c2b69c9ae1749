"""What users see of the records: the JSON objects of the REST interface. Pure."""

from __future__ import annotations

from oz_worker.records import Group, Members, NamedToken, Provider, Space, User


def user_view(user: User) -> dict[str, object]:
    """A user as seen by himself and by administrators."""
    return {
        **shared_user_view(user),
        "emails": list(user.emails),
        "emailList": list(user.emails),
        "linkedAccounts": [],
        "basicAuthEnabled": user.basic_auth_enabled,
        "blocked": user.blocked,
    }


def shared_user_view(user: User) -> dict[str, object]:
    """A user as seen by others who share a space or a group with him."""
    return {
        "userId": user.id,
        "fullName": user.full_name,
        "username": user.username,
        "creationTime": user.created_s,
        "name": user.full_name,
        "login": user.username,
        "alias": user.username,
    }


def group_view(group: Group) -> dict[str, object]:
    """A group as seen by its members."""
    return {**shared_group_view(group), "creator": group.creator.to_json()}


def shared_group_view(group: Group) -> dict[str, object]:
    """A group as seen by others who share something with it."""
    return {
        "groupId": group.id,
        "name": group.name,
        "type": group.type,
        "creationTime": group.created_s,
    }


def space_view(space: Space) -> dict[str, object]:
    """A space as seen by its members and its providers."""
    return {
        "spaceId": space.id,
        "name": space.name,
        "description": space.description,
        "organizationName": space.organization_name,
        "tags": list(space.tags),
        "advertisedInMarketplace": space.advertised,
        "marketplaceContactEmail": space.marketplace_contact,
        "providers": {provider_id: support.size_b for provider_id, support in space.supports.items()},
        "supportParametersRegistry": {
            provider_id: {
                "accountingEnabled": False,
                "dirStatsServiceEnabled": False,
                "dirStatsServiceStatus": "disabled",
            }
            for provider_id in space.supports
        },
        "creator": space.creator.to_json(),
        "creationTime": space.created_s,
    }


def provider_view(provider: Provider, *, online: bool) -> dict[str, object]:
    """A provider as seen by those who may know of it."""
    return {
        "providerId": provider.id,
        "clusterId": provider.id,
        "name": provider.name,
        "domain": provider.domain,
        "latitude": provider.latitude,
        "longitude": provider.longitude,
        "online": online,
        "creationTime": provider.created_s,
    }


def domain_config_view(provider: Provider) -> dict[str, object]:
    """How the domain of a provider comes about."""
    return {
        "domain": provider.domain,
        "subdomainDelegation": provider.subdomain is not None,
        "subdomain": provider.subdomain,
        "ipList": list(provider.ips),
    }


def cluster_view(provider: Provider) -> dict[str, object]:
    """The cluster that a provider forms."""
    return {
        "clusterId": provider.id,
        "type": "oneprovider",
        "workerVersion": _version(dict(provider.worker_version)),
        "onepanelVersion": _version(dict(provider.panel_version)),
        "onepanelProxy": provider.panel_proxy,
        "creator": provider.creator.to_json(),
        "creationTime": provider.created_s,
    }


def privileges_view(members: Members, member_id: str) -> dict[str, object]:
    """The privileges of one member."""
    return {"privileges": sorted(members[member_id])}


def token_metadata_view(token: NamedToken) -> dict[str, object]:
    """The part of a named token that is not in the token itself."""
    common: dict[str, object] = {"creationTime": token.created_s, "custom": token.custom}
    if not token.is_invite:
        return common
    return {
        **common,
        "privileges": None if token.privileges is None else sorted(token.privileges),
        "usageLimit": "infinity" if token.usage_limit is None else token.usage_limit,
        "usageCount": token.usage_count,
    }


def _version(known: dict[str, str]) -> dict[str, str]:
    return {"release": "unknown", "build": "unknown", "gui": "unknown", **known}
