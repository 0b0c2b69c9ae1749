"""The policies of placement of spaces: kept in the space, known at every node within 50 ms."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Batch, Engine, Key, Put, Scope
from onedata.ids import SpaceId
from op_worker.placement.policy import ANYWHERE, Policy

PLACEMENT = Key("placement")
"""The document of a space that holds its policy in the field ``p``."""
_FIELD = "p"
FRESH_S = 0.05


@define(eq=False)
class Policies:
    """The policy of every space, each remembered for ``FRESH_S``."""

    _engine: Engine
    _clock: IReactorTime
    _known: dict[SpaceId, tuple[float, Policy]] = field(factory=dict)

    async def of(self, space_id: SpaceId) -> Policy:
        """Return the policy of a space, at most ``FRESH_S`` old. Raises: PersistenceUnavailable."""
        known = self._known.get(space_id)
        if known is not None and self._clock.seconds() - known[0] < FRESH_S:
            return known[1]
        found = (await self._engine.get(Scope(space_id), PLACEMENT, [_FIELD])).get(_FIELD)
        return self._learn(space_id, ANYWHERE if found is None else Policy.decode(found.data))

    async def set(self, space_id: SpaceId, policy: Policy) -> None:
        """Replace the policy of a space. Raises: PersistenceUnavailable."""
        step = Put(PLACEMENT, _FIELD, policy.encode())
        await self._engine.commit(Scope(space_id), Batch([step]))
        self._learn(space_id, policy)

    def _learn(self, space_id: SpaceId, policy: Policy) -> Policy:
        self._known[space_id] = (self._clock.seconds(), policy)
        return policy
