"""Policies of placement at the admin door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from onedata.errors import NotFound
from onedata.ids import SpaceId
from op_worker.files.committing.policies import Policies
from op_worker.http.panel.table import PanelCall, PanelRoute
from op_worker.placement.policy import policy_of
from op_worker.storage.registry import Storages


@frozen(eq=False)
class PlacementsPanel:
    """The policy of each space that is supported here. Every method may raise PersistenceUnavailable."""

    _storages: Storages
    _policies: Policies

    def routes(self) -> Sequence[PanelRoute]:
        """Return what is served."""
        path = "/provider/spaces/<space_id>/placement"
        return [
            PanelRoute(method="GET", path=path, answer=self._get),
            PanelRoute(method="PUT", path=path, answer=self._put),
        ]

    async def _get(self, call: PanelCall) -> dict[str, object]:
        return await self.get(call.ids["space_id"])

    async def _put(self, call: PanelCall) -> dict[str, object]:
        return await self.put(call.ids["space_id"], await call.body())

    async def get(self, text: str) -> dict[str, object]:
        """Return the policy of a space. Raises: NotFound."""
        return (await self._policies.of(self._supported(text))).to_json()

    async def put(self, text: str, body: Mapping[str, Any]) -> dict[str, object]:
        """Replace the policy of a space; return it as it is kept.

        Raises: NotFound; BadData that names the member; InvalidQosExpression.
        """
        space_id, policy = self._supported(text), policy_of(dict(body))
        await self._policies.set(space_id, policy)
        return policy.to_json()

    def _supported(self, text: str) -> SpaceId:
        space_id = SpaceId(text)
        if self._storages.for_space(space_id) is None:
            raise NotFound
        return space_id
