"""Storages at the admin door."""

from __future__ import annotations

from attrs import frozen

from onedata.errors import NotFound
from op_worker.http.panel.bodies import storage_requests
from op_worker.http.panel.table import PanelCall, PanelRoute
from op_worker.storage.records import StorageRecord
from op_worker.zone.administration import ProviderAdministration


@frozen(eq=False)
class StoragesPanel:
    """Storages, listed, told and added."""

    _administration: ProviderAdministration

    def routes(self) -> list[PanelRoute]:
        """Return the routes of this section."""
        return [
            PanelRoute(method="GET", path="/provider/storages", answer=self._list),
            PanelRoute(method="POST", path="/provider/storages", answer=self._add),
            PanelRoute(method="GET", path="/provider/storages/<sid>", answer=self._get),
        ]

    async def _add(self, call: PanelCall) -> dict[str, object]:
        added: dict[str, object] = {}
        for wanted in storage_requests(await call.body()):
            storage_id = await self._administration.add_storage(
                wanted.name, wanted.type, dict(wanted.arguments), wanted.storage_id
            )
            added[wanted.name] = {"id": storage_id}
        return added

    async def _list(self, call: PanelCall) -> dict[str, object]:
        return {"ids": [record.storage_id for record in await self._administration.storages()]}

    async def _get(self, call: PanelCall) -> dict[str, object]:
        for record in await self._administration.storages():
            if record.storage_id == call.ids["sid"]:
                return _storage(record)
        raise NotFound


def _storage(record: StorageRecord) -> dict[str, object]:
    """Arguments may hold secrets, so only where a POSIX storage lies is told."""
    shown = {key: record.arguments[key] for key in ("mountPoint",) if key in record.arguments}
    return {"id": record.storage_id, "name": record.name, "type": record.type, **shown}
