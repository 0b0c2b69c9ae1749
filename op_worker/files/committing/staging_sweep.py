"""Removing the staging files of lives that are over."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Batch, Delete, Engine, PreconditionFailed, Scope
from cluster_worker.persistence.lives import Lives, node_of
from onedata.ids import SpaceId
from op_worker.files.stored.intents import INTENTS, Intent
from op_worker.files.stored.landings import LANDINGS, life_that_writes, place_of
from op_worker.files.stored.lives import LIVES, is_of_a_life, life_of
from op_worker.files.stored.paths import STAGING, staging_path
from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.registry import Storages
from op_worker.storage.supports import Storage

PATIENCE_S = 30.0
"""Another node's life must be seen to be over for so long: it may only have lost its way to the store."""


@define(eq=False)
class StagingSweep:
    """Looks through the staging folders and registers of spaces; every node may, at any time."""

    _engine: Engine
    _storages: Storages
    _lives: Lives
    _clock: IReactorTime
    _over_since_s: dict[str, float] = field(factory=dict)

    async def sweep(self, space_id: SpaceId) -> None:
        """Remove what lives that are over staged in a space and no pending operation refers to.

        Earlier lives of this node are over at once, others when they were for ``PATIENCE_S``.

        Raises: PersistenceUnavailable; StorageError.
        """
        support, scope = self._storages.for_space(space_id), Scope(space_id)
        named = None if support is None else support.named
        names = [] if named is None else await _staged_on(named, space_id)
        landings = await self._engine.get_all(scope, LANDINGS)
        going_on = await self._struck_off(scope)  # after the listings: who wrote what they show had entered
        left = [place for place, found in landings.items() if life_that_writes(found) not in going_on]
        await self._clear(scope, left)
        documents = await self._engine.get_all(scope, INTENTS)
        referenced = {Intent.decode(document.data).source for document in documents.values()}
        for name in names:
            path = staging_path(space_id, name)
            is_left = is_of_a_life(name) and life_of(name) not in going_on and path not in referenced
            if named is not None and is_left:
                await named.helper.remove(path)

    async def _clear(self, scope: Scope, fields: Sequence[str]) -> None:
        """Remove what was written at places of the register whose lives were struck off.

        No commit makes a file of such bytes any more; what one made of them before is not in the register.
        """
        present = await self._engine.get(scope, LANDINGS, fields) if fields else {}
        for place in present:
            storage_id, path = place_of(place)
            storage = self._storages.get(storage_id)
            if storage is not None:
                await storage.helper.remove(path)
                await self._engine.commit(scope, Batch([Delete(LANDINGS, place)]))

    async def _struck_off(self, scope: Scope) -> set[str]:
        """Strike off the lives that are over; return the others, which may go on to stage."""
        going_on = set()
        for life, document in (await self._engine.get_all(scope, LIVES)).items():
            if not await self._is_surely_over(life):
                going_on.add(life)
                continue
            try:
                await self._engine.commit(scope, Batch([Delete(LIVES, life, expect=document.revision)]))
            except PreconditionFailed:
                continue  # another node was faster
        return going_on

    async def _is_surely_over(self, life: str) -> bool:
        if not await self._lives.is_over(life):
            self._over_since_s.pop(life, None)
            return False
        now_s = self._clock.seconds()
        since_s = self._over_since_s.setdefault(life, now_s)
        return node_of(life) == node_of(self._lives.own) or now_s - since_s >= PATIENCE_S


async def _staged_on(storage: Storage, space_id: SpaceId) -> Sequence[str]:
    """Return the names of the staging files of a space."""
    if storage.directories is None:
        return []
    try:
        return await storage.directories.list_directory(StoragePath(f"{space_id}/{STAGING}"))
    except StorageError:
        return []  # nothing was ever staged there
