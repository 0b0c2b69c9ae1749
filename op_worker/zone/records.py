"""What a provider knows about users and spaces."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from onedata.ids import GroupId, ProviderId, SpaceId, UserId


@frozen(kw_only=True)
class UserInfo:
    """A user as the zone tells him to a provider. ``spaces`` and ``groups`` are effective ones."""

    user_id: UserId
    full_name: str
    username: str | None = None
    spaces: tuple[SpaceId, ...] = ()
    groups: frozenset[GroupId] = frozenset()
    blocked: bool = False


@frozen(kw_only=True)
class SpaceInfo:
    """A space as the zone tells it to a provider.

    ``supports`` maps each supporting provider to the size it grants, in bytes; ``user_privileges`` are
    the effective privileges of every effective member, ``groups`` its effective groups with their names,
    empty where the zone tells none. Owners, members and groups are told to supporting providers only; of
    other spaces, ``UserInfo.spaces`` says who is in them.
    """

    space_id: SpaceId
    name: str
    supports: Mapping[ProviderId, int] = field(factory=dict)
    provider_names: Mapping[ProviderId, str] = field(factory=dict)
    owners: frozenset[UserId] = frozenset()
    user_privileges: Mapping[UserId, frozenset[str]] = field(factory=dict)
    groups: Mapping[GroupId, str] = field(factory=dict)
