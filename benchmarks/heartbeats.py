"""What the heartbeats of a large cluster cost its manager, in processor time.

Run: ``python -m benchmarks.heartbeats [nodes] [seconds]``. The manager is a process of its own; this one
plays 1 000 nodes that register over mutual TLS, boot, and send a heartbeat every 500 ms each. Loads vary:
a quarter of the nodes is overloaded and gets new advice in each round. The aim is below 20 % of one core.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, cast

import psutil
from attrs import frozen
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react

from cluster_worker.runtime.clock import sleep, system_wall_clock
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.wire.certificates import CA_CERT, Authority, save_issued
from cluster_worker.wire.connections import Address, LinkReactor, open_link
from cluster_worker.wire.conversation import Expectation
from cluster_worker.wire.epochs import NO_EPOCH
from cluster_worker.wire.errors import LinkClosed
from cluster_worker.wire.fields import Fields
from cluster_worker.wire.handlers import LinkParts
from cluster_worker.wire.health_messages import Health, Healthcheck
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Failed, Hello, Role, VersionRange
from cluster_worker.wire.membership_messages import (
    ClusterReady,
    Heartbeat,
    InitStep,
    LoadAdvice,
    RegisterNode,
    RingUpdate,
    StepReport,
)
from cluster_worker.wire.messages import MESSAGES_BY_TYPE, Message
from cluster_worker.wire.tls import NodeCredentials, TlsFiles

NODES, SECONDS = 1000, 20.0
INTERVAL_S = 0.5
AT_A_TIME = 50
HOST = "127.0.0.1"
ROOT = Path(__file__).parents[1]
A_MANAGER = Expectation(frozenset({Role.MANAGER}))


@frozen
class UnreadRing:
    """The ring that no played node looks at: reading it a thousand times would starve their heartbeats."""

    TYPE: ClassVar[int] = RingUpdate.TYPE

    def encode(self) -> list[object]:
        return []

    @classmethod
    def decode(cls, fields: Fields) -> UnreadRing:
        return cls()


class Node:
    """One played node: it reports every step at once, is always well, and beats."""

    def __init__(self, name: str) -> None:
        self.name, self.is_ready, self.link = name, False, cast(Link, None)
        self.beats = self.advice = 0

    def link_opened(self, link: Link) -> None:
        self.link = link

    def handle_notice(self, link: Link, message: Message) -> None:
        if isinstance(message, InitStep):
            link.notify(StepReport(message.epoch, message.step, None))
        elif isinstance(message, ClusterReady):
            self.is_ready = True
        elif isinstance(message, LoadAdvice):
            self.advice += 1

    async def handle_request(self, link: Link, message: Message) -> Message:
        if isinstance(message, Healthcheck):
            return Health((("node_manager", "ok"), ("dispatcher", "ok")))
        return Failed("badRequest", "a played node")

    def link_closed(self, link: Link, reason: str) -> None:
        self.is_ready = False

    def register(self) -> None:
        self.link.notify(RegisterNode(HOST, 1, NO_EPOCH, None))

    async def beat(self, reactor: LinkReactor, chance: random.Random) -> None:
        """Send heartbeats for ever, beginning somewhere in the interval."""
        await sleep(reactor, chance.random() * INTERVAL_S)
        load = chance.choice([5.0, 10.0, 20.0, 60.0])
        while True:
            cpu = min(100.0, max(0.0, load + chance.uniform(-5, 5)))
            self.link.notify(Heartbeat(cpu, 40.0, 1.0, (("calls_in", 3), ("calls_out", 0))))
            self.beats += 1
            await sleep(reactor, INTERVAL_S)


def credentials(directory: Path, authority: Authority, node: str) -> NodeCredentials:
    return NodeCredentials(_files(directory, authority, node))


def _files(directory: Path, authority: Authority, node: str) -> TlsFiles:
    folder = directory / node
    save_issued(authority.issue_node(node, [HOST], system_wall_clock()), folder, "node")
    return TlsFiles(ca=directory / CA_CERT, cert=folder / "node_cert.pem", key=folder / "node_key.pem")


def start_manager(directory: Path, authority: Authority, nodes: int) -> tuple[subprocess.Popen[bytes], int]:
    files = _files(directory, authority, f"cm@{HOST}")
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    config = directory / "manager.toml"
    config.write_text(
        f'state_dir = "{directory}/manager"\n'
        f'[cluster_manager]\nnode_name = "cm@{HOST}"\nport = {port}\nworker_num = {nodes}\n'
        f'[tls]\nca = "{files.ca}"\ncert = "{files.cert}"\nkey = "{files.key}"\n'
    )
    command = [sys.executable, "-m", "twisted", "cluster-manager", "--config", str(config)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    log = (directory / "manager.log").open("wb")
    return subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=log), port


async def connect(
    reactor: LinkReactor, node: Node, port: int, own: NodeCredentials, tasks: TaskOwner
) -> None:
    hello = Hello(VersionRange(1, 1), frozenset(), Role.WORKER, node.name, "op_worker", "1", node.name)
    parts = LinkParts(clock=reactor, hello=lambda: hello, handler=node, tasks=tasks)
    for _ in range(50):
        try:
            await open_link(reactor, Address(HOST, port), own, parts, A_MANAGER)
        except LinkClosed:
            await sleep(reactor, 0.2)
        else:
            return
    raise LinkClosed("the manager does not come up")


async def measure(reactor: LinkReactor, manager: psutil.Process, duration_s: float) -> float:
    """The share of one core that the manager takes."""
    before, started_s = manager.cpu_times(), reactor.seconds()
    await sleep(reactor, duration_s)
    after, took_s = manager.cpu_times(), reactor.seconds() - started_s
    return (after.user + after.system - before.user - before.system) / took_s


def beats_of(played: Sequence[Node]) -> int:
    return sum(node.beats for node in played)


def advice_of(played: Sequence[Node]) -> int:
    return sum(node.advice for node in played)


async def main(reactor: LinkReactor, nodes: int, duration_s: float) -> None:
    MESSAGES_BY_TYPE[RingUpdate.TYPE] = UnreadRing
    chance, tasks = random.Random(1), TaskOwner()
    with TemporaryDirectory() as name:
        directory = Path(name)
        authority = Authority.make("Benchmark authority", system_wall_clock())
        authority.save(directory)
        process, port = start_manager(directory, authority, nodes)
        try:
            played = [Node(f"worker@w{number:04}.example") for number in range(nodes)]
            for start in range(0, nodes, AT_A_TIME):
                group = played[start : start + AT_A_TIME]
                links = [
                    connect(reactor, node, port, credentials(directory, authority, node.name), tasks)
                    for node in group
                ]
                await gatherResults([Deferred.fromCoroutine(link) for link in links])
            for node in played:
                node.register()
                tasks.spawn("heartbeats", node.beat(reactor, chance))
            started_s = reactor.seconds()
            while not all(node.is_ready for node in played):
                await sleep(reactor, 0.1)
            print(f"{nodes} nodes ready {reactor.seconds() - started_s:.1f} s after they registered")
            await sleep(reactor, 3.0)
            manager = psutil.Process(process.pid)
            before, told_before = beats_of(played), advice_of(played)
            started_s = reactor.seconds()
            shares = [await measure(reactor, manager, duration_s / 4) for _ in range(4)]
            took_s = reactor.seconds() - started_s
            beats, advice = beats_of(played) - before, advice_of(played) - told_before
            print(f"{beats / took_s:.0f} heartbeats and {advice / took_s:.0f} pieces of advice per second")
            print(f"manager: {' '.join(f'{share:.1%}' for share in shares)} of a core")
            print(
                f"mean {sum(shares) / len(shares):.1%} of a core (aim: below 20 %),"
                f" {manager.memory_info().rss / 2**20:.0f} MiB"
            )
        finally:
            await tasks.close()
            process.kill()
            process.wait()


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else NODES
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    react(lambda reactor: Deferred.fromCoroutine(main(reactor, number, seconds)), _reactor=global_reactor)
