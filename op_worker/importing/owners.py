"""Whose files the owners on a storage are, where nothing else is known: the space's own."""

from __future__ import annotations

from typing import Protocol

from onedata.ids import UserId
from op_worker.storage.records import StorageRecord


class Owners(Protocol):
    """Knows whose files are that a storage says belong to somebody; a part of ``mapping.contract.Owners``."""

    async def owner_of(self, storage: StorageRecord, uid: int) -> UserId | None:
        """Return the user who owns what ``uid`` owns; ``None`` stands for the space itself.

        Raises: UnmappedOwnerError; PersistenceUnavailable.
        """


class SpaceOwners:
    """The virtual owner of a space owns whatever is found in it."""

    async def owner_of(self, storage: StorageRecord, uid: int) -> UserId | None:
        return None
