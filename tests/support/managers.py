"""Several managers as processes of their own, with a real Redis between them."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from attrs import define, field
from twisted.application.service import Service
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import ProcessProtocol, connectionDone
from twisted.protocols.portforward import ProxyFactory, ProxyServer
from twisted.python.failure import Failure

from cluster_manager.stored_state import Leader, StoredState
from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.node.config import NodeConfig
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis, TcpListen
from cluster_worker.persistence.redis import RedisEngine
from tests.support.cluster import HOST, Cluster, RecordingApplication, eventually, reactor

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Daemon(ProcessProtocol):
    """A ``twistd`` and what it said."""

    def __init__(self) -> None:
        self.output, self.ended = b"", False

    def outReceived(self, data: bytes) -> None:
        self.output += data

    def errReceived(self, data: bytes) -> None:
        self.output += data

    def processEnded(self, reason: object) -> None:
        self.ended = True

    def signal(self, name: str) -> None:
        """Send a signal such as ``KILL``, ``STOP`` or ``CONT``."""
        assert self.transport is not None and self.transport.pid is not None
        os.kill(self.transport.pid, getattr(signal, f"SIG{name}"))


@define
class Manager:
    """One manager: its command's configuration, its ports, and its process while it runs."""

    name: str
    port: int
    door_port: int
    config: Path
    daemon: Daemon

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def said(self) -> str:
        """What the process that runs now has written."""
        return self.daemon.output.decode(errors="replace")


class _Forwarded(ProxyServer):
    """The client's end of one forwarded connection."""

    factory: _Forwarding

    def connectionMade(self) -> None:
        if self.factory.is_cut:
            self._abort()
            return
        self.factory.open.add(self)
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.open.discard(self)
        super().connectionLost(reason)

    def _abort(self) -> None:
        assert self.transport is not None
        self.transport.abortConnection()  # type: ignore[attr-defined]  # TCP has it


class _Forwarding(ProxyFactory):
    """Makes forwarded connections, or refuses them."""

    protocol = _Forwarded
    noisy = False

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.open: set[_Forwarded] = set()
        self.is_cut = False


class Forwarder(Service):
    """Passes bytes on to a port of this machine, from another one that can be cut off."""

    def __init__(self, target: int) -> None:
        self._forwarding = _Forwarding(HOST, target)
        self._listening: IListeningPort | None = None
        self.port = free_port()

    def startService(self) -> None:
        super().startService()
        self._listening = reactor.listenTCP(self.port, self._forwarding, 50, HOST)  # type: ignore[arg-type]  # untyped base

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        if self._listening is not None:
            await maybeDeferred(self._listening.stopListening)
        self.cut()

    def cut(self) -> None:
        """End all connections and let none through any more."""
        self._forwarding.is_cut = True
        for connection in list(self._forwarding.open):
            connection._abort()

    def heal(self) -> None:
        """Let connections through again."""
        self._forwarding.is_cut = False


@define
class Managers:
    """A Redis and the managers that share it; ``stop`` ends everything."""

    cluster: Cluster
    workers: int = 2
    options: str = ""
    all: list[Manager] = field(factory=list)
    redis: EmbeddedRedis = field(init=False)
    redis_port: int = field(init=False)
    engine: RedisEngine = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.redis_port = free_port()
        listen = TcpListen(HOST, self.redis_port)
        self.redis = EmbeddedRedis(reactor, str(self.cluster.directory / "redis"), listen=listen)
        self.redis.setServiceParent(self.cluster.services)
        self.engine = RedisEngine(reactor, self.redis.address, RedisConfig())
        self.engine.setServiceParent(self.cluster.services)

    @property
    def addresses(self) -> tuple[str, ...]:
        """For ``cm_nodes`` of workers."""
        return tuple(manager.address for manager in self.all)

    async def add(self, name: str, redis_url: str | None = None) -> Manager:
        """Start one more manager, and return when it listens."""
        files = self.cluster.files(f"{name}@{HOST}")
        port, door_port = free_port(), free_port()
        config = self.cluster.directory / f"{name}.toml"
        config.write_text(
            f'state_dir = "{self.cluster.directory}/{name}-state"\n'
            f'[cluster_manager]\nnode_name = "{name}@{HOST}"\nport = {port}\nworker_num = {self.workers}\n'
            f'{self.options}\n[redis]\nurl = "{redis_url or f"unix://{self.redis.address.path}"}"\n'
            f"[http]\nport = {door_port}\n"
            f'[tls]\nca = "{files.ca}"\ncert = "{files.cert}"\nkey = "{files.key}"\n'
        )
        manager = Manager(name, port, door_port, config, Daemon())
        self.all.append(manager)
        await self.start(manager)
        return manager

    async def start(self, manager: Manager) -> None:
        """Start its process (again)."""
        daemon = manager.daemon = Daemon()
        command = [sys.executable, "-m", "twisted", "cluster-manager", "--config", str(manager.config)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        folder = str(self.cluster.directory)
        global_reactor.spawnProcess(daemon, sys.executable, command, environment, folder)
        await eventually(lambda: b"listening for nodes" in daemon.output or daemon.ended, 30.0)
        assert not daemon.ended, manager.said

    def node(
        self,
        name: str,
        application: RecordingApplication | None = None,
        leave: Callable[[], None] | None = None,
    ) -> ClusterNode:
        """A worker of this process that knows all managers; ``leave`` is called when it is to stop."""
        files = self.cluster.files(name)
        config = NodeConfig(
            node_name=name,
            cm_nodes=self.addresses,
            tls_ca=str(files.ca),
            tls_cert=str(files.cert),
            tls_key=str(files.key),
        )
        node = ClusterNode(reactor, config, application or RecordingApplication(), leave=leave)
        node.setServiceParent(self.cluster.services)
        return node

    async def leader(self) -> Leader:
        """Who leads, or led last."""
        leader = await StoredState(self.engine).leader()
        assert leader is not None
        return leader

    async def leading(self) -> tuple[Manager, list[Manager]]:
        """The manager that leads, and the others."""
        name = (await self.leader()).node.partition("@")[0]
        (first,) = (manager for manager in self.all if manager.name == name)
        return first, [manager for manager in self.all if manager is not first]

    async def stop(self) -> None:
        """Kill what still runs."""
        for manager in self.all:
            if not manager.daemon.ended:
                manager.daemon.signal("KILL")
        await eventually(lambda: all(manager.daemon.ended for manager in self.all))
