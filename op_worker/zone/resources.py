"""Resources of the Onezone channel as JSON objects, into the records of this provider. Pure.

Unknown fields are ignored. A resource that lacks what we cannot do without is refused whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from attrs import frozen

from onedata.gri import Scope
from onedata.ids import GroupId, ProviderId, SpaceId, TokenId, UserId
from op_worker.zone.records import SpaceInfo, UserInfo

T = TypeVar("T")
Resource = Mapping[str, object]


class MalformedResourceError(ValueError):
    """The zone sent something that this version does not understand."""


@frozen(kw_only=True)
class ProviderInfo:
    """This provider as the zone sees it; ``spaces`` are those it supports."""

    name: str
    domain: str
    spaces: tuple[SpaceId, ...]


@frozen(kw_only=True)
class TokenEvents:
    """Why tokens ended before their time.

    ``revoked`` are ids of named tokens; temporary tokens of a subject (by its id) with a generation below
    ``generations`` are revoked too.
    """

    revoked: frozenset[TokenId] = frozenset()
    generations: Mapping[str, int] = {}


def provider_from(resource: Resource) -> ProviderInfo:
    """Read a ``provider.<id>.instance`` resource."""
    return ProviderInfo(
        name=_text(resource, "name"),
        domain=_text(resource, "domain"),
        spaces=tuple(sorted(SpaceId(each) for each in _names(resource, "effectiveSpaces"))),
    )


def space_from(space_id: SpaceId, resource: Resource) -> SpaceInfo:
    """Read a ``space.<id>.instance`` resource."""
    group_names = _table(resource, "groupNames", str)
    return SpaceInfo(
        space_id=space_id,
        name=_text(resource, "name"),
        owners=frozenset(UserId(each) for each in _names(resource, "owners")),
        supports={ProviderId(key): size for key, size in _table(resource, "providers", int).items()},
        provider_names={
            ProviderId(key): name for key, name in _table(resource, "providerNames", str).items()
        },
        user_privileges={
            UserId(key): frozenset(str(each) for each in privileges)
            for key, privileges in _table(resource, "effectiveUsers", list).items()
        },
        groups={GroupId(key): group_names.get(key, "") for key in _table(resource, "effectiveGroups", list)},
    )


def is_outline(resource: Resource) -> bool:
    """Whether a ``space.<id>.instance`` resource is without members: shown to us for our users' sake."""
    gri = resource.get("gri")
    return isinstance(gri, str) and gri.endswith(f":{Scope.PROTECTED}")


def is_older(resource: Resource, other: Resource) -> bool:
    """Whether a resource is surely older than another state of it, or the same with less shown."""
    revision, others = resource.get("revision"), other.get("revision")
    if not isinstance(revision, int) or not isinstance(others, int):
        return False
    return revision < others or (revision == others and is_outline(resource) and not is_outline(other))


def user_from(user_id: UserId, resource: Resource) -> UserInfo:
    """Read a ``user.<id>.instance`` resource."""
    username = resource.get("username")
    return UserInfo(
        user_id=user_id,
        full_name=_text(resource, "fullName"),
        username=username if isinstance(username, str) else None,
        spaces=tuple(SpaceId(each) for each in _names(resource, "effectiveSpaces")),
        groups=frozenset(GroupId(each) for each in _names(resource, "effectiveGroups")),
        blocked=resource.get("blocked") is True,
    )


def token_events_from(resource: Resource) -> TokenEvents:
    """Read a ``provider.<id>.token_events`` resource."""
    return TokenEvents(
        revoked=frozenset(TokenId(each) for each in _names(resource, "revokedTokens")),
        generations=_table(resource, "temporaryGenerations", int),
    )


def _text(resource: Resource, key: str) -> str:
    value = resource.get(key)
    if not isinstance(value, str):
        raise MalformedResourceError(f"{key} is not a text")
    return value


def _names(resource: Resource, key: str) -> Iterable[str]:
    """A list of ids, or the keys of an object; nothing when it is absent."""
    value = resource.get(key) or ()
    if not isinstance(value, (list, tuple, Mapping)) or not all(isinstance(each, str) for each in value):
        raise MalformedResourceError(f"{key} is not a list of ids")
    return value


def _table(resource: Resource, key: str, kind: type[T]) -> dict[str, T]:
    value = resource.get(key) or {}
    if not isinstance(value, Mapping) or not all(isinstance(each, kind) for each in value.values()):
        raise MalformedResourceError(f"{key} is not an object of {kind.__name__}")
    return dict(value)
