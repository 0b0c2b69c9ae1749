"""A node's own certificates: checked before it starts, or made when none are configured."""

from __future__ import annotations

from pathlib import Path

from cluster_worker.node.config import NodeConfig
from cluster_worker.wire.certificates import Authority, save_issued
from cluster_worker.wire.tls import NodeCredentials, TlsFiles


def check_own_certificate(config: NodeConfig) -> None:
    """Return when the node could join with its certificate, or needs none. Raises: BadCredentials."""
    if config.cm_nodes:
        files = TlsFiles(ca=Path(config.tls_ca), cert=Path(config.tls_cert), key=Path(config.tls_key))
        NodeCredentials(files).load()


def own_web_certificate(folder: Path, address: str, now_s: float) -> tuple[Path, Path]:
    """Return certificate and key for ``localhost`` and ``address`` in ``folder``, made when missing.

    Clients trust ``ca.pem`` beside them. Raises: OSError; CertificateProblem.
    """
    cert, key = folder / "web_cert.pem", folder / "web_key.pem"
    if not (cert.exists() and key.exists()):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority = Authority.make("daemon on this machine", now_s)
        authority.save(folder)
        save_issued(authority.issue_web(["localhost", "127.0.0.1", address], now_s), folder, "web")
    return cert, key
