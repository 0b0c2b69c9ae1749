"""The quotas that this node knows of each space."""

from __future__ import annotations

from attrs import define, field

from cluster_worker.persistence.engine import Engine, Scope
from onedata.ids import SpaceId
from op_worker.files.stored.quotas import QUOTAS, SpaceQuotas


@define(eq=False)
class KnownQuotas:
    """The quotas of every space, remembered until a commit that was decided by them is refused."""

    _engine: Engine
    _known: dict[SpaceId, SpaceQuotas] = field(factory=dict)

    async def of(self, space_id: SpaceId) -> SpaceQuotas:
        """Return the quotas of a space. Raises: PersistenceUnavailable."""
        known = self._known.get(space_id)
        return await self.read(space_id) if known is None else known

    async def read(self, space_id: SpaceId) -> SpaceQuotas:
        """Return the quotas of a space as they are now. Raises: PersistenceUnavailable."""
        found = SpaceQuotas.decode(await self._engine.get_all(Scope(space_id), QUOTAS))
        self._known[space_id] = found
        return found

    def forget(self, space_id: SpaceId) -> None:
        """Read the quotas of a space again when they are needed next."""
        self._known.pop(space_id, None)
