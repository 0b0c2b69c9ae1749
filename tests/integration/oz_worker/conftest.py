"""A zone on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pytest_twisted import async_yield_fixture
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.memory import MemoryEngine
from tests.integration.oz_worker.running_zone import RunningZone, start_zone


@async_yield_fixture
async def zone() -> AsyncIterator[RunningZone]:
    """A fresh zone on the engine in memory, in ``dev_mode``."""
    running = await start_zone(MemoryEngine(IReactorTime(reactor)))
    yield running
    await running.stop()
