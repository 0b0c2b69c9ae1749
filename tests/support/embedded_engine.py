"""The Redis engine on an embedded server of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.redis import RedisEngine


@contextmanager
def embedded_engine(folder: Path) -> Iterator[RedisEngine]:
    """Run server and engine as long as the block lasts; for fixtures that are not asynchronous."""
    server = EmbeddedRedis(reactor, str(folder))
    server.startService()
    engine = RedisEngine(reactor, server.address, RedisConfig())
    engine.startService()
    blockon(Deferred.fromCoroutine(engine.wait_ready()))
    yield engine
    blockon(engine.stopService())
    blockon(server.stopService())
