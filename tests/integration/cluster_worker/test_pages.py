"""The bare worker's pages: metrics without storages, readiness of a drained node."""

from __future__ import annotations

from pathlib import Path

import treq
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.web.client import Agent

from cluster_worker.app import make_cluster_worker
from cluster_worker.config import ClusterWorkerConfig, HttpSection
from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.persistence.config import RedisConfig
from tests.integration.cluster_worker.test_bare_worker import health
from tests.integration.op_worker.running import free_port
from tests.support.exposition import families_of


async def get(port: int, path: str) -> tuple[int, str]:
    response = await treq.get(f"http://127.0.0.1:{port}{path}", agent=Agent(reactor))
    return response.code, await response.text()


@ensureDeferred
async def test_a_bare_worker_has_the_pages_and_says_when_it_is_drained(tmp_path: Path) -> None:
    config = ClusterWorkerConfig(
        state_dir=str(tmp_path / "state"), redis=RedisConfig(), http=HttpSection(port=free_port())
    )
    service = make_cluster_worker(reactor, config)
    service.startService()
    try:
        await health(config.http.port)
        told = families_of((await get(config.http.port, "/metrics"))[1])
        assert "onedata_store_request_seconds" in told
        assert not any(name.startswith("onedata_storage") for name in told)
        assert await get(config.http.port, "/health/ready") == (200, '{"status":"ready"}')
        (node,) = [child for child in service if isinstance(child, ClusterNode)]
        node._state.ring = evolve(node.ring, draining=frozenset([node.node_name]))
        drained = '{"status":"not ready","reasons":["drained by the operator"]}'
        assert await get(config.http.port, "/health/ready") == (503, drained)
        assert 'state="draining"} 1.0' in (await get(config.http.port, "/metrics"))[1]
    finally:
        await service.stopService()
