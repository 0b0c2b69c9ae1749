"""What every check uses."""

from __future__ import annotations

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Engine
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.randomness import RandomBytes
from op_worker.files.committing.journal import Journal
from op_worker.files.context import FilesContext
from op_worker.storage.registry import Storages


@frozen(eq=False)
class Tools:
    """The parts of a provider that checks stand on."""

    engine: Engine
    storages: Storages
    journal: Journal
    blocking: Blocking
    clock: IReactorTime
    wall_clock: WallClock
    random_bytes: RandomBytes

    @classmethod
    def of(cls, context: FilesContext) -> Tools:
        """Return the parts that a running provider has."""
        return cls(
            context.engine,
            context.storages,
            context.journal,
            context.blocking,
            context.works.clock,
            context.wall_clock,
            context.random_bytes,
        )
