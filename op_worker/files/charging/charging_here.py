"""Charging anew without background jobs: for a file service by itself, such as in tools and tests."""

from __future__ import annotations

from attrs import define, field
from twisted.logger import Logger

from cluster_worker.persistence.engine import Batch, Engine, PersistenceError, Scope
from cluster_worker.persistence.leases import take
from cluster_worker.runtime.services import TaskOwner
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId
from op_worker.files.charging.walks import ChargingWalks

LEASE_S = 30.0


@define(eq=False)
class ChargingHere:
    """Does the jobs of each space in this process, unless another one does; the next round comes anyway."""

    _engine: Engine
    _walks: ChargingWalks
    _tasks: TaskOwner
    _node_name: str
    _busy: set[SpaceId] = field(factory=set)
    _again: set[SpaceId] = field(factory=set)
    _log = Logger()

    def soon(self, space_id: SpaceId) -> None:
        """Begin, or let what runs go around once more."""
        if space_id in self._busy:
            self._again.add(space_id)
        else:
            self._busy.add(space_id)
            self._tasks.spawn("charging files anew", self._run_or_log(space_id))

    async def _run_or_log(self, space_id: SpaceId) -> None:
        is_wanted = True
        try:
            while is_wanted:
                self._again.discard(space_id)
                await self._run(space_id)
                is_wanted = space_id in self._again
        except (PersistenceError, ServiceUnavailable) as error:
            self._log.warn("charging anew in {space} goes on later: {error}", space=space_id, error=error)
        finally:
            self._busy.discard(space_id)

    async def _run(self, space_id: SpaceId) -> None:
        lease = await take(self._engine, f"recharge:{space_id}", self._node_name, LEASE_S)
        if lease is None:
            return

        async def commit(batch: Batch) -> object:
            return await self._engine.commit(Scope(space_id), batch)

        try:
            await self._walks.do_all(space_id, commit, lambda: None)
        finally:
            await self._engine.release(lease)
