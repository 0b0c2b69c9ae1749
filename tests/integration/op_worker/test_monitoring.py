"""Monitoring of running providers: the dashboard, the example client, several nodes, a killed one."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field
from pytest_twisted import ensureDeferred

from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.engine import Scope
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.runtime.clock import sleep
from cluster_worker.tenure.tenure import Tenure
from op_worker.config import LocalSection, LocalSpace, LocalUser, ProviderMetricsSection
from op_worker.files.model import CreateOptions, Existing
from op_worker.files.service import FileService
from op_worker.metrics.kinds import DATA_ACCESS
from op_worker.metrics.service import MetricsService, Ownership, make_metrics
from tests.integration.op_worker.running import CLOCK, Client, World
from tests.integration.op_worker.test_daemon_process import Daemon
from tests.support.exposition import families_of
from tests.support.provider_nodes import provider_nodes
from tests.support.spaces import SPACE, Site, body, owner, path

DOCS = Path(__file__).parents[3] / "docs"
REST = "/api/v3/oneprovider"


def queried() -> set[str]:
    """The metrics that the dashboard asks for."""
    dashboard = json.loads((DOCS / "dashboards" / "oneprovider.json").read_text())
    texts = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    texts += [one["query"] for one in dashboard["templating"]["list"]]
    return {name for text in texts for name in re.findall(r"\bonedata_\w+", text)}


def local_config(world: World, **metrics: Any) -> Any:
    (world.folder / "data").mkdir(exist_ok=True)
    space = LocalSpace(name="Lab", owner="anna", storage=str(world.folder / "data"), size_b=10**6)
    local = LocalSection(users={"anna": LocalUser()}, spaces={"lab": space})
    return evolve(world.provider_config(local=local), metrics=ProviderMetricsSection(**metrics))


async def provider(world: World, **metrics: Any) -> Client:
    """A provider with a local user and a space; the user's client."""
    await world.start_provider(local_config(world, **metrics))
    token = (world.folder / "provider" / "tokens" / "anna").read_text().strip()
    return world.provider_client().with_token(token)


@ensureDeferred
async def test_the_dashboard_asks_for_metrics_that_exist(world: World) -> None:
    client = await provider(world)
    told = families_of((await client("GET", "/metrics")).content.decode())
    histograms = {f"{name}_bucket" for name, kind in told.items() if kind == "histogram"}
    assert queried()
    assert queried() <= {*told, *histograms}


@pytest.mark.parametrize("users", [False, True])
@ensureDeferred
async def test_prometheus_is_told_of_users_only_when_the_operator_wants_that(
    world: World, users: bool
) -> None:
    client = await provider(world, users=users)
    assert (await client("PUT", "/cdmi/Lab/x", bytes(700), content_type="text/plain")).status == 201
    text = (await client("GET", "/metrics")).content.decode()
    assert re.search(r'onedata_space_written_bytes_total\{.*space="lab".*\} 700\.0', text)
    assert bool(re.search(r'onedata_space_user_written_bytes_total\{.*user="anna".*\} 700\.0', text)) is users


async def last_row(client: Client, space: str, metric: str) -> list[float | None] | None:
    """The newest row of a metric; ``None`` while there is none."""
    answer = await client("GET", f"{REST}/metrics/space/{space}?metric={metric}")
    assert answer.status == 200, answer
    rrd = answer.body[0]["rrd"]
    return rrd["data"][-1] if rrd else None


@pytest.mark.slow
@ensureDeferred
async def test_any_of_two_nodes_tells_the_series_of_a_space(tmp_path: Path) -> None:
    async with provider_nodes(tmp_path) as nodes:
        await nodes.start(0)
        await nodes.start(1)
        anna, token = await nodes.world.user("anna")
        assert (await nodes.register(0, anna)).status == 201
        assert (await nodes.add_storage(0, "st1")).status == 200
        assert (await nodes.support(0, await nodes.new_space(anna, "space1"), "st1")).status == 201
        users = [nodes.user(number, token) for number in (0, 1)]
        for number, user in enumerate(users):
            answer = await user("PUT", f"/cdmi/space1/{number}", bytes(500), content_type="text/plain")
            assert answer.status == 201
        until_s = CLOCK.seconds() + 15
        while await last_row(users[1], "space1", "storage_quota") is None:
            assert CLOCK.seconds() < until_s
            await sleep(CLOCK, 0.1)
        assert await last_row(users[0], "space1", "storage_quota") == [1e9]
        assert await last_row(users[1], "space1", "storage_quota") == [1e9]


