"""The manager's web site: every page of its door, and the listener."""

from __future__ import annotations

from attrs import frozen
from twisted.internet.interfaces import IReactorTCP, IReactorTime

from cluster_manager.config import ClusterManagerConfig
from cluster_manager.http.config import HttpSection
from cluster_manager.http.door import NodesDoor, StatusDoor
from cluster_manager.http.guard import Guard
from cluster_manager.metrics import ManagerMetrics
from cluster_manager.overseeing import Overseer
from cluster_manager.service import ClusterManager
from cluster_manager.settings import ManagerSettings, reached_at
from cluster_worker.health import NagiosResource
from cluster_worker.http.health_pages import HealthPages
from cluster_worker.http.metrics_page import MetricsPage
from cluster_worker.http.site import StreamingSite
from cluster_worker.http.tls import WebListener
from cluster_worker.http.traffic import Traffic
from cluster_worker.http.tree import Branch
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.metrics import DaemonInfo, Replaceable, make_registry
from cluster_worker.runtime.reactor_lag import ReactorLag
from cluster_worker.runtime.readiness import Readiness
from cluster_worker.wire.connections import Address
from cluster_worker.wire.tls import NodeCredentials

_DOORS = {
    "status": "status",
    "nodes": "nodes",
    "nagios": "health",
    "health": "health",
    "health/live": "health",
    "health/ready": "health",
    "metrics": "metrics",
}


class DoorAddress:
    """The URL of a manager's door, with the port that the system chose once it listens."""

    def __init__(self, section: HttpSection, node_name: str) -> None:
        self._listen, self._port = Address(section.address, section.port), section.port
        self._node_name = node_name
        self.listener: WebListener | None = None

    def __call__(self) -> str:
        port = self._port if self.listener is None else self.listener.port
        return f"https://{reached_at(self._listen.host, port, self._node_name)}"


@frozen(eq=False)
class ManagerSite:
    """Made in the composition root, nothing started.

    Attributes:
        listener: to be started before the manager, which tells others where it is.
        readiness: to be added last to the root, so that it learns of a stop first.
    """

    listener: WebListener
    lag: ReactorLag
    readiness: Readiness
    guard: Guard
    metrics_page: MetricsPage

    @classmethod
    def make(
        cls,
        reactor: IReactorTCP,
        config: ClusterManagerConfig,
        settings: ManagerSettings,
        manager: ClusterManager,
        credentials: NodeCredentials,
        address: DoorAddress,
        *,
        wall_clock: WallClock,
    ) -> ManagerSite:
        clock = IReactorTime(reactor)
        overseer, guard = Overseer(manager, settings, clock, address), Guard(config.http)
        readiness = Readiness(lambda: bool(manager.running))
        registry = make_registry(DaemonInfo("cluster_manager", settings.release, settings.node_name))
        lag, traffic, of_boot = ReactorLag(clock), Traffic(_DOORS), Replaceable()
        for collector in (lag, traffic, ManagerMetrics(manager)):
            registry.register(collector)
        metrics_page = MetricsPage(registry, config.metrics, of_boot.refresh)
        tree = Branch()
        tree.mount("status", StatusDoor(overseer, guard).resource)
        tree.mount("nodes", NodesDoor(overseer, guard).resource)
        tree.mount("nagios", NagiosResource(overseer, wall_clock))
        tree.mount("health", HealthPages(readiness, overseer.components))
        tree.mount("metrics", metrics_page)
        site = StreamingSite(tree, clock=clock, traffic=traffic)
        listener = WebListener(reactor, config.http.address, config.http.port, site, credentials.door)
        address.listener = listener
        return cls(listener, lag, readiness, guard, metrics_page)

    def use(self, config: ClusterManagerConfig) -> None:
        """Take another configuration into use at once."""
        self.guard.use(config.http)
        self.metrics_page.use(config.metrics)
