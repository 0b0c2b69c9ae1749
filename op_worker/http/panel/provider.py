"""The provider itself at the admin door: told, registered."""

from __future__ import annotations

from attrs import frozen

from op_worker.http.panel.bodies import registration_request
from op_worker.http.panel.table import PanelCall, PanelRoute
from op_worker.zone.administration import ProviderAdministration
from op_worker.zone.registration import Registration


@frozen(eq=False)
class ProviderPanel:
    """Registration in the zone."""

    _administration: ProviderAdministration

    def routes(self) -> list[PanelRoute]:
        """Return the routes of this section."""
        return [
            PanelRoute(method="POST", path="/provider", answer=self._register, status=201),
            PanelRoute(method="GET", path="/provider", answer=self._get),
        ]

    async def _register(self, call: PanelCall) -> dict[str, object]:
        wanted = registration_request(await call.body())
        return _provider(await self._administration.register(wanted))

    async def _get(self, call: PanelCall) -> dict[str, object]:
        return _provider(await self._administration.registration())


def _provider(registration: Registration) -> dict[str, object]:
    return {
        "id": registration.provider_id,
        "name": registration.name,
        "domain": registration.domain,
        "onezoneDomainName": registration.zone_domain,
    }
