"""The JSON that tells where everything of a raised environment is; pure but for the folders it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bamboos.environment.addresses import Addresses, with_port
from bamboos.environment.cluster import Cluster
from bamboos.environment.site import storage_folder


def output(
    folder: Path,
    addresses: Addresses,
    clusters: Sequence[Cluster],
    ca_cert: Path,
    engine: Mapping[str, Any],
) -> Mapping[str, Any]:
    """The keys that consumers of the original scripts read, with our own added.

    Args:
        folder: the environment's.
        addresses: hosts that have none yet, because the start failed, are left out of ``domains``.
        engine: what the engine reports of itself.
    """
    nodes: dict[str, list[str]] = {"oz_worker": [], "op_worker": [], "cluster_worker": []}
    for cluster in clusters:
        nodes[cluster.kind] += cluster.workers()
    return {
        **{f"{kind}_nodes": found for kind, found in nodes.items()},
        "cluster_manager_nodes": [manager for cluster in clusters for manager in cluster.managers()],
        "appmock_nodes": [],
        "onepanel_nodes": [],
        "client_nodes": [],
        "client_data": {},
        "oz_db_nodes": [c.database for c in clusters if c.kind == "oz_worker"],
        "couchbase_nodes": [c.database for c in clusters if c.kind != "oz_worker"],
        "storages": _storages(folder, clusters),
        "domains": {cluster.domain: _addresses(addresses, cluster) for cluster in clusters},
        "domain_mappings": {cluster.instance.name: cluster.domain for cluster in clusters},
        "ca_cert": str(ca_cert),
        "state_dir": str(folder),
        **engine,
    }


def _addresses(addresses: Addresses, cluster: Cluster) -> Mapping[str, Sequence[str]]:
    hosts = [addresses.given[host] for host in cluster.workers().values() if host in addresses.given]
    if cluster.kind == "cluster_worker":
        port = addresses.plain_port
        return {"ns": [], "a": [host if port == 80 else f"{host}:{port}" for host in hosts]}
    found = [with_port(host, addresses.port) for host in hosts]
    return {"ns": found if cluster.kind == "oz_worker" else [], "a": found}


def _storages(folder: Path, clusters: Sequence[Cluster]) -> Mapping[str, Mapping[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for cluster in clusters:
        provider = cluster.instance.name
        for storage in cluster.storages:
            path = str(storage_folder(folder, provider, storage))
            mode = "ro" if storage.options.get("readonly") else "rw"
            first = {"host_path": path, "docker_path": storage.name, "mode": mode, "host_paths": {}}
            record = found.setdefault(storage.type, {}).setdefault(storage.name, first)
            record["host_paths"][provider] = path
    return found
