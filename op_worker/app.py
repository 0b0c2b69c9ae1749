"""The composition root of op-worker: reads what a start needs and makes the daemon."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster_worker.http.config import HttpSection
from cluster_worker.http.tls import WebTls
from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.node.own_certificate import check_own_certificate, own_web_certificate
from cluster_worker.observability import Observability
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.pool import BlockingPool
from cluster_worker.runtime.reloading import Running
from cluster_worker.runtime.services import OrderedService
from cluster_worker.runtime.state_folder import StateFolder, claim_state_folder, read_or_make_secret
from op_worker.boot import OpWorkerApplication
from op_worker.config import OpWorkerConfig
from op_worker.ground import Ground, SiteSecrets
from op_worker.http.panel.guard import make_passphrase
from op_worker.http.rest.configuration import PRODUCT_VERSION
from op_worker.http.root import DOOR_NAMES
from op_worker.parts import ProviderParts
from op_worker.zone.connection import load_trust


def make_op_worker(
    reactor: Any, config: OpWorkerConfig, read_again: Callable[[], OpWorkerConfig] | None = None
) -> OrderedService:
    """Return the daemon, not yet started. Claims the state folder and reads certificates and secrets.

    Args:
        read_again: gives the configuration anew at SIGHUP; see ``ConfigurationReload``.

    Raises:
        StateFolderInUse: another daemon runs on the state folder.
        BadCertificateError, BadCredentials, UnusableCertificateError: a certificate cannot be used.
        OSError: the state folder or the passphrase cannot be read or written.
    """
    claim = claim_state_folder(config.state_dir)
    try:
        return _make_claimed(reactor, config, claim, read_again)
    except Exception:
        claim.release()
        raise


def _make_claimed(
    reactor: Any,
    config: OpWorkerConfig,
    claim: StateFolder,
    read_again: Callable[[], OpWorkerConfig] | None,
) -> OrderedService:
    folder, running = claim.path, Running(config)
    files = _certificate_files(config.http, folder)
    site_secrets = SiteSecrets(
        tls=WebTls(*files), certificate_files=files, passphrase=_passphrase(config, folder)
    )
    _check_certificates(config)
    pool = BlockingPool(reactor, config.blocking_threads)
    workers, doors = OrderedService(), OrderedService()
    application = OpWorkerApplication(
        reactor,
        lambda: ProviderParts.make(Ground(reactor, running, folder, pool, node, site_secrets, observed)),
        workers,
        doors,
    )
    node = ClusterNode(
        reactor, config.node, application, release=PRODUCT_VERSION, blocking=pool, leave=reactor.stop
    )
    observed = Observability.make(
        reactor, node, pool, folder=folder, release=PRODUCT_VERSION, config=config, doors=DOOR_NAMES
    )
    reloading = observed.reloading(running, read_again, reactor=reactor, pool=pool)
    root = OrderedService()
    for child in (claim, *observed.services, pool, workers, node, doors, *reloading, observed.readiness):
        child.setServiceParent(root)
    return root


def _certificate_files(http: HttpSection, folder: Path) -> tuple[Path, ...]:
    """The configured certificate, key and chain, or a pair of our own making."""
    return http.certificate_files or own_web_certificate(folder / "web", http.address, system_wall_clock())


def _passphrase(config: OpWorkerConfig, folder: Path) -> str:
    if config.emergency_passphrase_file is not None:
        return Path(config.emergency_passphrase_file).read_text().rstrip("\n")
    return read_or_make_secret(folder / "emergency_passphrase", lambda: make_passphrase(os.urandom))


def _check_certificates(config: OpWorkerConfig) -> None:
    load_trust(config.zone.ca_file)
    check_own_certificate(config.node)
