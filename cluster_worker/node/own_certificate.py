"""Reading a node's own certificate before it starts, so that a mistake is told at once."""

from __future__ import annotations

from pathlib import Path

from cluster_worker.node.config import NodeConfig
from cluster_worker.wire.tls import NodeCredentials, TlsFiles


def check_own_certificate(config: NodeConfig) -> None:
    """Return when the node could join with its certificate, or needs none. Raises: BadCredentials."""
    if config.cm_nodes:
        files = TlsFiles(ca=Path(config.tls_ca), cert=Path(config.tls_cert), key=Path(config.tls_key))
        NodeCredentials(files).load()
