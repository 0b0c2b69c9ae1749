"""Building the engine that a configuration asks for."""

from __future__ import annotations

from typing import Any

from twisted.application.service import IService, Service

from cluster_worker.persistence.config import PersistenceConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.engine import Engine
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.runtime.services import OrderedService


def make_engine(reactor: Any, config: PersistenceConfig, state_dir: str) -> tuple[IService, Engine]:
    """Return an engine and the service that carries it, not yet started.

    With no URL the service owns a server on ``state_dir``; starting it raises StateFolderBusy when
    another process does.
    """
    if config.is_memory:
        return Service(), MemoryEngine(reactor)
    if config.address is not None:
        engine = RedisEngine(reactor, config.address, config)
        return engine, engine
    parent = OrderedService()
    server = EmbeddedRedis(reactor, state_dir, durability=config.durability)
    server.setServiceParent(parent)
    engine = RedisEngine(reactor, server.address, config)
    engine.setServiceParent(parent)
    return parent, engine
