"""Users, groups, providers, spaces and supports of a description, made through REST calls.

The zone's calls are those that exist in ``dev_mode`` only, because ids equal the names in the
description; the provider's are its ordinary administration door.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bamboos.environment.description import Description, Instance, Setup, Space, Storage
from bamboos.environment.rest import Rest
from bamboos.environment.validation import storages_of

PASSWORD = "password"
"""The password of every user of an environment."""

API = "/api/v3/onezone"
PANEL = "/api/v3/onepanel"


@dataclass(frozen=True)
class ProviderDoors:
    """A running provider: its administration door, its public domain, its storages' folders."""

    panel: Rest
    domain: str
    folders: Mapping[str, str]


def storage_id(provider: str, storage: str) -> str:
    """The id of a storage, derived from its name so that it is the same in every run."""
    return f"{provider}_{''.join(c if c.isalnum() else '_' for c in storage.strip('/'))}"


def register_storages(description: Description, provider: Instance, doors: ProviderDoors) -> None:
    """Add every storage of the provider's operating system configuration."""
    for storage in storages_of(description, provider):
        parameters = _storage_parameters(storage, doors)
        body = {storage.name: {**parameters, "id": storage_id(provider.name, storage.name)}}
        doors.panel.request("POST", f"{PANEL}/provider/storages", body)


def _storage_parameters(storage: Storage, doors: ProviderDoors) -> Mapping[str, object]:
    if storage.type == "posix":
        return {"type": "posix", "mountPoint": doors.folders[storage.name], "storagePathType": "canonical"}
    return {"type": storage.type, "storagePathType": "canonical", **storage.options}


def set_up_zone(zone: Rest, setup: Setup) -> None:
    """Make users, groups (children before parents) and spaces."""
    for user in setup.users:
        account = {"userId": user, "username": user, "fullName": user, "password": PASSWORD}
        zone.request("POST", f"{API}/dev/users", account)
    for group in _children_first(setup):
        zone.request("POST", f"{API}/dev/groups", group)
    for space in setup.spaces:
        body = {
            "spaceId": space.name,
            "name": space.displayed_name,
            "creatorId": _creator(setup, space),
            "users": list(space.users),
            "groups": list(space.groups),
        }
        zone.request("POST", f"{API}/dev/spaces", body)
    for user, space_name in setup.users.items():
        if space_name is not None:
            zone.request("POST", f"{API}/dev/users/{user}/space_admin", {"spaceId": space_name})


def _children_first(setup: Setup) -> Sequence[Mapping[str, object]]:
    waiting = {group.name: group for group in setup.groups}
    ordered = []
    while waiting:
        ready = [g for g in waiting.values() if not set(g.groups) & set(waiting)] or [*waiting.values()]
        for group in ready:
            del waiting[group.name]
            ordered.append(
                {
                    "groupId": group.name,
                    "name": group.name,
                    "creatorId": group.users[0],
                    "users": list(group.users),
                    "groups": list(group.groups),
                }
            )
    return ordered


def _creator(setup: Setup, space: Space) -> str:
    """The first member of the first group, or the first user, as the original does."""
    for name in space.groups:
        return next(group for group in setup.groups if group.name == name).users[0]
    return space.users[0]


def register_provider(zone: Rest, setup: Setup, provider: Instance, doors: ProviderDoors) -> None:
    """Register a provider under its instance name, on behalf of its creator or the first user."""
    creator = setup.provider_creators.get(provider.name) or min(setup.users)
    token = zone.as_user(creator, PASSWORD).request(
        "POST",
        f"{API}/user/tokens/named",
        {
            "name": f"registration of {provider.name}",
            "type": {"inviteToken": {"inviteType": "registerOneprovider", "adminUserId": creator}},
        },
    )
    doors.panel.request(
        "POST",
        f"{PANEL}/provider",
        {
            "token": token.json()["token"],
            "name": provider.name,
            "adminEmail": f"{provider.name}@onedata.org",
            "domain": doors.domain,
            "devId": provider.name,
        },
    )


def support_spaces(zone: Rest, setup: Setup, providers: Mapping[str, ProviderDoors]) -> None:
    """Give every space the support that the description promises."""
    for space in setup.spaces:
        for provider, (storage, size_b) in space.supports.items():
            owner = zone.as_user(_creator(setup, space), PASSWORD)
            token = owner.request("POST", f"{API}/spaces/{space.name}/providers/token").json()["token"]
            body = {"token": token, "size": size_b, "storageId": storage_id(provider, storage)}
            providers[provider].panel.request("POST", f"{PANEL}/provider/spaces", body)


def access_token(zone: Rest, user: str, name: str) -> str:
    """A new named access token of a user."""
    answer = zone.as_user(user, PASSWORD).request("POST", f"{API}/user/tokens/named", {"name": name})
    return str(answer.json()["token"])
