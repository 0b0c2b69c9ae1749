"""Names of everything in an environment, from its uid and the short names of the description."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """``uid`` is the unix time of the first start, as text; ``suffix`` ends every host name."""

    uid: str
    suffix: str = "test"

    def domain(self, instance: str) -> str:
        """The domain of a cluster, such as ``krk.1700000000.test``."""
        return f"{instance}.{self.uid}.{self.suffix}"

    def host(self, node: str, instance: str) -> str:
        """The host name of a node, such as ``worker1.krk.1700000000.test``."""
        return f"{node.replace('@', '')}.{self.domain(instance)}"

    def worker(self, node: str, instance: str) -> str:
        """The node name of a worker, such as ``worker@worker1.krk.1700000000.test``."""
        return f"worker@{self.host(node, instance)}"

    def manager(self, node: str, instance: str) -> str:
        """The node name of a cluster-manager."""
        return f"cm@{self.host(node, instance)}"

    def database(self, instance: str) -> str:
        """The host name of the Redis server of a cluster."""
        return f"redis0-{self.domain(instance)}"

    @property
    def zone(self) -> str:
        """What ends every name of the environment, such as ``1700000000.test``."""
        return f"{self.uid}.{self.suffix}"

    @property
    def dns(self) -> str:
        """The host name of the name server."""
        return f"dns.{self.zone}"
