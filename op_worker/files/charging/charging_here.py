"""Charging anew without background jobs: for a file service by itself, such as in tools and tests."""

from __future__ import annotations

from cluster_worker.persistence.engine import Batch, Engine, PersistenceError, Scope
from cluster_worker.persistence.leases import take
from cluster_worker.runtime.rounds import Rounds
from cluster_worker.runtime.services import TaskOwner
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId
from op_worker.files.charging.walks import ChargingWalks

LEASE_S = 30.0


def charging_here(engine: Engine, walks: ChargingWalks, tasks: TaskOwner, node_name: str) -> Rounds[SpaceId]:
    """Return the jobs of spaces, done here unless another process does; the next round comes anyway."""

    async def charge(space_id: SpaceId) -> None:
        lease = await take(engine, f"recharge:{space_id}", node_name, LEASE_S)
        if lease is None:
            return

        async def commit(batch: Batch) -> object:
            return await engine.commit(Scope(space_id), batch)

        try:
            await walks.do_all(space_id, commit, lambda: None)
        finally:
            await engine.release(lease)

    return Rounds("charging files anew", tasks, charge, (PersistenceError, ServiceUnavailable))
