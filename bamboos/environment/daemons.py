"""The processes of each cluster: their folders, configurations and command lines."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from bamboos.environment.addresses import Addresses
from bamboos.environment.description import Instance, Storage
from bamboos.environment.interpreter import daemon_python
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


def commands(site: Site, cluster: Cluster, zone: Cluster | None) -> Sequence[NodeCommand]:
    """Write every node's configuration; return how the cluster's processes are started, in order."""
    return [
        _redis_command(site, cluster),
        *(_manager_command(site, cluster, node, host) for node, host in cluster.managers().items()),
        *(_worker_command(site, cluster, node, host, zone) for node, host in cluster.workers().items()),
    ]


def redis_pid(site: Site, cluster: Cluster) -> int:
    """The process of the cluster's Redis server itself, which its owner process keeps alive."""
    return int((site.node_folder(cluster.database) / "redis.pid").read_text())


def redis_socket(site: Site, cluster: Cluster) -> Path:
    """Where the cluster's Redis listens: a socket that only this user can reach.

    Socket paths are limited to about 100 bytes, so it lies in a short folder of its own.
    """
    digest = hashlib.sha256(str(site.folder).encode()).hexdigest()[:12]
    folder = Path(gettempdir()) / f"onedata-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{cluster.instance.name}.sock"


def _redis_command(site: Site, cluster: Cluster) -> NodeCommand:
    folder = site.node_folder(cluster.database)
    options = ["--state-dir", str(folder), "--unix-socket", str(redis_socket(site, cluster))]
    argv = [str(daemon_python()), "-m", "cluster_worker.persistence.serve", *options]
    return NodeCommand(node=cluster.redis, argv=argv, folder=folder)


def _manager_command(site: Site, cluster: Cluster, node: str, host: str) -> NodeCommand:
    configuration = {
        "state_dir": str(site.node_folder(host) / "state"),
        "cluster_manager": {
            "node_name": node,
            "worker_num": len(cluster.instance.workers),
            "listen_address": site.addresses.of(host),
            "port": MANAGER_PORT,
        },
        "redis": {"url": f"unix://{redis_socket(site, cluster)}"},
        "tls": _cluster_tls(site, cluster, host),
    }
    return _daemon(site, node, host, "cluster-manager", configuration)


def _worker_command(site: Site, cluster: Cluster, node: str, host: str, zone: Cluster | None) -> NodeCommand:
    managers = [f"{site.addresses.of(manager)}:{MANAGER_PORT}" for manager in cluster.managers().values()]
    certificates = site.folder / "certificates" / host
    address = site.addresses.of(host)
    configuration: dict[str, Any] = {
        "state_dir": str(site.node_folder(host) / "state"),
        "node": {
            "node_name": node,
            "listen_address": address,
            "port": NODE_PORT,
            "cm_nodes": managers,
            **{f"tls_{part}": path for part, path in _cluster_tls(site, cluster, host).items()},
        },
        "redis": {"url": f"unix://{redis_socket(site, cluster)}"},
        "http": {
            "address": address,
            "port": site.addresses.port,
            "cert": str(certificates / "web_cert.pem"),
            "key": str(certificates / "web_key.pem"),
            "chain": str(certificates / "web_chain.pem"),
        },
    }
    if cluster.kind == "oz_worker":
        configuration["zone"] = {"domain": cluster.domain, "dev_mode": True}
    elif cluster.kind == "op_worker":
        configuration |= _provider_settings(site, cluster, zone)
    return _daemon(site, node, host, cluster.kind.replace("_", "-"), configuration)


def _provider_settings(site: Site, cluster: Cluster, zone: Cluster | None) -> Mapping[str, Any]:
    passphrase(site, cluster.instance.name)
    secret = site.folder / "secrets" / f"{cluster.instance.name}.passphrase"
    settings: dict[str, Any] = {"emergency_passphrase_file": str(secret)}
    if zone is not None:
        address = site.addresses.of(next(iter(zone.workers().values())))
        settings["zone"] = {
            "domain": zone.domain,
            "address": f"{address}:{site.addresses.port}",
            "ca_file": str(site.folder / "certificates" / "web" / "ca.pem"),
            "reconnect_first_s": 0.2,  # the zone starts at the same time
        }
    return settings


def _cluster_tls(site: Site, cluster: Cluster, host: str) -> Mapping[str, str]:
    certificates = site.folder / "certificates"
    return {
        "ca": str(certificates / cluster.domain / "ca.pem"),
        "cert": str(certificates / host / "node_cert.pem"),
        "key": str(certificates / host / "node_key.pem"),
    }


def _daemon(site: Site, node: str, host: str, plugin: str, configuration: Mapping[str, Any]) -> NodeCommand:
    folder = site.node_folder(host)
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.toml"
    config.write_text(toml(configuration))
    twistd = [str(daemon_python().with_name("twistd")), "--nodaemon", "--pidfile="]
    return NodeCommand(node=node, argv=[*twistd, plugin, "--config", str(config)], folder=folder)


def toml(configuration: Mapping[str, Any]) -> str:
    """Render settings as TOML: plain values first, then one table for each mapping."""
    values = [
        f"{key} = {json.dumps(value)}"
        for key, value in configuration.items()
        if not isinstance(value, Mapping)
    ]
    tables = [
        f"\n[{key}]\n{toml(value)}" for key, value in configuration.items() if isinstance(value, Mapping)
    ]
    return "\n".join([*values, *tables]) + "\n"
