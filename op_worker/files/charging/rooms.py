"""What room spaces have, and which quotas a file is charged to."""

from __future__ import annotations

from attrs import frozen

from cluster_worker.persistence.engine import Engine
from op_worker.files.committing.known_quotas import KnownQuotas
from op_worker.files.finding.visit import Visit
from op_worker.files.stored.charges import Room
from op_worker.files.stored.nodes import Chain


@frozen(eq=False)
class Rooms:
    """The room of every space."""

    _engine: Engine
    quotas: KnownQuotas

    async def of(self, visit: Visit) -> Room:
        """Return what bounds the content of the space that is visited."""
        return Room(visit.support.sizes_b, await self.quotas.of(visit.space_id))


def wanted(room: Room, owner: str, directory: Chain) -> tuple[str, ...]:
    """Return the quotas that a file of ``owner`` in a directory is charged to."""
    return room.quotas.wanted(owner, (node.key for node in directory.nodes))
