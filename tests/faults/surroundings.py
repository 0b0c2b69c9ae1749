"""What nodes in namespaces see around them: hosts with addresses on one network, and one file system."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import field, frozen

from bamboos.environment.addresses import Addresses, with_port
from bamboos.environment.cluster import Cluster
from bamboos.environment.description import Storage
from bamboos.environment.interpreter import daemon_python
from bamboos.environment.surroundings import REDIS_PORT


@frozen
class Namespaces:
    """See ``bamboos.environment.surroundings.Surroundings``."""

    addresses: Addresses
    redis_urls: dict[str, str] = field(factory=dict)

    @property
    def python(self) -> str:
        """That of this repository."""
        return str(daemon_python())

    def reach(self, host: str) -> str:
        """The address; names do not resolve."""
        return self.addresses.of(host)

    def domain(self, cluster: Cluster) -> str:
        """The address of the first node."""
        return with_port(self.addresses.of(next(iter(cluster.workers().values()))), self.addresses.port)

    def redis_listen(self, cluster: Cluster, password_file: Path) -> Sequence[str]:
        """A port of the host, with a password."""
        listen = f"{self.addresses.of(cluster.database)}:{REDIS_PORT}"
        return ["--listen", listen, "--password-file", str(password_file)]

    def redis_url(self, cluster: Cluster, password: str) -> str:
        """The port, unless the cluster's metadata are elsewhere: ``redis_urls``, by its domain."""
        if (url := self.redis_urls.get(cluster.domain)) is not None:
            return url
        return f"redis://:{password}@{self.addresses.of(cluster.database)}:{REDIS_PORT}"

    def mount_point(self, folder: Path, storage: Storage) -> str:
        """The folder itself."""
        return str(folder)
