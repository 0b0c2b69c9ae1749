"""The view of the zone that the rest of a provider works with, and one that needs no zone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from onedata.errors import NotFound
from onedata.ids import ProviderId, SpaceId, UserId
from op_worker.zone.records import SpaceInfo, UserInfo


class Zone(Protocol):
    """Users and spaces as this provider knows them; works on what is known while the zone is away."""

    @property
    def provider_id(self) -> ProviderId | None:
        """Our id; ``None`` before registration."""

    @property
    def provider_name(self) -> str | None:
        """Our name in the zone; ``None`` before registration."""

    @property
    def provider_domain(self) -> str | None:
        """Our domain name; ``None`` before registration."""

    @property
    def zone_domain(self) -> str | None:
        """The zone's domain name; ``None`` before registration and without a zone."""

    async def user(self, user_id: UserId) -> UserInfo:
        """Return a user.

        Raises: onedata.errors.NotFound; NoConnectionToOnezone when he is unknown here and the zone is away.
        """

    async def space(self, space_id: SpaceId) -> SpaceInfo | None:
        """Return a space; ``None`` when there is none, or none that this provider may see.

        A space that we do not support is shown, without its members, when a user of ours is in it. ``None``
        also stands for such a space that was not told of before the zone went away.

        Raises: onedata.errors.NoConnectionToOnezone when we support it and nothing is known of it yet.
        """

    def supported_spaces(self) -> Collection[SpaceId]:
        """Return the spaces that this provider supports."""


class StaticZone:
    """A fixed set of users and spaces: for a provider without a zone, and for tests."""

    def __init__(
        self,
        users: Iterable[UserInfo] = (),
        spaces: Iterable[SpaceInfo] = (),
        *,
        provider_id: ProviderId | None = None,
        provider_name: str | None = None,
        provider_domain: str | None = None,
        zone_domain: str | None = None,
    ) -> None:
        self._users = {user.user_id: user for user in users}
        self._spaces = {space.space_id: space for space in spaces}
        self.provider_id = provider_id
        self.provider_name = provider_name
        self.provider_domain = provider_domain
        self.zone_domain = zone_domain

    def put_user(self, user: UserInfo) -> None:
        """Add or replace a user."""
        self._users[user.user_id] = user

    def put_space(self, space: SpaceInfo) -> None:
        """Add or replace a space."""
        self._spaces[space.space_id] = space

    async def user(self, user_id: UserId) -> UserInfo:
        found = self._users.get(user_id)
        if found is None:
            raise NotFound
        return found

    async def space(self, space_id: SpaceId) -> SpaceInfo | None:
        return self._spaces.get(space_id)

    def supported_spaces(self) -> Collection[SpaceId]:
        return [
            space.space_id
            for space in self._spaces.values()
            if self.provider_id is None or self.provider_id in space.supports
        ]
