"""The nodes of each cluster: their folders, configurations and command lines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bamboos.environment.accounts import group_file, passwd_file
from bamboos.environment.cluster import Cluster
from bamboos.environment.node_command import Mount, NodeCommand
from bamboos.environment.site import Site

MANAGER_PORT = 5055
NODE_PORT = 5056
DOOR_PORT = 5057


def commands(site: Site, cluster: Cluster, zone: Cluster | None) -> Sequence[NodeCommand]:
    """Write every node's configuration; return how the cluster's nodes are started, in order."""
    return [
        _redis_command(site, cluster),
        *(_manager_command(site, cluster, node, host) for node, host in cluster.managers().items()),
        *(_worker_command(site, cluster, node, host, zone) for node, host in cluster.workers().items()),
    ]


def redis_pid(site: Site, cluster: Cluster) -> int:
    """The process of the cluster's Redis server itself, which its owner process keeps alive."""
    return int((site.node_folder(cluster.database) / "redis.pid").read_text())


def _redis_command(site: Site, cluster: Cluster) -> NodeCommand:
    folder = site.node_folder(cluster.database)
    password = site.redis_password_file(cluster.instance.name)
    options = ["--state-dir", str(folder), *site.surroundings.redis_listen(cluster, password)]
    argv = [site.surroundings.python, "-m", "cluster_worker.persistence.serve", *options]
    return NodeCommand(node=cluster.redis, argv=argv, folder=folder, mounts=[Mount.same(password)])


def _manager_command(site: Site, cluster: Cluster, node: str, host: str) -> NodeCommand:
    configuration = {
        "state_dir": str(site.node_folder(host) / "state"),
        "cluster_manager": {
            "node_name": node,
            "worker_num": len(cluster.instance.workers),
            "listen_address": site.addresses.of(host),
            "port": MANAGER_PORT,
        },
        "http": {"address": site.addresses.of(host), "port": DOOR_PORT},
        "redis": {"url": _redis_url(site, cluster)},
        "tls": _cluster_tls(site, cluster, host),
    }
    return NodeCommand(
        node=node,
        argv=_daemon(site, host, "cluster-manager", configuration),
        folder=site.node_folder(host),
        mounts=_certificate_mounts(site, cluster, host),
    )


def _worker_command(site: Site, cluster: Cluster, node: str, host: str, zone: Cluster | None) -> NodeCommand:
    managers = [
        f"{site.surroundings.reach(manager)}:{MANAGER_PORT}" for manager in cluster.managers().values()
    ]
    configuration: dict[str, Any] = {
        "state_dir": str(site.node_folder(host) / "state"),
        "node": {
            "node_name": node,
            "listen_address": site.addresses.of(host),
            "port": NODE_PORT,
            "cm_nodes": managers,
            **{f"tls_{part}": path for part, path in _cluster_tls(site, cluster, host).items()},
        },
        "redis": {"url": _redis_url(site, cluster)},
        "http": _door(site, cluster, host),
    }
    mounts = [*_certificate_mounts(site, cluster, host), *_account_mounts(site, cluster)]
    if cluster.kind == "oz_worker":
        configuration["zone"] = {"domain": cluster.domain, "dev_mode": True}
    elif cluster.kind == "op_worker":
        configuration |= _provider_settings(site, cluster, zone)
        mounts += _provider_mounts(site, cluster)
    return NodeCommand(
        node=node,
        argv=_daemon(site, host, cluster.kind.replace("_", "-"), configuration),
        folder=site.node_folder(host),
        mounts=mounts,
    )


def _redis_url(site: Site, cluster: Cluster) -> str:
    return site.surroundings.redis_url(cluster, site.redis_password(cluster.instance.name))


def _door(site: Site, cluster: Cluster, host: str) -> Mapping[str, Any]:
    """The web door of a worker; a bare one has a health page over plain HTTP only."""
    address = site.addresses.of(host)
    if cluster.kind == "cluster_worker":
        return {"address": address, "port": site.addresses.plain_port}
    certificates = site.folder / "certificates" / host
    return {
        "address": address,
        "port": site.addresses.port,
        "cert": str(certificates / "web_cert.pem"),
        "key": str(certificates / "web_key.pem"),
        "chain": str(certificates / "web_chain.pem"),
    }


def _provider_settings(site: Site, cluster: Cluster, zone: Cluster | None) -> Mapping[str, Any]:
    secret = site.passphrase_file(cluster.instance.name)
    settings: dict[str, Any] = {"emergency_passphrase_file": str(secret)}
    if zone is not None:
        address = site.surroundings.reach(next(iter(zone.workers().values())))
        settings["zone"] = {
            "domain": zone.domain,
            "address": f"{address}:{site.addresses.port}",
            "ca_file": str(_web_ca(site)),
            "reconnect_first_s": 0.2,  # the zone starts at the same time
        }
    return settings


def _provider_mounts(site: Site, cluster: Cluster) -> list[Mount]:
    provider = cluster.instance.name
    storages = [
        Mount(
            source=str(site.storage_folder(provider, storage)),
            target=site.mount_point(provider, storage),
            readonly=bool(storage.options.get("readonly")),
        )
        for storage in cluster.storages
        if storage.type == "posix"
    ]
    return [Mount.same(site.passphrase_file(provider)), Mount.same(_web_ca(site)), *storages]


def _certificate_mounts(site: Site, cluster: Cluster, host: str) -> list[Mount]:
    """A node's own certificates and the authority of its cluster, without the authority's key."""
    certificates = site.folder / "certificates"
    return [Mount.same(certificates / host), Mount.same(certificates / cluster.domain / "ca.pem")]


def _account_mounts(site: Site, cluster: Cluster) -> Sequence[Mount]:
    """The accounts of the cluster's operating system configuration, where it has one."""
    if not cluster.accounts.users:
        return []
    folder = site.folder / "accounts" / cluster.instance.name
    folder.mkdir(parents=True, exist_ok=True)
    files = {"passwd": passwd_file(cluster.accounts), "group": group_file(cluster.accounts)}
    for name, text in files.items():
        (folder / name).write_text(text)
    return [Mount(source=str(folder / name), target=f"/etc/{name}") for name in files]


def _web_ca(site: Site) -> Path:
    return site.folder / "certificates" / "web" / "ca.pem"


def _cluster_tls(site: Site, cluster: Cluster, host: str) -> Mapping[str, str]:
    certificates = site.folder / "certificates"
    return {
        "ca": str(certificates / cluster.domain / "ca.pem"),
        "cert": str(certificates / host / "node_cert.pem"),
        "key": str(certificates / host / "node_key.pem"),
    }


def _daemon(site: Site, host: str, plugin: str, configuration: Mapping[str, Any]) -> Sequence[str]:
    folder = site.node_folder(host)
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.toml"
    config.touch(mode=0o600)  # it may hold the password of Redis
    config.write_text(toml(configuration))
    twistd = str(Path(site.surroundings.python).with_name("twistd"))
    return [twistd, "--nodaemon", "--pidfile=", plugin, "--config", str(config)]


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
