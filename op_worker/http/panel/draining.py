"""Draining of storages at the admin door."""

from __future__ import annotations

from attrs import evolve, frozen

from cluster_worker.jobs.service import Jobs, NoSuchTask
from cluster_worker.jobs.task import TaskId
from cluster_worker.persistence.engine import Scope
from onedata.errors import NotFound
from onedata.ids import SpaceId, StorageId
from op_worker.files.content.draining_job import start_draining, task_name
from op_worker.http.panel.table import PanelCall, PanelRoute
from op_worker.storage.registry import Storages
from op_worker.storage.types import BadStorageError


@frozen(eq=False)
class DrainingPanel:
    """Begins and ends that what spaces have on a storage moves to their other ones."""

    _storages: Storages
    _jobs: Jobs

    def routes(self) -> list[PanelRoute]:
        """Return the routes of this section."""
        path = "/provider/storages/<sid>/draining"
        return [
            PanelRoute(method="PUT", path=path, answer=self._begin, status=202),
            PanelRoute(method="DELETE", path=path, answer=self._end),
        ]

    async def _begin(self, call: PanelCall) -> dict[str, object]:
        """Let a storage take nothing new, and move what is there; a job for each space."""
        storage_id = StorageId(call.ids["sid"])
        await self._mark(storage_id, is_draining=True)
        spaces = self._spaces(storage_id)
        return {"jobs": [str(await start_draining(self._jobs, space_id, storage_id)) for space_id in spaces]}

    async def _end(self, call: PanelCall) -> None:
        """Let a storage take new contents again; what was moved stays where it is."""
        storage_id = StorageId(call.ids["sid"])
        await self._mark(storage_id, is_draining=False)
        for space_id in self._spaces(storage_id):
            try:
                await self._jobs.cancel(TaskId(Scope(space_id), task_name(storage_id)))
            except NoSuchTask:
                continue  # it was never begun, or long ago

    async def _mark(self, storage_id: StorageId, *, is_draining: bool) -> None:
        try:
            await self._storages.change_storage(
                storage_id, lambda record: evolve(record, is_draining=is_draining)
            )
        except BadStorageError:
            raise NotFound from None

    def _spaces(self, storage_id: StorageId) -> list[SpaceId]:
        return [one.space_id for one in self._storages.supported() if storage_id in one.sizes_b]
