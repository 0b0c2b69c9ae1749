"""The bare worker: a node, a store, and the health page over plain HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
import treq
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTime
from twisted.web.client import Agent

from cluster_worker.app import BareApplication, make_cluster_worker
from cluster_worker.config import ClusterWorkerConfig, HttpSection
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import OrderedService
from cluster_worker.runtime.state_folder import StateFolderInUse
from cluster_worker.wire.errors import BadRequest
from tests.integration.op_worker.running import free_port

CLOCK = IReactorTime(reactor)


@ensureDeferred
async def test_bare_worker_shows_its_health_and_owns_its_folder(tmp_path: Path) -> None:
    config = ClusterWorkerConfig(
        state_dir=str(tmp_path / "state"), redis=RedisConfig(), http=HttpSection(port=free_port())
    )
    service = make_cluster_worker(reactor, config)
    with pytest.raises(StateFolderInUse):
        make_cluster_worker(reactor, config)
    service.startService()
    try:
        page = await health(config.http.port)
    finally:
        await service.stopService()
    assert page.count('status="ok"') == 6
    assert "<cluster_worker name=" in page and "<http_listener " in page
    make_cluster_worker(reactor, config)


async def health(port: int) -> str:
    """The page, once it is there."""
    for _ in range(200):
        try:
            response = await treq.get(f"http://127.0.0.1:{port}/nagios", agent=Agent(reactor))
            text = str(await response.text())
            if 'status="ok"' in text:
                return text
        except Exception:  # noqa: BLE001 - not up yet
            pass
        await sleep(CLOCK, 0.05)
    raise AssertionError("the page does not come")


@ensureDeferred
async def test_bare_worker_echoes_calls_and_knows_no_other_worker() -> None:
    application = BareApplication(CLOCK, MemoryEngine(CLOCK), OrderedService())
    assert await application.handle_call("echo", {"a": 1}) == {"a": 1}
    with pytest.raises(BadRequest):
        await application.handle_call("fslogic", {})
