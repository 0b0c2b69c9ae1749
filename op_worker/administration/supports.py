"""Supports of spaces: told, resized, ended when nothing would be lost."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import Batch, Delete, Engine, Key, PersistenceError, Put, Scope
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService
from onedata.errors import (
    BadValueIdNotFound,
    BadValueTooLow,
    NotFound,
    OnedataError,
    StorageInUse,
    Timeout,
)
from onedata.ids import SpaceId, StorageId
from op_worker.administration.losses import Losses, losses_of, used_b
from op_worker.storage.registry import Storages
from op_worker.storage.supports import Support
from op_worker.zone.administration import AdministeredZone
from op_worker.zone.directory import Zone

PROVIDER = Scope("provider")
ENDING = Key("ending supports")
"""Fields are the spaces whose supports are being ended."""
_AGAIN_S = 10.0


class WouldBeLost(Exception):
    """Ending a support would put data out of reach."""

    def __init__(self, losses: Losses) -> None:
        super().__init__(f"{losses.files} files with {losses.size_b} bytes")
        self.losses = losses


class SpaceSupports(TaskService):
    """The verbs of supports.

    Every method may raise NotFound for a space without support, and PersistenceUnavailable. Ending a support
    takes three steps: it is noted in the store, the zone is told, the support and the note go. Whoever starts
    with a note in the store goes on. No byte and no metadata are removed: supporting the space with the same
    storages again brings everything back.
    """

    _log = Logger()

    def __init__(
        self,
        administered: AdministeredZone,
        zone: Zone,
        storages: Storages,
        engine: Engine,
        clock: IReactorTime,
    ) -> None:
        super().__init__()
        self._administered, self._zone = administered, zone
        self._storages, self._engine, self._clock = storages, engine, clock

    def startService(self) -> None:
        super().startService()
        self.spawn("end supports that were being ended", self._go_on())

    async def get(self, text: str) -> dict[str, object]:
        """Return a support: its storages with sizes and used bytes."""
        support = await self._support(text)
        used = await used_b(self._engine, support.space_id)
        space = await self._zone.space(support.space_id)
        storages = [
            {"id": storage_id, "size": size_b, "used": used.get(StorageId(storage_id), 0)}
            for storage_id, size_b in support.sizes_b.items()
        ]
        return {
            "id": support.space_id,
            "name": "" if space is None else space.name,
            "size": support.size_b,
            "used": sum(used.values()),
            "storages": storages,
            "isEnding": support.space_id in await self._engine.get_all(PROVIDER, ENDING),
        }

    async def resize(self, text: str, storage_id: StorageId | None, size_b: int) -> dict[str, object]:
        """Change what a storage gives, the first one when none is named.

        Raises: BadValueTooLow for less than is used; BadValueIdNotFound for a storage that is none of the
            space's; OnedataError of the zone, and everything is as before then.
        """
        support = await self._support(text)
        space_id, chosen = support.space_id, storage_id or support.storage.storage_id
        before_b = support.sizes_b.get(chosen)
        if before_b is None:
            raise BadValueIdNotFound("storageId")
        used = (await used_b(self._engine, space_id)).get(chosen, 0)
        if size_b < used:
            raise BadValueTooLow("size", used)
        await self._storages.support(space_id, chosen, size_b)
        try:
            await self._administered.resize_support(space_id, chosen, size_b)
        except OnedataError:
            await self._storages.support(space_id, chosen, before_b)
            raise
        return await self.get(text)

    async def withdraw(self, text: str, storage_id: str, *, force: bool) -> None:
        """End the part of one storage in a support that has others.

        Raises: WouldBeLost unless it is empty or ``force`` says so; BadValueIdNotFound; StorageInUse for the
            last one, with which the support would end; OnedataError of the zone.
        """
        support = await self._support(text)
        if storage_id not in support.sizes_b:
            raise BadValueIdNotFound("storageId")
        if len(support.sizes_b) == 1:
            raise StorageInUse
        losses = await losses_of(self._engine, support.space_id, StorageId(storage_id))
        if not (force or losses.is_nothing):
            raise WouldBeLost(losses)
        try:
            await self._administered.resize_support(support.space_id, StorageId(storage_id), 0)
        except NotFound:
            self._log.info("the zone knows {storage} as none of the space's", storage=storage_id)
        await self._storages.withdraw(support.space_id, StorageId(storage_id))

    async def losses(self, text: str) -> Losses:
        """Return what would be out of reach without the support."""
        return await losses_of(self._engine, (await self._support(text)).space_id)

    async def end(self, text: str, *, force: bool) -> None:
        """End the support of a space; its files and their metadata stay where they are.

        Raises: WouldBeLost unless it is empty or ``force`` says so; OnedataError when the zone refuses, and
            everything is as before then. When its answer does not come, the support is ended later.
        """
        support = await self._support(text)
        losses = await losses_of(self._engine, support.space_id)
        if not (force or losses.is_nothing):
            raise WouldBeLost(losses)
        await self._engine.commit(PROVIDER, Batch([Put(ENDING, support.space_id, b"")]))
        try:
            await self._end(support.space_id)
        except Timeout:
            self.spawn("end a support", self._go_on())
            raise
        except OnedataError:
            await self._engine.commit(PROVIDER, Batch([Delete(ENDING, support.space_id)]))
            raise

    async def _end(self, space_id: SpaceId) -> None:
        await self._administered.cease_support(space_id)
        await self._storages.remove_support(space_id)
        await self._engine.commit(PROVIDER, Batch([Delete(ENDING, space_id)]))

    async def _go_on(self) -> None:
        """End what was being ended until nothing is left."""
        while True:
            try:
                ending = await self._engine.get_all(PROVIDER, ENDING)
                for space_id in ending:
                    await self._end(SpaceId(space_id))
                return
            except (OnedataError, PersistenceError) as error:
                self._log.warn("supports are ended later: {error}", error=error)
            await sleep(self._clock, _AGAIN_S)

    async def _support(self, text: str) -> Support:
        await self._storages.load()
        support = self._storages.for_space(SpaceId(text))
        if support is None:
            raise NotFound
        return support
