"""The manager as a process of its own, killed without warning."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from pytest_twisted import ensureDeferred
from twisted.internet import reactor as global_reactor

from cluster_worker.wire.tls import TlsFiles
from tests.support.cluster import HOST, Cluster, RecordingApplication, eventually
from tests.support.managers import Daemon

A, B = "worker@a.test", "worker@b.test"
ROOT = Path(__file__).parents[3]


async def start_manager(cluster: Cluster, files: TlsFiles, port: int) -> Daemon:
    config = cluster.directory / "manager.toml"
    config.write_text(
        f'[cluster_manager]\nnode_name = "cm@{HOST}"\nport = {port}\nworker_num = 2\n'
        f'[http]\nport = 0\n[tls]\nca = "{files.ca}"\ncert = "{files.cert}"\nkey = "{files.key}"\n'
    )
    daemon = Daemon()
    command = [sys.executable, "-m", "twisted", "cluster-manager", "--config", str(config)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    global_reactor.spawnProcess(daemon, sys.executable, command, environment, str(cluster.directory))
    await eventually(lambda: b"listening for nodes" in daemon.output or daemon.ended, 30.0)
    assert not daemon.ended, daemon.output.decode()
    return daemon


@ensureDeferred
async def test_nodes_survive_a_killed_manager_and_are_ready_with_the_next(cluster: Cluster) -> None:
    probe = cluster.manager(1)
    port = probe.port
    await cluster.stop(probe)
    files = cluster.files(f"cm@{HOST}")
    daemon = await start_manager(cluster, files, port)
    apps = RecordingApplication(), RecordingApplication()
    nodes = [cluster.node(name, port, app) for name, app in zip((A, B), apps, strict=True)]
    for node in nodes:
        await node.when_ready()
    assert daemon.transport is not None
    daemon.transport.signalProcess("KILL")
    await eventually(lambda: daemon.ended and not any(node.is_joined for node in nodes))
    assert all(node.is_ready for node in nodes)
    daemon = await start_manager(cluster, files, port)
    await eventually(lambda: all(node.is_joined for node in nodes))
    statuses = await nodes[0].cluster_status()
    assert sorted(statuses) == [A, B] and [app.stops for app in apps] == [[], []]
    assert daemon.transport is not None
    daemon.transport.signalProcess(signal.Signals(signal.SIGTERM).name.removeprefix("SIG"))
    await eventually(lambda: daemon.ended)
