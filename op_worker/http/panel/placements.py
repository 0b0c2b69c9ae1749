"""Policies of placement at the admin door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from onedata.errors import NotFound
from onedata.ids import SpaceId
from op_worker.files.committing.policies import Policies
from op_worker.placement.policy import policy_of
from op_worker.storage.registry import Storages


@frozen(eq=False)
class PlacementsPanel:
    """The policy of each space that is supported here. Every method may raise PersistenceUnavailable."""

    _storages: Storages
    _policies: Policies

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
