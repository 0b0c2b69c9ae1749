"""What others ask of the mapping of users."""

from __future__ import annotations

from typing import Protocol

from onedata.ids import GroupId, SpaceId, UserId
from op_worker.storage.helper import StoragePath
from op_worker.storage.records import StorageRecord
from op_worker.storage.supports import Storage


class UnmappedOwnerError(Exception):
    """The feed of a storage names nobody of ours for an owner that a file has there."""


class Owners(Protocol):
    """Whose the files of a storage are; for what is imported.

    Every method may raise PersistenceUnavailable. A feed that cannot be asked names nobody.
    """

    async def owner_of(self, storage: StorageRecord, uid: int) -> UserId | None:
        """Return the user of ours who owns what ``uid`` owns; ``None`` stands for the space itself.

        Raises: UnmappedOwnerError, where the feed is not ``auto``.
        """

    async def user_of_acl(self, storage: StorageRecord, name: str) -> UserId | None:
        """Return the user whom an entry of an access control list of the storage names.

        Raises: UnmappedOwnerError.
        """

    async def group_of_acl(self, storage: StorageRecord, name: str) -> GroupId | None:
        """Return the group that such an entry names. Raises: UnmappedOwnerError."""


class Acting(Protocol):
    """Storages as users see them."""

    async def storage_for(self, user_id: UserId, space_id: SpaceId, storage: Storage) -> Storage:
        """Return a storage on which this user acts under his own credentials.

        Files made through it are his. The same object as ``storage`` where all act as its administrator, and
        for the space itself.

        Raises: StorageError(EACCES) when the feed knows no credentials of his; PersistenceUnavailable.
        """

    async def hand_over(
        self, user_id: UserId, space_id: SpaceId, storage: Storage, path: StoragePath
    ) -> None:
        """Make a file that the administrator made the user's, where files have owners.

        What the storage refuses is logged; ``adopt`` makes up for it. Raises: PersistenceUnavailable.
        """

    async def adopt(self, owner_id: UserId, space_id: SpaceId, storage: Storage, path: StoragePath) -> bool:
        """Hand over a file that is still the administrator's, as those of earlier versions are.

        Tells whether it was. What lies on an imported storage has the owner that it came with.

        Raises: StorageError; PersistenceUnavailable.
        """


class AllAsAdministrator:
    """Everybody acts as the administrator of each storage. Implements ``Acting``."""

    async def storage_for(self, user_id: UserId, space_id: SpaceId, storage: Storage) -> Storage:
        return storage

    async def adopt(self, owner_id: UserId, space_id: SpaceId, storage: Storage, path: StoragePath) -> bool:
        return False

    async def hand_over(
        self, user_id: UserId, space_id: SpaceId, storage: Storage, path: StoragePath
    ) -> None:
        """Files stay the administrator's."""
