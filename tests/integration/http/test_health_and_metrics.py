"""The pages for load balancers and Prometheus, over a real site."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from pytest_twisted import ensureDeferred

from cluster_worker.http.health_pages import HealthPages
from cluster_worker.http.metrics_page import MetricsPage, MetricsSection
from cluster_worker.http.tree import Branch
from cluster_worker.runtime.metrics import DaemonInfo, Replaceable, make_registry
from cluster_worker.runtime.readiness import Readiness
from tests.integration.http.conftest import Serve, Served


class Node:
    """A node that is as well as a test wants."""

    def __init__(self) -> None:
        self.is_ready = True
        self.components: dict[str, str] = {"datastore_worker": "ok"}
        self.readiness = Readiness(lambda: self.is_ready)
        self.readiness.startService()

    async def health(self) -> Mapping[str, str]:
        return self.components

    def tree(self) -> Branch:
        tree = Branch()
        tree.mount("health", HealthPages(self.readiness, self.health))
        return tree


async def get(served: Served, path: str, method: str = "GET") -> tuple[int, Any]:
    answer = await served.ask(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return answer.status, json.loads(answer.body) if answer.body else None


@ensureDeferred
async def test_a_healthy_node_says_so_on_every_page(serve: Serve) -> None:
    served = await serve(Node().tree())
    assert await get(served, "/health") == (200, {"status": "healthy"})
    assert await get(served, "/health/") == (200, {"status": "healthy"})
    assert await get(served, "/health/live") == (200, {"status": "live"})
    assert await get(served, "/health/ready") == (200, {"status": "ready"})
    assert await get(served, "/health/other") == (404, None)
    assert (await get(served, "/health", "POST"))[0] == 405


@ensureDeferred
async def test_a_sick_component_is_named_and_does_not_make_the_node_unready(serve: Serve) -> None:
    node = Node()
    served = await serve(node.tree())
    node.components["datastore_worker"] = "error: unavailable"
    sick = {"status": "unhealthy", "reasons": ["datastore_worker: error: unavailable"]}
    assert await get(served, "/health") == (503, sick)
    assert (await get(served, "/health/ready"))[0] == 200


@ensureDeferred
async def test_a_node_is_not_ready_while_it_starts_and_from_the_first_moment_of_a_stop(serve: Serve) -> None:
    node = Node()
    served = await serve(node.tree())
    node.is_ready = False
    assert await get(served, "/health/ready") == (503, {"status": "not ready", "reasons": ["starting"]})
    node.is_ready = True
    node.readiness.require(lambda: False, "draining by command")
    status, body = await get(served, "/health/ready")
    assert (status, body["reasons"]) == (503, ["draining by command"])
    node.readiness.stopService()
    assert (await get(served, "/health/ready"))[1]["reasons"][0] == "draining"
    assert (await get(served, "/health"))[0] == 503
    assert (await get(served, "/health/live"))[0] == 200


def metrics_page(*allowed: str) -> MetricsPage:
    registry: CollectorRegistry = make_registry(DaemonInfo("op_worker", "1.0", "worker@w1"))
    return MetricsPage(registry, MetricsSection(allowed=allowed), Replaceable().refresh)


@ensureDeferred
async def test_metrics_are_told_to_allowed_networks_only(serve: Serve) -> None:
    page = metrics_page("10.0.0.0/8")
    served = await serve(page)
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    refused = await served.ask(request)
    assert refused.status == 403
    assert json.loads(refused.body)["error"]["id"] == "forbidden"
    page.use(MetricsSection())
    answer = await served.ask(request)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(answer.body.decode())}
    assert {"onedata_build_info", "onedata_process_cpu_seconds"} <= names


@ensureDeferred
async def test_openmetrics_is_spoken_to_who_asks_for_it(serve: Serve) -> None:
    served = await serve(metrics_page("127.0.0.0/8"))
    answer = await served.ask(
        b"GET / HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text;version=1.0.0\r\n\r\n"
    )
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.body.endswith(b"# EOF\n")
