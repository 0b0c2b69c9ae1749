"""Supports of spaces at the admin door."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from attrs import frozen

from cluster_worker.http.params import Boolean, Param, parse_query, sanitise
from onedata.errors import BadData
from onedata.ids import StorageId
from op_worker.administration.supports import SpaceSupports, WouldBeLost
from op_worker.http.panel.bodies import resize_request, support_request
from op_worker.http.panel.importing import ImportingPanel
from op_worker.http.panel.table import PanelCall, PanelRoute
from op_worker.zone.administration import ProviderAdministration

_ALL = "/provider/spaces"
_ONE = f"{_ALL}/<sid>"
_FORCE = (Param("force", Boolean(), default=False),)


@frozen(eq=False)
class SpacesPanel:
    """Spaces that this provider supports."""

    _administration: ProviderAdministration
    _supports: SpaceSupports
    _importing: ImportingPanel

    def routes(self) -> list[PanelRoute]:
        """Return the routes of this section."""
        return [
            PanelRoute(method="GET", path=_ALL, answer=self._list),
            PanelRoute(method="POST", path=_ALL, answer=self._support, status=201),
            PanelRoute(method="GET", path=_ONE, answer=lambda call: self._supports.get(call.ids["sid"])),
            PanelRoute(method="PATCH", path=_ONE, answer=self._resize),
            PanelRoute(method="DELETE", path=_ONE, answer=self._end),
            PanelRoute(method="GET", path=f"{_ONE}/losses", answer=self._losses),
            PanelRoute(method="DELETE", path=f"{_ONE}/storages/<storage_id>", answer=self._withdraw),
        ]

    async def _support(self, call: PanelCall) -> dict[str, object]:
        body = await call.body()
        wanted = support_request(body)
        space_id = await self._administration.support_space(wanted)
        await self._importing.choose_first(space_id, body.get("storageImport"))
        return {"id": space_id}

    async def _list(self, call: PanelCall) -> dict[str, object]:
        return {"ids": await self._administration.supported_spaces()}

    async def _resize(self, call: PanelCall) -> dict[str, object]:
        storage_id, size_b = resize_request(await call.body())
        chosen = None if storage_id is None else StorageId(storage_id)
        return await self._supports.resize(call.ids["sid"], chosen, size_b)

    async def _losses(self, call: PanelCall) -> Mapping[str, object]:
        return (await self._supports.losses(call.ids["sid"])).to_json()

    async def _end(self, call: PanelCall) -> None:
        with _losses_told():
            await self._supports.end(call.ids["sid"], force=_is_forced(call))

    async def _withdraw(self, call: PanelCall) -> None:
        with _losses_told():
            await self._supports.withdraw(call.ids["sid"], call.ids["storage_id"], force=_is_forced(call))


def _is_forced(call: PanelCall) -> bool:
    return bool(sanitise(_FORCE, parse_query(call.query))["force"])


@contextmanager
def _losses_told() -> Iterator[None]:
    try:
        yield
    except WouldBeLost as error:
        text = f"{error} would be out of reach; force=true does it all the same"
        raise BadData("force", text) from error
