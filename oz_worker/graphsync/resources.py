"""What a provider may read of the zone over Graph Sync, and what changes concern it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Set
from typing import Any, Final

from cluster_worker.persistence.engine import Key
from onedata.errors import Forbidden, NotFound, NotSubscribable
from onedata.graphsync import Gri
from oz_worker.records import Provider, Space, User
from oz_worker.state import ZoneState

Resource = dict[str, Any]


def read_resource(state: ZoneState, gri: Gri, provider_id: str, shown_users: Collection[str]) -> Resource:
    """Return a resource as the provider may see it, without ``gri`` and ``revision``.

    Args:
        shown_users: users of whom the provider has shown a valid token.

    Raises: NotFound; Forbidden; NotSubscribable when there is no such kind of resource.
    """
    provider = state.providers.get(provider_id)
    if provider is None:
        raise Forbidden()
    reader = _READERS.get(_kind(gri))
    if reader is None or gri.aspect_id is not None or gri.id is None:
        raise NotSubscribable()
    return reader(state, provider, gri.id, shown_users)


def may_concern(gri: Gri, kinds: Collection[str], keys: Collection[Key]) -> bool:
    """Whether changes of records can change the resource.

    Args:
        kinds: of the changed records. keys: of their documents.
    """
    general = _DEPENDS_ON.get(_kind(gri), frozenset())
    return not general.isdisjoint(kinds) or f"{gri.type}:{gri.id}" in keys


def _kind(gri: Gri) -> tuple[str, str]:
    """Return what the tables below know the resource as; most look the same in every scope."""
    scoped = (gri.type, f"{gri.aspect}:{gri.scope}")
    return scoped if scoped in _READERS else (gri.type, gri.aspect)


def _provider(state: ZoneState, asker: Provider, entity_id: str, _: Collection[str]) -> Resource:
    provider = state.providers.get(entity_id)
    if provider is None:
        raise NotFound()
    view: Resource = {"name": provider.name, "domain": provider.domain}
    if provider.id == asker.id:
        view["adminEmail"] = provider.admin_email
        view["version"] = provider.version
        view["effectiveSpaces"] = sorted(state.supported_by(provider.id))
        view["effectiveUsers"] = sorted(state.users_of_provider(provider))
        view["effectiveGroups"] = sorted(state.groups_of_provider(provider))
    return view


def _space(state: ZoneState, asker: Provider, entity_id: str, _: Collection[str]) -> Resource:
    space = state.spaces.get(entity_id)
    if space is None:
        raise NotFound()
    if asker.id not in space.supports:
        raise Forbidden()
    members = state.members(space)
    return {
        **_outline(state, space),
        "owners": sorted(space.owners),
        "effectiveUsers": {user_id: sorted(held) for user_id, held in sorted(members.users.items())},
        "effectiveGroups": {group_id: sorted(held) for group_id, held in sorted(members.groups.items())},
        "groupNames": {
            group_id: state.groups[group_id].name
            for group_id in sorted(members.groups)
            if group_id in state.groups
        },
    }


def _space_of_users(state: ZoneState, asker: Provider, entity_id: str, shown: Collection[str]) -> Resource:
    space = state.spaces.get(entity_id)
    if space is None:
        raise NotFound()
    members = state.members(space).users.keys()
    if (
        asker.id not in space.supports
        and members.isdisjoint(shown)
        and not _are_among_users_of(state, asker, members)
    ):
        raise Forbidden()
    return _outline(state, space)


def _outline(state: ZoneState, space: Space) -> Resource:
    """Return what may be told of a space without telling who is in it."""
    supporters = _supporters(state, space)
    return {
        "name": space.name,
        "providers": {provider_id: space.supports[provider_id].size_b for provider_id in supporters},
        "providerNames": {provider.id: provider.name for provider in supporters.values()},
        "providerDomains": {provider.id: provider.domain for provider in supporters.values()},
    }


def _user(state: ZoneState, asker: Provider, entity_id: str, shown: Collection[str]) -> Resource:
    user = state.users.get(entity_id)
    if user is None:
        raise NotFound()
    if entity_id not in shown and not _is_user_of(state, asker, user):
        raise Forbidden()
    return {
        "fullName": user.full_name,
        "username": user.username,
        "blocked": user.blocked,
        "effectiveSpaces": sorted(state.effective("user", user.id, "space")),
        "effectiveGroups": sorted(state.groups_of_user(user.id)),
    }


def _token_events(state: ZoneState, asker: Provider, entity_id: str, _: Collection[str]) -> Resource:
    if entity_id != asker.id:
        raise Forbidden()
    users = [state.users[u] for u in sorted(state.users_of_provider(asker)) if u in state.users]
    revoked = {token_id for user in users for token_id in user.ended_tokens}
    for user in users:
        revoked |= {token.id for token in state.tokens_of("user", user.id) if token.revoked}
    return {
        "revokedTokens": sorted(revoked),
        "temporaryGenerations": {
            user.id: user.temporary.generation for user in users if user.temporary.generation > 1
        },
    }


def _supporters(state: ZoneState, space: Space) -> Mapping[str, Provider]:
    return {
        provider_id: state.providers[provider_id]
        for provider_id in sorted(space.supports)
        if provider_id in state.providers
    }


def _is_user_of(state: ZoneState, provider: Provider, user: User) -> bool:
    supported = state.supported_by(provider.id)
    if not supported.isdisjoint(state.effective("user", user.id, "space")):
        return True
    return user.id in state.members(provider).users


def _are_among_users_of(state: ZoneState, provider: Provider, users: Set[str]) -> bool:
    """Whether any of ``users`` is an effective user of the provider."""
    supported = state.supported_by(provider.id)
    circles: list[Provider | Space] = [provider, *(state.spaces[space_id] for space_id in supported)]
    return any(not users.isdisjoint(state.members(circle).users.keys()) for circle in circles)


_Reader = Callable[[ZoneState, Provider, str, Collection[str]], Resource]
_READERS: Final[Mapping[tuple[str, str], _Reader]] = {
    ("provider", "instance"): _provider,
    ("provider", "token_events"): _token_events,
    ("space", "instance"): _space,
    ("space", "instance:protected"): _space_of_users,
    ("user", "instance"): _user,
}
_DEPENDS_ON: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("provider", "instance"): frozenset({"space", "group"}),
    ("provider", "token_events"): frozenset({"space", "group", "user", "token"}),
    ("space", "instance"): frozenset({"group", "provider"}),
    ("space", "instance:protected"): frozenset({"space", "group", "provider"}),
    ("user", "instance"): frozenset({"space", "group"}),
}
