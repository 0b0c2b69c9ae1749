"""Storages at the admin door."""

from __future__ import annotations

from attrs import frozen

from op_worker.administration.descriptions import change_of, new_storages
from op_worker.administration.storages import StorageAdministration
from op_worker.http.panel.table import PanelCall, PanelRoute

_ALL = "/provider/storages"
_ONE = f"{_ALL}/<sid>"


@frozen(eq=False)
class StoragesPanel:
    """Reads descriptions, asks the administration of storages."""

    _storages: StorageAdministration

    def routes(self) -> list[PanelRoute]:
        """Return the routes of this section."""
        return [
            PanelRoute(method="GET", path=_ALL, answer=self._list),
            PanelRoute(method="POST", path=_ALL, answer=self._add),
            PanelRoute(method="GET", path=_ONE, answer=lambda call: self._storages.get(call.ids["sid"])),
            PanelRoute(method="PATCH", path=_ONE, answer=self._modify),
            PanelRoute(
                method="DELETE", path=_ONE, answer=lambda call: self._storages.remove(call.ids["sid"])
            ),
            PanelRoute(
                method="POST", path=f"{_ONE}/test", answer=lambda call: self._storages.test(call.ids["sid"])
            ),
        ]

    async def _add(self, call: PanelCall) -> dict[str, object]:
        wanted = new_storages(await call.body())
        return {each.name or "": {"id": await self._storages.add(each)} for each in wanted}

    async def _list(self, call: PanelCall) -> dict[str, object]:
        return {"ids": [record.storage_id for record in await self._storages.records()]}

    async def _modify(self, call: PanelCall) -> dict[str, object]:
        return await self._storages.modify(call.ids["sid"], change_of(await call.body()))
