"""What is wrong with a description, all of it, before anything is started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bamboos.environment.description import Description, Instance, Setup, Space, Storage

DB_DRIVERS = ("couchdb", "couchbase", "redis")
STORAGE_TYPES = ("posix", "nulldevice")
"""Storage types that need no server of their own; the others come with containers."""

MINIMUM_SUPPORT_B = 1_000_000


def problems(description: Description) -> Sequence[str]:
    """Every problem of the description, each naming its place; empty when it can be raised."""
    return [
        *_storage_problems(description),
        *(p for zone in description.zones for p in _instance_problems("zone_domains", zone)),
        *(p for provider in description.providers for p in _provider_problems(description, provider)),
        *(p for cluster in description.clusters for p in _instance_problems("cluster_domains", cluster)),
        *(_setup_problems(description, description.setup) if description.setup else ()),
    ]


def _storage_problems(description: Description) -> Iterator[str]:
    for name, storages in description.storages.items():
        for storage in storages:
            if storage.type not in STORAGE_TYPES:
                yield (
                    f"os_configs/{name}: storage {storage.name!r} has type {storage.type!r}; "
                    f"processes can offer {', '.join(STORAGE_TYPES)}"
                )


def _instance_problems(kind: str, instance: Instance) -> Iterator[str]:
    place = f"{kind}/{instance.name}"
    if instance.db_driver not in DB_DRIVERS:
        yield f"{place}: db_driver {instance.db_driver!r} is none of {', '.join(DB_DRIVERS)}"
    if not instance.workers:
        yield f"{place}: has no worker"
    for manager in instance.manager_names():
        if manager not in instance.managers:
            yield f"{place}: cm_nodes names {manager!r}, which is not in its cluster_manager"
    if not instance.managers:
        yield f"{place}: has no cluster_manager"
    for name, variables in instance.managers.items():
        wanted = variables.get("worker_num")
        if wanted != len(instance.workers):
            yield f"{place}/{name}: worker_num is {wanted!r}, but there are {len(instance.workers)} workers"


def _provider_problems(description: Description, provider: Instance) -> Iterator[str]:
    place = f"provider_domains/{provider.name}"
    yield from _instance_problems("provider_domains", provider)
    if provider.os_config is not None and provider.os_config not in description.storages:
        yield f"{place}: os_config {provider.os_config!r} is not among os_configs"
    if provider.zone is not None and provider.zone not in {zone.name for zone in description.zones}:
        yield f"{place}: oz_domain {provider.zone!r} is not among zone_domains"


def storages_of(description: Description, provider: Instance) -> Sequence[Storage]:
    """The storages that a provider's operating system configuration offers."""
    return description.storages.get(provider.os_config or "", ())


def _setup_problems(description: Description, setup: Setup) -> Iterator[str]:
    groups = {group.name for group in setup.groups}
    spaces = {space.name for space in setup.spaces}
    providers = {provider.name: provider for provider in description.providers}
    for user, space in setup.users.items():
        if space is not None and space not in spaces:
            yield f"global_setup/users/{user}: default_space {space!r} does not exist"
    for group in setup.groups:
        place = f"global_setup/groups/{group.name}"
        yield from _unknown(place, "user", group.users, set(setup.users))
        yield from _unknown(place, "group", group.groups, groups)
        if not group.users:
            yield f"{place}: has no user who could create it"
    for space_setup in setup.spaces:
        yield from _space_problems(description, setup, space_setup, groups, providers)
    for provider, creator in setup.provider_creators.items():
        place = f"global_setup/providers/{provider}"
        yield from _unknown(place, "provider", [provider], set(providers))
        yield from _unknown(place, "user", [creator], set(setup.users))


def _space_problems(
    description: Description,
    setup: Setup,
    space: Space,
    groups: set[str],
    providers: dict[str, Instance],
) -> Iterator[str]:
    place = f"global_setup/spaces/{space.name}"
    yield from _unknown(place, "user", space.users, set(setup.users))
    yield from _unknown(place, "group", space.groups, groups)
    yield from _unknown(place, "provider", list(space.supports), set(providers))
    if not space.users and not space.groups:
        yield f"{place}: has no member who could create it"
    for provider, (storage, size_b) in space.supports.items():
        if provider in providers:
            offered = [entry.name for entry in storages_of(description, providers[provider])]
            if storage not in offered:
                yield f"{place}: storage {storage!r} is not in the os_config of {provider!r} ({offered})"
        if size_b < MINIMUM_SUPPORT_B:
            yield f"{place}: supported_size {size_b} of {provider!r} is below {MINIMUM_SUPPORT_B}"


def _unknown(place: str, kind: str, names: Sequence[str], known: set[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{place}: {kind} {name!r} does not exist"
