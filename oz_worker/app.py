"""The Onezone daemon: engine, zone, node of a cluster and HTTPS, joined."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.logger import Logger
from twisted.web.resource import IResource

from cluster_worker.health import NagiosResource
from cluster_worker.http.access_log import AccessLog, AppendingFile
from cluster_worker.http.certificate_watch import CertificateWatch
from cluster_worker.http.config import HttpSection
from cluster_worker.http.site import StreamingSite
from cluster_worker.http.tls import WebListener, WebTls
from cluster_worker.http.traffic import Traffic
from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.node.own_certificate import check_own_certificate, own_web_certificate
from cluster_worker.observability import Observability
from cluster_worker.persistence.engine import Engine, PersistenceUnavailable
from cluster_worker.persistence.measured import MeasuredEngine, StoreMetrics
from cluster_worker.persistence.setup import make_engine
from cluster_worker.runtime.clock import WallClock, sleep
from cluster_worker.runtime.pool import BlockingPool
from cluster_worker.runtime.reloading import Running
from cluster_worker.runtime.services import OrderedService
from cluster_worker.runtime.state_folder import StateFolder, claim_state_folder, read_or_make_secret
from cluster_worker.wire.errors import BadRequest
from cluster_worker.wire.fields import Payload
from cluster_worker.wire.steps import BootStep
from oz_worker.config import OzWorkerConfig
from oz_worker.doors import DOOR_NAMES, make_tree
from oz_worker.rest.zone import PRODUCT_VERSION
from oz_worker.zone import ZoneMeans, ZoneService

RETRY_S = 1.0


class OzWorker:
    """The application that a node runs; it loads the zone and opens the doors when the boot says so."""

    name = "oz_worker"
    _log = Logger()

    def __init__(
        self, reactor: Any, config: OzWorkerConfig, zone: ZoneService, doors: OrderedService
    ) -> None:
        self._reactor, self._config, self._zone, self._doors = reactor, config, zone, doors
        self._is_loaded = False
        self.listener: WebListener | None = None

    async def start_step(self, step: str) -> None:
        """See ``Application.start_step``."""
        if step == BootStep.START_CUSTOM_WORKERS:
            await self._load()
        elif step == BootStep.UPGRADE_CLUSTER:
            await self._zone.bootstrap(self._first_password)
        elif step == BootStep.START_LISTENERS:
            await self._open_doors()

    def handle_call(self, worker: str, payload: Payload) -> Awaitable[Payload]:
        """Nodes of a zone have nothing to ask each other: the feed tells them everything."""
        raise BadRequest(f"no worker {worker}")

    async def healthcheck(self) -> Mapping[str, str]:
        """See ``Application.healthcheck``."""
        listening = self.listener is not None and self.listener.running
        return {
            "zone_worker": "ok" if self._is_loaded else "error: not loaded",
            "https_listener": "ok" if listening else "error: not listening",
        }

    async def on_forced_stop(self, reason: str) -> None:
        """Close the doors; the next boot opens them again."""
        self._log.warn("the cluster stops this node: {reason}", reason=reason)
        await self._close_doors()

    async def _open_doors(self) -> None:
        if self.listener is None or self.listener.parent is not None:
            return
        try:
            self.listener.setServiceParent(self._doors)
        except CannotListenError:
            await self._close_doors()
            raise

    async def _close_doors(self) -> None:
        if self.listener is not None and self.listener.parent is not None:
            await maybeDeferred(self.listener.disownServiceParent)

    async def _load(self) -> None:
        while not self._is_loaded:
            try:
                await self._zone.load()
            except PersistenceUnavailable:
                await sleep(self._reactor, RETRY_S)
            else:
                self._is_loaded = True

    def _first_password(self) -> str:
        path = self._config.zone.admin_password_file
        if path is not None:
            return Path(path).read_text().rstrip("\n")
        own = Path(self._config.state_dir) / "admin_password"
        self._log.info("the password of user admin is in {path}", path=str(own))
        return read_or_make_secret(own, lambda: secrets.token_urlsafe(18))


def make_oz_worker(
    reactor: Any,
    config: OzWorkerConfig,
    wall_clock: WallClock,
    read_again: Callable[[], OzWorkerConfig] | None = None,
) -> OrderedService:
    """Return the daemon, not yet started. Claims the state folder and reads certificates.

    Args:
        read_again: gives the configuration anew at SIGHUP; see ``ConfigurationReload``.

    Raises: StateFolderInUse; BadCertificateError; BadCredentials; OSError.
    """
    check_own_certificate(config.node)
    claim = claim_state_folder(config.state_dir)
    try:
        return _make_claimed(reactor, config, wall_clock, claim, read_again)
    except Exception:
        claim.release()
        raise


def _make_claimed(
    reactor: Any,
    config: OzWorkerConfig,
    wall_clock: WallClock,
    claim: StateFolder,
    read_again: Callable[[], OzWorkerConfig] | None,
) -> OrderedService:
    folder = claim.path
    files = _certificate_files(config.http, folder, wall_clock)
    tls = WebTls(*files)
    persistence, bare_engine = make_engine(reactor, config.redis, config.state_dir)
    store_metrics = StoreMetrics(bare_engine)
    engine = MeasuredEngine(bare_engine, store_metrics, reactor)
    hashing = BlockingPool(reactor, config.hashing_threads, "hashing")
    zone = ZoneService(_means(reactor, engine, hashing, wall_clock), config.zone, config.login)
    doors = OrderedService()
    application = OzWorker(reactor, config, zone, doors)
    node = ClusterNode(
        reactor, config.node, application, release=PRODUCT_VERSION, blocking=hashing, leave=reactor.stop
    )
    observed = Observability.make(
        reactor, node, hashing, folder=folder, release=PRODUCT_VERSION, config=config, doors=DOOR_NAMES
    )
    observed.of_boot.use([store_metrics])
    log_file = AppendingFile(folder / "log" / "access.log")
    access_log = AccessLog(log_file, clock=reactor, wall_clock=wall_clock, blocking=hashing)
    tree = make_tree(zone.door, zone.graph_sync, NagiosResource(node, wall_clock), zone.info)
    observed.mount_on(tree)
    listener = _make_listener(reactor, config, tls, tree, access_log, observed.traffic, wall_clock)
    application.listener = listener
    running = Running(config)
    following = running.follow(lambda changed: listener.use(changed.http.limits, changed.stop_timeout_s))
    reloading = observed.reloading(running, read_again, reactor=reactor, pool=hashing)
    watch = CertificateWatch(tls, files, clock=reactor, blocking=hashing)
    root = OrderedService()
    grounds = (claim, *observed.services, persistence, hashing, zone, access_log)
    for child in (*grounds, watch, node, doors, following, *reloading, observed.readiness):
        child.setServiceParent(root)
    return root


def _make_listener(
    reactor: Any,
    config: OzWorkerConfig,
    tls: WebTls,
    tree: IResource,
    access_log: AccessLog,
    traffic: Traffic,
    wall_clock: WallClock,
) -> WebListener:
    http = config.http
    site = StreamingSite(
        tree,
        clock=reactor,
        limits=http.limits,
        access_log=access_log,
        traffic=traffic,
        wall_clock=wall_clock,
    )
    return WebListener(reactor, http.address, http.port, site, tls, grace_s=config.stop_timeout_s)


def _means(reactor: Any, engine: Engine, blocking: BlockingPool, wall_clock: WallClock) -> ZoneMeans:
    return ZoneMeans(
        reactor=reactor,
        engine=engine,
        blocking=blocking,
        wall_clock=wall_clock,
        random_bytes=secrets.token_bytes,
    )


def _certificate_files(http: HttpSection, folder: Path, wall_clock: WallClock) -> tuple[Path, ...]:
    """The configured certificate, key and chain, or a pair of our own making."""
    return http.certificate_files or own_web_certificate(folder / "web", http.address, wall_clock())
