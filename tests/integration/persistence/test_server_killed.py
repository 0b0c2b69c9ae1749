"""kill -9 of the server while commits run: what was acknowledged is there, the rest is whole or absent."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from cluster_worker.persistence.config import Durability, RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.engine import Batch, Put, Scope
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.persistence.setup import make_engine
from tests.support.commit_writers import ROOT, Writers, creation

reactor: Any = global_reactor
SCOPE = Scope("space")


@pytest.mark.parametrize("durability", list(Durability))
@ensureDeferred
async def test_acknowledged_commits_survive_kills_of_the_server(
    tmp_path: Path, durability: Durability, until: Callable[..., Awaitable[None]]
) -> None:
    server = EmbeddedRedis(reactor, str(tmp_path), durability=durability)
    engine = RedisEngine(reactor, server.address, RedisConfig())
    server.startService()
    engine.startService()
    await engine.wait_ready()
    writers = Writers(engine, SCOPE)
    running = [Deferred.fromCoroutine(writers.run(number)) for number in range(8)]
    for _ in range(3):
        before = len(writers.acknowledged)
        await until(lambda before=before: len(writers.acknowledged) > before + 200)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
    before = len(writers.acknowledged)
    await until(lambda: len(writers.acknowledged) > before + 200)
    writers.stopped = True
    await gatherResults(running)
    assert writers.unknown
    await writers.check()
    await engine.stopService()
    await server.stopService()


@ensureDeferred
async def test_data_are_there_after_a_clean_stop_and_start(tmp_path: Path) -> None:
    for expected in (1, 2, 3):
        service, engine = make_engine(reactor, RedisConfig(), str(tmp_path))
        service.startService()
        assert (await engine.commit(SCOPE, Batch([Put(ROOT, "m", b"")], [ROOT]))).seq == expected
        await service.stopService()
    assert not (tmp_path / "redis.pid").exists()


@ensureDeferred
async def test_killed_server_is_back_within_a_second(
    tmp_path: Path, until: Callable[..., Awaitable[None]]
) -> None:
    service, engine = make_engine(reactor, RedisConfig(), str(tmp_path))
    service.startService()
    await engine.commit(SCOPE, creation("one"))
    pid = int((tmp_path / "redis.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    began = reactor.seconds()
    assert await engine.lookup(SCOPE, ROOT, b"one") == b"one"
    assert reactor.seconds() - began < 1.0
    assert int((tmp_path / "redis.pid").read_text()) != pid
    await service.stopService()


@ensureDeferred
async def test_watcher_hears_of_changes_after_the_server_came_back(
    tmp_path: Path, until: Callable[..., Awaitable[None]]
) -> None:
    service, engine = make_engine(reactor, RedisConfig(), str(tmp_path))
    service.startService()
    heard: list[Scope] = []
    end = engine.watch(heard.append)
    await engine.commit(SCOPE, creation("one"))
    await until(lambda: SCOPE in heard)
    os.kill(int((tmp_path / "redis.pid").read_text()), signal.SIGKILL)
    await deferLater(reactor, 0.05, lambda: None)
    heard.clear()
    await until(lambda: SCOPE in heard)  # told again, for something may have been missed
    await deferLater(reactor, 0.05, lambda: None)
    heard.clear()
    await engine.commit(SCOPE, creation("two"))
    await until(lambda: SCOPE in heard)
    end()
    await service.stopService()
