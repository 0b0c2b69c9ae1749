"""Supports of spaces at the admin door."""

from __future__ import annotations

from attrs import frozen

from op_worker.http.panel.bodies import support_request
from op_worker.http.panel.importing import ImportingPanel
from op_worker.http.panel.table import PanelCall, PanelRoute
from op_worker.zone.administration import ProviderAdministration


@frozen(eq=False)
class SpacesPanel:
    """Spaces that this provider supports."""

    _administration: ProviderAdministration
    _importing: ImportingPanel

    def routes(self) -> list[PanelRoute]:
        """Return the routes of this section."""
        return [
            PanelRoute(method="GET", path="/provider/spaces", answer=self._list),
            PanelRoute(method="POST", path="/provider/spaces", answer=self._support, status=201),
        ]

    async def _support(self, call: PanelCall) -> dict[str, object]:
        body = await call.body()
        wanted = support_request(body)
        space_id = await self._administration.support_space(wanted)
        await self._importing.choose_first(space_id, body.get("storageImport"))
        return {"id": space_id}

    async def _list(self, call: PanelCall) -> dict[str, object]:
        return {"ids": await self._administration.supported_spaces()}
