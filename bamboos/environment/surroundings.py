"""What nodes see around them: one machine that all share, or a host of their own in a network."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Protocol

from bamboos.environment.addresses import Addresses, with_port
from bamboos.environment.cluster import Cluster
from bamboos.environment.description import Storage

REDIS_PORT = 6379


class Surroundings(Protocol):
    """How the nodes of an environment find each other, their database and their storages."""

    @property
    def python(self) -> str:
        """The interpreter that has the daemons, as a node sees it; ``twistd`` lies beside it."""

    def reach(self, host: str) -> str:
        """The name or address by which other nodes reach ``host``."""

    def domain(self, cluster: Cluster) -> str:
        """How clients and other clusters reach a cluster, with a port where it is not 443."""

    def redis_listen(self, cluster: Cluster, password_file: Path) -> Sequence[str]:
        """Options of the owner of a cluster's Redis that say where the server listens."""

    def redis_url(self, cluster: Cluster, password: str) -> str:
        """Where the cluster's nodes find its Redis."""

    def mount_point(self, folder: Path, storage: Storage) -> str:
        """Where a node finds the storage that lies in ``folder`` of this machine."""


@dataclass(frozen=True, kw_only=True)
class SharedMachine:
    """Nodes are processes beside each other; each has a loopback address, names do not resolve."""

    folder: Path
    python: str
    addresses: Addresses

    def reach(self, host: str) -> str:
        """The address."""
        return self.addresses.of(host)

    def domain(self, cluster: Cluster) -> str:
        """The address of the first node."""
        return with_port(self.addresses.of(next(iter(cluster.workers().values()))), self.addresses.port)

    def redis_listen(self, cluster: Cluster, password_file: Path) -> Sequence[str]:
        """A unix socket."""
        return ["--unix-socket", str(self._redis_socket(cluster))]

    def redis_url(self, cluster: Cluster, password: str) -> str:
        """The unix socket, which asks for no password."""
        return f"unix://{self._redis_socket(cluster)}"

    def mount_point(self, folder: Path, storage: Storage) -> str:
        """The folder itself."""
        return str(folder)

    def _redis_socket(self, cluster: Cluster) -> Path:
        """A socket that only this user can reach.

        Socket paths are limited to about 100 bytes, so it lies in a short folder of its own.
        """
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        folder = Path(gettempdir()) / f"onedata-{digest}"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{cluster.instance.name}.sock"


@dataclass(frozen=True, kw_only=True)
class OwnHosts:
    """Nodes are hosts with names of their own in one network."""

    python: str
    addresses: Addresses

    def reach(self, host: str) -> str:
        """The name, which resolves."""
        return host

    def domain(self, cluster: Cluster) -> str:
        """The domain, which resolves to every node."""
        return cluster.domain

    def redis_listen(self, cluster: Cluster, password_file: Path) -> Sequence[str]:
        """A port of the host, with a password."""
        listen = f"{self.addresses.of(cluster.database)}:{REDIS_PORT}"
        return ["--listen", listen, "--password-file", str(password_file)]

    def redis_url(self, cluster: Cluster, password: str) -> str:
        """The port."""
        return f"redis://:{password}@{cluster.database}:{REDIS_PORT}/0"

    def mount_point(self, folder: Path, storage: Storage) -> str:
        """The name of the storage is its path."""
        return f"/{storage.name.strip('/')}"
