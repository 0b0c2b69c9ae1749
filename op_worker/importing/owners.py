"""Whose files the owners on a storage are, where nothing else is known: the space's own."""

from __future__ import annotations

from typing import Protocol

from onedata.ids import SpaceId
from op_worker.files.finding.lookup import space_owner_id
from op_worker.storage.registry import Storage


class UnmappedOwner(Exception):
    """Nobody of ours is the owner that the storage names."""


class Owners(Protocol):
    """Knows whose files are that a storage says belong to somebody."""

    async def owner_of(self, space_id: SpaceId, storage: Storage, uid: int | None) -> str:
        """Return the user who owns files of ``uid``. Raises: UnmappedOwner."""


class SpaceOwners:
    """The virtual owner of a space owns whatever is found in it."""

    async def owner_of(self, space_id: SpaceId, storage: Storage, uid: int | None) -> str:
        return space_owner_id(space_id)
