"""What op-worker stands on through all its boots: configuration, state folder, node, secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import field, frozen

from cluster_worker.http.tls import WebTls
from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.observability import Observability
from cluster_worker.runtime.pool import BlockingPool
from cluster_worker.runtime.reloading import Running
from op_worker.config import OpWorkerConfig


@frozen(eq=False)
class SiteSecrets:
    """What was read before the start, so that a mistake in it is told at once."""

    tls: WebTls
    certificate_files: tuple[Path, ...]
    passphrase: str = field(repr=False)


@frozen(eq=False)
class Ground:
    """What outlives a boot."""

    reactor: Any
    running: Running[OpWorkerConfig]
    folder: Path
    pool: BlockingPool
    node: ClusterNode
    secrets: SiteSecrets
    observed: Observability

    @property
    def config(self) -> OpWorkerConfig:
        """The configuration as it is now."""
        return self.running.value
