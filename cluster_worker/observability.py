"""What a worker daemon tells of itself: logs, metrics, health; made in its composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from attrs import frozen
from prometheus_client import CollectorRegistry
from twisted.application.service import IService
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime

from cluster_worker.http.health_pages import HealthPages
from cluster_worker.http.metrics_page import MetricsPage, MetricsSection
from cluster_worker.http.traffic import Traffic
from cluster_worker.http.tree import Branch
from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.node.metrics import NodeMetrics
from cluster_worker.runtime.log_files import LogFiles, LogSection
from cluster_worker.runtime.metrics import DaemonInfo, Replaceable, make_registry
from cluster_worker.runtime.pool import BlockingPool, PoolMetrics
from cluster_worker.runtime.reactor_lag import ReactorLag
from cluster_worker.runtime.readiness import Readiness
from cluster_worker.runtime.reloading import ConfigurationReload, Running

METRICS, HEALTH = "metrics", "health"
DRAINED = "drained by the operator"
"""Why a node is not ready that is to get nothing new, see ``Ring.draining``."""
OWN_DOORS = {
    METRICS: "metrics",
    HEALTH: "health",
    f"{HEALTH}/live": "health",
    f"{HEALTH}/ready": "health",
    "nagios": "health",
    "nagios/": "health",
    "nagios/oz_connectivity": "health",
}


class ObservedConfig(Protocol):
    """The sections of a daemon's configuration that are about logs and metrics."""

    @property
    def log(self) -> LogSection: ...

    @property
    def metrics(self) -> MetricsSection: ...


C = TypeVar("C", bound=ObservedConfig)


@frozen(eq=False)
class Observability:
    """Everything of one daemon. The registry is the daemon's own; add collectors to it.

    Attributes:
        services: to be started first, as soon as the state folder is claimed.
        readiness: to be added last to the root, so that it learns of a stop first.
        of_boot: for the collectors of what is made anew at each boot.
    """

    registry: CollectorRegistry
    logs: LogFiles
    lag: ReactorLag
    readiness: Readiness
    traffic: Traffic
    pools: PoolMetrics
    of_boot: Replaceable
    metrics_page: MetricsPage
    health_pages: HealthPages

    @classmethod
    def make(
        cls,
        clock: IReactorTime,
        node: ClusterNode,
        pool: BlockingPool,
        *,
        folder: Path,
        release: str,
        config: ObservedConfig,
        doors: Mapping[str, str],
    ) -> Observability:
        """Make everything, nothing started. ``doors``: see ``Traffic``."""
        registry = make_registry(DaemonInfo(node.app_name, release, node.node_name))
        lag, of_boot = ReactorLag(clock), Replaceable()
        traffic = Traffic({**OWN_DOORS, **doors})
        pools = PoolMetrics()
        pools.watch("blocking", pool)
        for collector in (lag, traffic, NodeMetrics(node), pools, of_boot):
            registry.register(collector)
        readiness = Readiness(lambda: node.is_ready)
        readiness.require(lambda: node.node_name not in node.ring.draining, DRAINED)
        return cls(
            registry=registry,
            logs=LogFiles(folder / "log", config.log, daemon=node.app_name, node=node.node_name),
            lag=lag,
            readiness=readiness,
            traffic=traffic,
            pools=pools,
            of_boot=of_boot,
            metrics_page=MetricsPage(registry, config.metrics, of_boot.refresh),
            health_pages=HealthPages(readiness, node.health),
        )

    @property
    def services(self) -> tuple[IService, ...]:
        """The log files and the measuring of the reactor's lag."""
        return self.logs, self.lag

    def mount_on(self, tree: Branch) -> None:
        """Put the pages into the tree of a site."""
        tree.mount(METRICS, self.metrics_page)
        tree.mount(HEALTH, self.health_pages)

    def reloading(
        self,
        running: Running[C],
        read: Callable[[], C] | None,
        *,
        reactor: IReactorFromThreads,
        pool: BlockingPool,
    ) -> tuple[IService, ...]:
        """Return the services that read the configuration again at SIGHUP and use its parts seen here.

        There are none when it cannot be read again (``None``).
        """
        if read is None:
            return ()
        reload = ConfigurationReload(running, read, reactor=reactor, blocking=pool)
        return running.follow(self.use), reload

    def use(self, config: ObservedConfig) -> None:
        """Take another configuration into use at once."""
        self.logs.use(config.log)
        self.metrics_page.use(config.metrics)
