"""A site whose metadata are in a real Redis and whose bytes are real files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from twisted.internet import reactor

from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.runtime.pool import BlockingPool
from op_worker.storage.helpers.posix.helper import PosixHelper
from tests.support.spaces import Site


@asynccontextmanager
async def redis_and_posix(folder: Path) -> AsyncIterator[Site]:
    """Start a server of its own below ``folder`` for as long as the body runs."""
    server = EmbeddedRedis(reactor, str(folder / "redis"))
    server.startService()
    engine = RedisEngine(reactor, server.address, RedisConfig())
    engine.startService()
    await engine.wait_ready()
    pool = BlockingPool(cast(Any, reactor), 4)
    pool.startService()
    storage = folder / "storage"
    storage.mkdir()
    try:
        yield Site(engine, PosixHelper(str(storage), pool), cast(Any, reactor), pool)
    finally:
        pool.stopService()
        await engine.stopService()
        await server.stopService()
