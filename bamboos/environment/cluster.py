"""One cluster of an environment and the names of its nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bamboos.environment.accounts import Accounts
from bamboos.environment.description import Instance, Storage
from bamboos.environment.names import Names


@dataclass(frozen=True)
class Cluster:
    """One zone, provider or bare cluster. ``kind`` is the name of its worker application.

    ``storages`` and ``accounts`` are what the operating system of its workers offers.
    """

    kind: str
    instance: Instance
    names: Names
    storages: Sequence[Storage] = ()
    accounts: Accounts = field(default_factory=Accounts)

    @property
    def domain(self) -> str:
        """The cluster's domain name."""
        return self.names.domain(self.instance.name)

    @property
    def database(self) -> str:
        """The host name of the cluster's Redis server."""
        return self.names.database(self.instance.name)

    @property
    def redis(self) -> str:
        """The node name of the cluster's Redis server."""
        return f"redis@{self.database}"

    def workers(self) -> Mapping[str, str]:
        """Node name → host name of every worker."""
        name = self.instance.name
        return {self.names.worker(node, name): self.names.host(node, name) for node in self.instance.workers}

    def managers(self) -> Mapping[str, str]:
        """Node name → host name of every manager, in the order that workers try them."""
        name = self.instance.name
        return {
            self.names.manager(node, name): self.names.host(node, name)
            for node in self.instance.manager_names()
        }

    def hosts(self) -> Mapping[str, Sequence[str]]:
        """Every host of the cluster and its further names: each worker answers to the cluster's domain."""
        others = [*self.managers().values(), self.database]
        return {host: [self.domain] for host in self.workers().values()} | {host: [] for host in others}
