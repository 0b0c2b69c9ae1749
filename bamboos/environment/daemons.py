"""The processes of each cluster: their folders, configurations and command lines."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bamboos.environment.addresses import Addresses
from bamboos.environment.description import Instance, Storage
from bamboos.environment.names import Names
from bamboos.environment.processes import NodeCommand

MANAGER_PORT = 5055
NODE_PORT = 5056


@dataclass(frozen=True)
class Cluster:
    """One zone, provider or bare cluster. ``kind`` is the name of its worker application."""

    kind: str
    instance: Instance
    names: Names

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

    def hosts(self) -> Sequence[str]:
        """Every host of the cluster."""
        return [*self.workers().values(), *self.managers().values(), self.database]


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where an environment's files lie and which addresses its hosts have."""

    folder: Path
    names: Names
    addresses: Addresses

    def node_folder(self, host: str) -> Path:
        """Configuration, state and logs of the node on ``host``."""
        return self.folder / "nodes" / host

    def storage_folder(self, provider: str, storage: Storage) -> Path:
        """The host folder behind a posix storage; entries with one ``group`` share a folder."""
        shared = storage.options.get("group")
        name = f"group_{shared}" if shared else storage.name.strip("/").replace("/", "_")
        folder = self.folder / "storages" / provider / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def passphrase(site: Site, provider: str) -> str:
    """The administration passphrase of a provider, made at the first start."""
    path = site.folder / "secrets" / f"{provider}.passphrase"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(secrets.token_urlsafe(24))
        path.chmod(0o600)
    return path.read_text()