@pytest.mark.slow
@ensureDeferred
async def test_two_nodes_on_one_redis_sum_up_and_what_a_dead_one_did_not_flush_is_lost(
    tmp_path: Path,
) -> None:
    server = EmbeddedRedis(CLOCK, str(tmp_path))
    server.startService()
    engines = [RedisEngine(CLOCK, server.address, RedisConfig()) for _ in range(2)]
    for engine in engines:
        engine.startService()
        await engine.wait_ready()
    try:
        nodes = [Node(number, engine) for number, engine in enumerate(engines)]
        for node in nodes:
            await node.start()
        await nodes[0].sample(300)
        for node in nodes:
            await node.put(3000)
            await node.metrics.flushing.flush()
        await nodes[1].put(9000)  # never flushed
        await nodes[0].sample(600)
        (own, *_) = await nodes[0].metrics.answers.space(owner, SPACE, DATA_ACCESS, "5m")
        assert own.export is not None
        assert own.export.data[-1] == [0.0, 20.0]
    finally:
        for engine in engines:
            await engine.stopService()
        await server.stopService()


@define(eq=False)
class Node:
    """A file service with metrics over a store that others use too."""

    number: int
    engine: RedisEngine
    now_s: float = 1_600_000_200.0
    files: FileService = field(init=False)
    metrics: MetricsService = field(init=False)

    async def start(self) -> None:
        site = Site(engine=self.engine, clock=CLOCK)
        site.random.seed(self.number)
        self.files = await site.process(f"worker{self.number}@test")
        self.metrics = make_metrics(
            *(self.engine, self.files.context, lambda: [SPACE], Ownership(owner=f"n{self.number}")),
            clock=CLOCK,
            wall_clock=lambda: self.now_s,
        )

    async def put(self, size_b: int) -> None:
        options = CreateOptions(existing=Existing.UPDATE)
        name = path(str(self.number))
        await self.files.replace_content(owner, name, body(bytes(size_b)), expected_b=None, create=options)

    async def sample(self, after_s: float) -> None:
        self.now_s = 1_600_000_200.0 + after_s
        tenure = Tenure(f"metrics:{SPACE}", "n", 1, self.engine)
        await self.metrics.keeping.sample(SPACE, await tenure.fence(Scope(SPACE)))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    (tmp_path / "data").mkdir()
    made = Daemon(
        tmp_path,
        '[local.users.anna]\n[local.spaces.lab]\nowner = "anna"\nsize_b = 1000000\n'
        f'storage = "{tmp_path}/data"\n[metrics]\nflush_s = 0.2',
    )
    yield made
    for process in made.processes:
        process.kill()
        process.wait()


def client_command(daemon: Daemon, *options: str) -> list[str]:
    state = daemon.folder / "state"
    return [
        *(sys.executable, str(DOCS / "examples" / "monitoring_client.py"), "--host"),
        *(f"127.0.0.1:{daemon.port}", "--token-file", str(state / "tokens" / "anna")),
        *("--ca-file", str(state / "web" / "ca.pem"), *options, "lab"),
    ]


def client_output(daemon: Daemon) -> str:
    """What the example client prints."""
    done = subprocess.run(client_command(daemon), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_example_client_shows_a_space_also_after_a_kill(daemon: Daemon) -> None:
    process = daemon.start()
    until_s = time.monotonic() + 20
    while "1 MB" not in client_output(daemon):
        assert time.monotonic() < until_s
    token = (daemon.folder / "state" / "tokens" / "anna").read_text().strip()
    connection = daemon.connection()
    connection.request(
        "PUT", "/cdmi/lab/x", bytes(5000), {"X-Auth-Token": token, "Content-Type": "text/plain"}
    )
    assert connection.getresponse().status == 201
    connection.close()
    shown = client_output(daemon)
    assert re.search(r"storage_quota +1 MB\n", shown)
    assert re.search(r"storage_used +(0 B|5 kB)\n", shown)  # as of the last sample
    command = client_command(daemon, "--watch", "0.1")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        lines = [watching.stdout.readline() for _ in range(2 * len(shown.splitlines()))]
        watching.kill()
    assert lines.count("space lab\n") == 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    daemon.start()
    again = client_output(daemon)
    assert [line.split()[0] for line in again.splitlines()] == [
        line.split()[0] for line in shown.splitlines()
    ]
    assert re.search(r"storage_quota +1 MB\n", again)
