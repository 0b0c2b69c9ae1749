"""What an administrator does with a provider: register it, add storages, support spaces."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from attrs import field, frozen

from onedata.errors import (
    AlreadyExists,
    BadData,
    BadValueIdNotFound,
    BadValueToken,
    NotAnInviteToken,
    OnedataError,
    StorageInUse,
    UnregisteredOneprovider,
)
from onedata.ids import SpaceId, StorageId
from onedata.tokens.token import Token
from onedata.tokens.types import InviteToken, InviteType
from op_worker.storage.registry import Storages
from op_worker.zone.registering import RegistrationRequest
from op_worker.zone.registration import Registration


@frozen(kw_only=True)
class SupportRequest:
    """A support token to be used for a storage; ``size_b`` is the size granted, in bytes."""

    token: str = field(repr=False)
    size_b: int
    storage_id: StorageId


class AdministeredZone(Protocol):
    """What of the zone an administrator needs."""

    @property
    def registration(self) -> Registration | None:
        """Our registration; ``None`` before there is one."""

    async def refresh(self) -> None:
        """Know what any node of ours knew of registration and supports before. Raises: PersistenceError."""

    async def register(self, request: RegistrationRequest) -> Registration:
        """Register at the zone, remember it, connect. Raises: OnedataError."""

    async def support_space(self, storage_id: StorageId, token: str, size_b: int) -> SpaceId:
        """Consume a support token. Raises: OnedataError."""

    async def resize_support(self, space_id: SpaceId, storage_id: StorageId, size_b: int) -> None:
        """Change what a storage gives to a space; 0 ends its part. Raises: OnedataError."""

    async def cease_support(self, space_id: SpaceId) -> None:
        """End the support of a space; fine when the zone knows of none. Raises: OnedataError."""

    def supported_spaces(self) -> Collection[SpaceId]:
        """The spaces that this provider supports."""


class ProviderAdministration:
    """The verbs of the admin door."""

    def __init__(self, zone: AdministeredZone, storages: Storages) -> None:
        self._zone, self._storages = zone, storages

    async def registration(self) -> Registration:
        """Return our registration, whichever node registered. Raises: UnregisteredOneprovider."""
        await self._zone.refresh()
        registration = self._zone.registration
        if registration is None:
            raise UnregisteredOneprovider
        return registration

    async def register(self, request: RegistrationRequest) -> Registration:
        """Register the provider.

        Raises:
            AlreadyExists: it is registered.
            OnedataError: the zone refused or cannot be reached.
        """
        await self._zone.refresh()
        if self._zone.registration is not None:
            raise AlreadyExists
        return await self._zone.register(request)

    async def support_space(self, request: SupportRequest) -> SpaceId:
        """Support the space of the token with a storage.

        The choice of storage is kept before the zone is told, so that a support that the zone announces
        always has its storage; it is taken back when the zone refuses.

        Raises:
            BadValueIdNotFound: there is no such storage.
            StorageInUse: an imported storage supports another space.
            BadData: the space has another imported storage.
            OnedataError: the zone refused or cannot be reached.
        """
        await self._storages.load()
        if self._storages.get(request.storage_id) is None:
            raise BadValueIdNotFound("storageId")
        space_id = _space_of(request.token)
        self._require_fitting(space_id, request.storage_id)
        earlier = self._storages.for_space(space_id)
        await self._storages.support(space_id, request.storage_id, request.size_b)
        try:
            return await self._zone.support_space(request.storage_id, request.token, request.size_b)
        except OnedataError:
            earlier_b = None if earlier is None else earlier.sizes_b.get(request.storage_id)
            if earlier_b is None:
                await self._storages.withdraw(space_id, request.storage_id)
            else:
                await self._storages.support(space_id, request.storage_id, earlier_b)
            raise

    def _require_fitting(self, space_id: SpaceId, storage_id: StorageId) -> None:
        """An imported storage is in one space, and a space has one imported storage."""
        storage = self._storages.get(storage_id)
        if storage is None or not storage.record.is_imported:
            return
        for support in self._storages.supported():
            if support.space_id != space_id and storage in support.storages:
                raise StorageInUse
            others = [one for one in support.storages if one is not storage and one.record.is_imported]
            if support.space_id == space_id and others:
                raise BadData("storageId", "the space has another imported storage")

    async def supported_spaces(self) -> list[SpaceId]:
        """Return the spaces that this provider supports, whichever node was told to support them."""
        await self._zone.refresh()
        return sorted(self._zone.supported_spaces())


def _space_of(text: str) -> SpaceId:
    try:
        token_type = Token.deserialize(text).identifier.type
    except OnedataError as error:
        raise BadValueToken("token", error) from error
    if not isinstance(token_type, InviteToken) or token_type.invite_type is not InviteType.SUPPORT_SPACE:
        raise BadValueToken("token", NotAnInviteToken(InviteType.SUPPORT_SPACE.value, token_type.to_json()))
    return SpaceId(token_type.target_id)
