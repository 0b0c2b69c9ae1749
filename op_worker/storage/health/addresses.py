"""Where the server of a storage is, as its parameters say. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from attrs import frozen

from op_worker.storage.types import Parameters

_NAMES = ("hostname", "host", "authUrl", "endpoint", "url", "monitorHostname")
"""Parameters that name a server; a type of storage has at most one of them."""

_PORTS: Mapping[str, int] = {
    "http": 80,
    "https": 443,
    "root": 1094,
    "xroot": 1094,
    "roots": 1094,
    "s3": 443,
    "swift": 5000,
    "nfs": 2049,
    "glusterfs": 24007,
    "ceph": 6789,
    "cephrados": 6789,
    "sftp": 22,
    "xrootd": 1094,
}
"""The usual port of a scheme, or else of a type of storage."""


@frozen
class Address:
    """A host by name or number, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def address_of(type_name: str, parameters: Parameters) -> Address | None:
    """Return the first server of a storage; ``None`` where it has none, or none can be told."""
    text = next((parameters.text(name) for name in _NAMES if parameters.has(name)), "")
    first = re.split(r"[,;\s]", text.removeprefix("[").removeprefix("v2:").removeprefix("v1:"))[0]
    if not first:
        return None
    try:
        parts = urlsplit(first if "://" in first else f"//{first}")
        port = parts.port
    except ValueError:
        return None
    if port is None and parameters.has("port"):
        port = parameters.integer("port")
    if port is None:
        scheme = parts.scheme or (parameters.text("scheme") if parameters.has("scheme") else "")
        port = _PORTS.get(scheme) or _PORTS.get(type_name)
    return None if not parts.hostname or port is None else Address(parts.hostname, port)
