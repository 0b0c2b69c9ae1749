"""What room spaces have: the quotas that this node knows, and the question whether content will fit."""

from __future__ import annotations

from attrs import define, field, frozen

from cluster_worker.persistence.engine import Engine, Scope
from onedata.ids import SpaceId
from op_worker.files.access import Visit
from op_worker.files.charges import Room
from op_worker.files.nodes import Chain
from op_worker.files.quotas import QUOTAS, SpaceQuotas


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


@frozen(eq=False)
class Rooms:
    """The room of every space."""

    _engine: Engine
    quotas: KnownQuotas

    async def of(self, visit: Visit) -> Room:
        """Return what bounds the content of the space that is visited."""
        return Room(visit.support.size_b, await self.quotas.of(visit.space_id))


def wanted(room: Room, owner: str, directory: Chain) -> tuple[str, ...]:
    """Return the quotas that a file of ``owner`` in a directory is charged to."""
    return room.quotas.wanted(owner, (node.key for node in directory.nodes))
