"""Builds the cluster-manager from its configuration."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from attrs import evolve
from twisted.internet.interfaces import IReactorFromThreads

from cluster_manager.config import ClusterManagerConfig
from cluster_manager.dns.service import names_service
from cluster_manager.http.site import DoorAddress, ManagerSite
from cluster_manager.leadership import Leadership, LeaseLeadership, SoleManager, sole_term
from cluster_manager.service import ClusterManager
from cluster_manager.stored_state import ClusterMemory, NoMemory, StoredState
from cluster_worker.persistence.setup import make_engine
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.log_files import LogFiles
from cluster_worker.runtime.pool import Inline
from cluster_worker.runtime.reloading import ConfigurationReload, Running
from cluster_worker.runtime.services import OrderedService
from cluster_worker.runtime.state_folder import claim_state_folder
from cluster_worker.wire.certificates import CA_CERT, CA_KEY, Authority, save_issued
from cluster_worker.wire.connections import LinkReactor
from cluster_worker.wire.tls import NodeCredentials, TlsFiles


def make_cluster_manager(
    reactor: LinkReactor,
    config: ClusterManagerConfig,
    wall_clock: WallClock,
    release: str = "",
    *,
    read_again: Callable[[], ClusterManagerConfig] | None = None,
) -> OrderedService:
    """Return the daemon, not started. Claims the state folder and reads certificates.

    Args:
        read_again: gives the configuration anew at SIGHUP; see ``ConfigurationReload``.

    Raises:
        StateFolderInUse: another daemon runs on the state folder.
        BadCredentials: certificates cannot be used.
        OSError, CertificateProblem: certificates had to be made and could not be.
    """
    claim = claim_state_folder(config.state_dir)
    try:
        credentials = NodeCredentials(_tls_files(config, wall_clock))
        credentials.load()
    except Exception:
        claim.release()
        raise
    logs = LogFiles(
        claim.path / "log", config.log, daemon="cluster_manager", node=config.cluster_manager.node_name
    )
    root = OrderedService()
    claim.setServiceParent(root)
    logs.setServiceParent(root)
    settings = config.settings(release)
    door = DoorAddress(config.http, settings.node_name)
    leadership, memory = _leadership(reactor, config, claim.path, wall_clock(), root)
    manager = ClusterManager(reactor, settings, credentials, leadership, memory=memory, door=door)
    site = ManagerSite.make(reactor, config, settings, manager, credentials, door, wall_clock=wall_clock)
    for child in (site.lag, site.listener, *names_service(reactor, config, manager), manager):
        child.setServiceParent(root)
    if read_again is not None:
        _reload_at_signal(reactor, config, read_again, logs, site, root)
    site.readiness.setServiceParent(root)
    return root


def _reload_at_signal(
    reactor: LinkReactor,
    config: ClusterManagerConfig,
    read: Callable[[], ClusterManagerConfig],
    logs: LogFiles,
    site: ManagerSite,
    root: OrderedService,
) -> None:
    """Let SIGHUP change what may change while the manager runs."""
    running, threads = Running(config), IReactorFromThreads(reactor)
    running.follow(lambda changed: logs.use(changed.log)).setServiceParent(root)
    running.follow(site.use).setServiceParent(root)
    ConfigurationReload(running, read, reactor=threads, blocking=Inline()).setServiceParent(root)


def _leadership(
    reactor: LinkReactor, config: ClusterManagerConfig, folder: Path, now_s: float, root: OrderedService
) -> tuple[Leadership, ClusterMemory]:
    """A sole manager's, or that of one that leads while it holds the lease.

    The store's connection becomes the root's child.
    """
    if config.redis.url is None:
        return SoleManager(sole_term(folder / "term", now_s)), NoMemory()
    useful_s = config.lease.ttl_s / 2  # an answer that comes later is of no use
    redis = evolve(
        config.redis,
        patience_s=useful_s,
        reply_timeout_s=min(config.redis.reply_timeout_s, useful_s),
    )
    carrier, engine = make_engine(reactor, redis, config.state_dir)
    carrier.setServiceParent(root)
    owner = f"{config.cluster_manager.node_name} {secrets.token_hex(8)}"
    return LeaseLeadership(reactor, engine, config.lease, owner), StoredState(engine)


def _tls_files(config: ClusterManagerConfig, wall_clock: WallClock) -> TlsFiles:
    tls = config.tls
    if tls.is_given:
        return TlsFiles(ca=Path(tls.ca), cert=Path(tls.cert), key=Path(tls.key))
    directory = Path(config.state_dir) / "certs"
    _make_missing_certificates(directory, config, wall_clock())
    return TlsFiles(ca=directory / CA_CERT, cert=directory / "node_cert.pem", key=directory / "node_key.pem")


def _make_missing_certificates(directory: Path, config: ClusterManagerConfig, now_s: float) -> None:
    """At the first start without certificates: an authority and the manager's own certificate."""
    if not (directory / CA_KEY).exists():
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        Authority.make("Cluster authority", now_s).save(directory)
    if not (directory / "node_cert.pem").exists():
        section = config.cluster_manager
        hosts = [section.listen_address, config.http.address]
        issued = Authority.load(directory).issue_node(section.node_name, hosts, now_s)
        save_issued(issued, directory, "node")
