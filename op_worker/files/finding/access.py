"""The gate of every space: who gets in, and which spaces a caller may know of."""

from __future__ import annotations

from attrs import evolve, field, frozen

from onedata.errors import Forbidden, NotFound, SpaceNotSupportedBy, Unauthorized
from onedata.ids import SpaceId, UserId
from op_worker.auth.caller import Caller
from op_worker.auth.limits import visible_names
from op_worker.files.finding.lookup import Lookup, space_owner_id
from op_worker.files.finding.visit import NO_PRIVILEGES, Visit, object_paths
from op_worker.files.rights.permissions import READ_DATA_PRIVILEGE, WRITE_DATA_PRIVILEGE, Subject
from op_worker.files.tallies import Tallies
from op_worker.storage.registry import Storages
from op_worker.zone.directory import Zone
from op_worker.zone.records import SpaceInfo, UserInfo

_ALL_DATA = frozenset({READ_DATA_PRIVILEGE, WRITE_DATA_PRIVILEGE})


@frozen(eq=False)
class Access:
    """The gate of every space."""

    zone: Zone
    storages: Storages
    lookup: Lookup
    tallies: Tallies = field(factory=Tallies)

    async def enter(self, caller: Caller, space_id: SpaceId) -> Visit:
        """Let a member of the space in.

        Raises: Unauthorized for guests; Forbidden to strangers; SpaceNotSupportedBy.
        """
        user_id = caller.user_id
        if user_id is None:
            raise Unauthorized()
        space = await self.zone.space(space_id)
        if space is None or not is_member(space, user_id):
            raise await self._refusal(user_id, space_id)
        support = self.storages.for_space(space_id)
        if support is None:
            raise self.not_supported(space_id)
        self.tallies.seen(space_id, user_id)
        subject = await self.subject(space, user_id)
        if caller.limits.readonly:
            subject = evolve(subject, is_readonly=True)
        return Visit(caller, user_id, space, support, subject, self.lookup)

    async def as_space_owner(self, space_id: SpaceId) -> Visit | None:
        """Enter a space as the virtual user who owns its root, to do what was asked for long before.

        ``None`` when the space is not known or not supported here now.
        """
        space, support = await self.zone.space(space_id), self.storages.for_space(space_id)
        if space is None or support is None:
            return None
        user_id = UserId(space_owner_id(space_id))
        subject = Subject(user_id, _ALL_DATA, is_space_owner=True)
        return Visit(Caller(user_id), user_id, space, support, subject, self.lookup)

    async def subject(self, space: SpaceInfo, user_id: UserId) -> Subject:
        """Return a user as permissions of a space see him; who is no member has no rights.

        Raises: Forbidden when the zone knows no such user; NoConnectionToOnezone when he is not known here.
        """
        if user_id == space_owner_id(space.space_id):
            return Subject(user_id, is_space_owner=True)
        try:
            groups = (await self.zone.user(user_id)).groups
        except NotFound:
            raise Forbidden() from None
        return Subject(
            user_id,
            space.user_privileges.get(user_id, NO_PRIVILEGES),
            is_space_owner=user_id in space.owners,
            is_member=is_member(space, user_id),
            groups=groups,
        )

    async def user(self, caller: Caller) -> UserInfo:
        """Return the caller as the zone knows him. Raises: Unauthorized; Forbidden."""
        if caller.user_id is None:
            raise Unauthorized()
        try:
            return await self.zone.user(caller.user_id)
        except NotFound:
            raise Forbidden() from None

    async def space_ids_of(self, caller: Caller) -> list[SpaceId]:
        """Return all spaces of a caller that the token shows, supported here or not."""
        user = await self.user(caller)
        if not caller.is_limited:
            return list(user.spaces)
        names = visible_names(caller.limits, "/", await object_paths(self.lookup, caller, None))
        return [space_id for space_id in user.spaces if names is None or space_id in names]

    async def spaces_of(self, caller: Caller) -> list[SpaceInfo]:
        """Return the spaces of ``known_spaces_of`` by name."""
        known = await self.known_spaces_of(caller)
        return sorted(known, key=lambda space: (space.name.encode("utf-8", "replace"), space.space_id))

    async def known_spaces_of(self, caller: Caller) -> list[SpaceInfo]:
        """Return the spaces of ``space_ids_of``, in no order.

        A space that we do not support and that the zone did not tell of before it went away is left out.
        """
        found = [await self.zone.space(space_id) for space_id in await self.space_ids_of(caller)]
        return [space for space in found if space is not None]

    async def space_of(self, caller: Caller, space_id: SpaceId) -> SpaceInfo:
        """Return a space of the caller that we support. Raises: Forbidden; SpaceNotSupportedBy."""
        if space_id not in await self.space_ids_of(caller):
            raise Forbidden()
        space = await self.zone.space(space_id)
        if space is None or not self.is_supported(space_id):
            raise self.not_supported(space_id)
        return space

    def is_supported(self, space_id: SpaceId) -> bool:
        """Whether we support a space: the zone says so, and there is a storage for it."""
        return space_id in self.zone.supported_spaces() and self.storages.for_space(space_id) is not None

    def not_supported(self, space_id: str) -> SpaceNotSupportedBy:
        """Return the refusal of a space that this provider does not support."""
        return SpaceNotSupportedBy(SpaceId(space_id), self.provider_id)

    @property
    def provider_id(self) -> str:
        """Our id, empty before registration."""
        return self.zone.provider_id or ""

    async def _refusal(self, user_id: UserId, space_id: SpaceId) -> Exception:
        try:
            user = await self.zone.user(user_id)
        except NotFound:
            return Forbidden()
        return self.not_supported(space_id) if space_id in user.spaces else Forbidden()


def is_member(space: SpaceInfo, user_id: UserId) -> bool:
    """Whether a user belongs to a space, directly or through groups."""
    return user_id in space.user_privileges or user_id in space.owners
