"""Charging files anew, in the background, after a quota was set or removed or a directory was moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen

from cluster_worker.persistence.engine import Engine, Put, Scope, Step
from cluster_worker.runtime.clock import WallClock
from onedata.ids import SpaceId
from op_worker.files.charging.walks import ChargingWalks
from op_worker.files.committing.known_quotas import KnownQuotas
from op_worker.files.stored.nodes import Chain
from op_worker.files.stored.recharge_jobs import JOBS, Job, begin, is_needed, keys_of

ChargeSoon = Callable[[SpaceId], None]
"""Lets the jobs of a space be done soon, and once more when that goes on already."""


@frozen(eq=False)
class Recharging:
    """Orders walks, and tells about them; ``walks`` is what does them."""

    _engine: Engine
    walks: ChargingWalks
    _quotas: KnownQuotas
    _wall_clock: WallClock
    _soon: ChargeSoon

    async def for_move(self, space_id: SpaceId, source: Chain, target: Chain) -> list[Step]:
        """Return the steps that a move of the directory ``source`` into ``target`` needs besides its own.

        Call ``run_soon`` after the commit.
        """
        quotas = await self._quotas.of(space_id)
        if not is_needed(quotas, keys_of(source.above), keys_of(target)):
            return [quotas.unchanged()]
        return await self.order(space_id, source.file.key)

    @staticmethod
    def is_ordered(steps: Sequence[Step]) -> bool:
        """Whether a walk is ordered among these steps."""
        return any(isinstance(step, Put) and step.key == JOBS for step in steps)

    async def order(self, space_id: SpaceId, top: str) -> list[Step]:
        """Return the steps that order a walk below ``top``; call ``run_soon`` after their commit."""
        quotas = await self._quotas.of(space_id)
        jobs = await self._engine.get(Scope(space_id), JOBS, [top])
        return begin(quotas, jobs, top, self._wall_clock())

    async def jobs(self, space_id: SpaceId) -> dict[str, Job]:
        """Return the jobs of a space by the uuid of the directory at their top."""
        found = await self._engine.get_all(Scope(space_id), JOBS)
        return {top: Job.decode(document.data) for top, document in found.items()}

    def run_soon(self, space_id: SpaceId) -> None:
        """Let the jobs of a space be done soon, once more if that goes on already."""
        self._soon(space_id)

    async def go_on(self, space_id: SpaceId) -> None:
        """Let the jobs of a space be done soon if there are any. Raises: PersistenceUnavailable."""
        if await self._engine.get_all(Scope(space_id), JOBS):
            self._soon(space_id)
