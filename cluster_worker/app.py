"""The composition root of the bare worker: a node, a store and the health page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.interfaces import IReactorTime

from cluster_worker.config import ClusterWorkerConfig
from cluster_worker.health import NagiosResource
from cluster_worker.http.site import StreamingSite
from cluster_worker.http.tls import WebListener
from cluster_worker.http.tree import Branch
from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.node.own_certificate import check_own_certificate
from cluster_worker.observability import Observability
from cluster_worker.persistence.engine import Engine
from cluster_worker.persistence.health import engine_status, until_engine_answers
from cluster_worker.persistence.measured import MeasuredEngine, StoreMetrics
from cluster_worker.persistence.setup import make_engine
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.pool import BlockingPool
from cluster_worker.runtime.reloading import Running
from cluster_worker.runtime.services import OrderedService
from cluster_worker.runtime.state_folder import claim_state_folder
from cluster_worker.wire.errors import BadRequest
from cluster_worker.wire.fields import Payload
from cluster_worker.wire.steps import BootStep

_BLOCKING_THREADS = 4


class BareApplication:
    """An application that only has a store. Its calls are echoed."""

    name = "cluster_worker"

    def __init__(self, clock: IReactorTime, engine: Engine, doors: OrderedService) -> None:
        self._clock, self._engine, self._doors = clock, engine, doors
        self.listener: WebListener | None = None

    async def start_step(self, step: str) -> None:
        """See ``Application.start_step``."""
        if step == BootStep.START_DEFAULT_WORKERS:
            await until_engine_answers(self._engine, self._clock)
        elif step == BootStep.START_LISTENERS and self.listener is not None and self.listener.parent is None:
            self.listener.setServiceParent(self._doors)

    async def handle_call(self, worker: str, payload: Payload) -> Payload:
        """Worker ``echo`` returns what it is given."""
        if worker != "echo":
            raise BadRequest(f"no worker {worker}")
        return payload

    async def healthcheck(self) -> Mapping[str, str]:
        """See ``Application.healthcheck``."""
        is_listening = self.listener is not None and self.listener.running
        return {
            "datastore_worker": await engine_status(self._engine),
            "http_listener": "ok" if is_listening else "out_of_sync",
        }

    async def on_forced_stop(self, reason: str) -> None:
        """Close the door; the next boot opens it again."""
        if self.listener is not None and self.listener.parent is not None:
            await self.listener.disownServiceParent()


def make_cluster_worker(
    reactor: Any, config: ClusterWorkerConfig, read_again: Callable[[], ClusterWorkerConfig] | None = None
) -> OrderedService:
    """Return the daemon, not yet started.

    Args:
        read_again: gives the configuration anew at SIGHUP; see ``ConfigurationReload``.

    Raises: StateFolderInUse; BadCredentials; OSError.
    """
    check_own_certificate(config.node)
    claim = claim_state_folder(config.state_dir)
    folder = claim.path
    engine_service, bare_engine = make_engine(reactor, config.redis, str(folder))
    store_metrics = StoreMetrics(bare_engine)
    engine = MeasuredEngine(bare_engine, store_metrics, reactor)
    pool = BlockingPool(reactor, _BLOCKING_THREADS)
    doors = OrderedService()
    application = BareApplication(reactor, engine, doors)
    node = ClusterNode(reactor, config.node, application, blocking=pool, leave=reactor.stop)
    observed = Observability.make(reactor, node, pool, folder=folder, release="", config=config, doors={})
    observed.of_boot.use([store_metrics])
    tree = Branch()
    tree.mount("nagios", NagiosResource(node, system_wall_clock))
    observed.mount_on(tree)
    site = StreamingSite(tree, clock=reactor, traffic=observed.traffic)
    application.listener = WebListener(reactor, config.http.address, config.http.port, site, None)
    reloading = observed.reloading(Running(config), read_again, reactor=reactor, pool=pool)
    root = OrderedService()
    grounds = (claim, *observed.services, pool, engine_service)
    for child in (*grounds, node, doors, *reloading, observed.readiness):
        child.setServiceParent(root)
    return root
