"""What an administrator does with a provider: register it, add storages, support spaces."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from attrs import field, frozen

from onedata.errors import (
    AlreadyExists,
    BadData,
    BadValueIdNotFound,
    BadValueToken,
    NotAnInviteToken,
    OnedataError,
    StorageTestFailed,
    UnregisteredOneprovider,
)
from onedata.ids import SpaceId, StorageId, new_id
from onedata.tokens.token import Token
from onedata.tokens.types import InviteToken, InviteType
from op_worker.storage.health.probe import ProbeFailed
from op_worker.storage.helper import StorageError
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.storage.types import BadStorageError
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

    def supported_spaces(self) -> Collection[SpaceId]:
        """The spaces that this provider supports."""


class ProviderAdministration:
    """The verbs of the admin door."""

    def __init__(
        self, zone: AdministeredZone, storages: Storages, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._zone, self._storages, self._random_bytes = zone, storages, random_bytes

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

    async def add_storage(
        self, name: str, type_: str, arguments: dict[str, str], storage_id: StorageId | None
    ) -> StorageId:
        """Add a storage after trying it; without an id it gets a new one.

        Raises:
            OnedataError: the description is wrong; it says which parameter.
            StorageTestFailed: some node of ours cannot use it now, or does not see what another wrote.
        """
        record = StorageRecord(
            storage_id=storage_id or StorageId(new_id(self._random_bytes)),
            name=name,
            type=type_,
            arguments=arguments,
        )
        try:
            await self._storages.add_storage(record)
        except BadStorageError as error:
            raise error.error or BadData(name, str(error)) from error
        except StorageError as error:
            operation = error.operation if isinstance(error, ProbeFailed) else "access"
            raise StorageTestFailed(operation) from error
        return record.storage_id

    async def storages(self) -> list[StorageRecord]:
        """Return every storage by name, whichever node added it."""
        await self._storages.load()
        return sorted((storage.record for storage in self._storages.all()), key=lambda each: each.name)

    async def support_space(self, request: SupportRequest) -> SpaceId:
        """Support the space of the token with a storage.

        The choice of storage is kept before the zone is told, so that a support that the zone announces
        always has its storage; it is taken back when the zone refuses.

        Raises:
            BadValueIdNotFound: there is no such storage.
            OnedataError: the zone refused or cannot be reached.
        """
        await self._storages.load()
        if self._storages.get(request.storage_id) is None:
            raise BadValueIdNotFound("storageId")
        space_id = _space_of(request.token)
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
