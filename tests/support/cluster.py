"""Real TLS on loopback: a certificate authority, managers and nodes, stopped after each test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from attrs import define, field
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import maybeDeferred

from cluster_manager.leadership import SoleManager
from cluster_manager.membership.rules import MembershipRules
from cluster_manager.service import ClusterManager
from cluster_manager.settings import ManagerSettings
from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.node.config import NodeConfig
from cluster_worker.runtime.clock import sleep, system_wall_clock
from cluster_worker.runtime.services import OrderedService
from cluster_worker.wire.certificates import CA_CERT, Authority, save_issued
from cluster_worker.wire.connections import Address, LinkReactor
from cluster_worker.wire.messages import Message
from cluster_worker.wire.tls import NodeCredentials, TlsFiles
from tests.support.operator_link import ask_managers

HOST = "127.0.0.1"
OPERATOR = "operator@desk.test"
reactor = cast(LinkReactor, global_reactor)


@define
class RecordingApplication:
    """Remembers its steps; its worker echoes, fails or hangs as it is asked to."""

    name: str = "op_worker"
    steps: list[str] = field(factory=list)
    stops: list[str] = field(factory=list)
    served: list[Any] = field(factory=list)
    left: list[str] = field(factory=list)
    failing_step: str | None = None
    serve: Callable[[str, Any], Any] | None = None

    async def start_step(self, step: str) -> None:
        self.steps.append(step)
        if step == self.failing_step:
            self.failing_step = None
            raise RuntimeError("this step was told to fail")

    async def handle_call(self, worker: str, payload: Any) -> Any:
        self.served.append((worker, payload))
        if self.serve is not None:
            return await self.serve(worker, payload)
        return {"worker": worker, "payload": payload}

    async def healthcheck(self) -> Mapping[str, str]:
        return {"fslogic_worker": "ok", "https_listener": "ok"}

    async def on_forced_stop(self, reason: str) -> None:
        self.stops.append(reason)
        self.steps.clear()


class Cluster:
    """Makes the parts of a cluster and stops them all."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = Authority.make("Test authority", system_wall_clock())
        self.authority.save(directory / "ca")
        self.services = OrderedService()
        self.services.startService()

    def files(
        self, node: str, authority: Authority | None = None, hosts: tuple[str, ...] = (HOST,)
    ) -> TlsFiles:
        directory = self.directory / node
        issuer = authority or self.authority
        save_issued(issuer.issue_node(node, hosts, system_wall_clock()), directory, "node")
        issuer.save(directory)
        return TlsFiles(
            ca=directory / CA_CERT, cert=directory / "node_cert.pem", key=directory / "node_key.pem"
        )

    def manager(self, workers: int, *, port: int = 0, term: int = 1, **options: Any) -> ClusterManager:
        rules = MembershipRules(worker_num=workers, **{"grace_s": 2.0, **options})
        settings = ManagerSettings(
            node_name=f"cm@{HOST}",
            listen=Address(HOST, port),
            rules=rules,
            tick_s=0.1,
            advice_interval_s=0.1,
            status_lifetime_s=0.05,
        )
        credentials = NodeCredentials(self.files(f"cm@{HOST}"))
        manager = ClusterManager(reactor, settings, credentials, SoleManager(term))
        manager.setServiceParent(self.services)
        return manager

    def node(
        self,
        name: str,
        manager_port: int,
        application: RecordingApplication,
        files: TlsFiles | None = None,
        manager_host: str = HOST,
    ) -> ClusterNode:
        files = files or self.files(name)
        config = NodeConfig(
            node_name=name,
            cm_nodes=(f"{manager_host}:{manager_port}",),
            tls_ca=str(files.ca),
            tls_cert=str(files.cert),
            tls_key=str(files.key),
            heartbeat_interval_s=0.1,
        )
        node = ClusterNode(
            reactor,
            config,
            application,
            retry=lambda failures: 0.05,
            leave=lambda: application.left.append(name),
        )
        node.setServiceParent(self.services)
        return node

    async def ask(self, manager_port: int, request: Message) -> Message:
        """Ask the manager as an operator. Raises: RemoteFailure, NoLeader."""
        credentials = NodeCredentials(self.files(OPERATOR))
        managers = [Address(HOST, manager_port)]
        return await ask_managers(reactor, managers, credentials, OPERATOR, request, 5.0)

    async def stop(self, service: ClusterNode | ClusterManager) -> None:
        await maybeDeferred(service.disownServiceParent)


async def eventually(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Return as soon as ``condition`` holds; fail when it does not in time."""
    end = reactor.seconds() + timeout_s
    while not condition():
        assert reactor.seconds() < end, "it did not come true in time"
        await sleep(reactor, 0.01)
