"""Raising an environment: certificates, processes, waiting until healthy, set-up, the output JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from xml.etree import ElementTree

from bamboos.environment import configurator, daemons, processes
from bamboos.environment.addresses import Addresses, https_port, with_port
from bamboos.environment.certificates import Certificates
from bamboos.environment.configurator import ProviderDoors
from bamboos.environment.daemons import Cluster, Site
from bamboos.environment.description import Description, Instance
from bamboos.environment.names import Names
from bamboos.environment.processes import NodeCommand
from bamboos.environment.rest import Rest, RestFailed
from bamboos.environment.validation import storages_of

HEALTH_LIMIT_S = 300.0
ZONE_LIMIT_S = 125.0
Say = Callable[[str], None]


class LaunchFailed(Exception):
    """Something did not come up; the text says what, and ends with what it last wrote."""


def _as_it_is(command: NodeCommand) -> NodeCommand:
    return command


@dataclass
class Environment:
    """One environment in its folder. Raised again in the same folder it finds its data.

    ``adapt`` may change how a node is started, and its configuration file, just before that happens.
    """

    description: Description
    folder: Path
    names: Names
    addresses: Addresses
    configured: bool = False
    pids: dict[str, int] = field(default_factory=dict)
    adapt: Callable[[NodeCommand], NodeCommand] = _as_it_is

    @classmethod
    def prepare(cls, description: Description, folder: Path | None) -> Environment:
        """Make or find the environment's folder; nothing is started."""
        uid = str(int(time.time()))
        folder = (folder or Path(gettempdir()) / "onedata" / uid).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        record = folder / "environment.json"
        saved: dict[str, Any] = json.loads(record.read_text()) if record.exists() else {}
        uid = saved.get("uid", uid)
        port = saved.get("port", https_port())
        addresses = Addresses(f"{uid} {folder}", port, saved.get("addresses", {}))
        names = Names(uid, description.suffix)
        return cls(description, folder, names, addresses, saved.get("configured", False))

    def up(self, say: Say) -> None:
        """Start every process, wait until all are healthy, and do the global set-up once.

        Raises: LaunchFailed. What was started keeps running; ``output`` tells of it.
        """
        if running := processes.members(self.folder):
            raise LaunchFailed(f"{len(running)} processes of {self.folder} are running already")
        try:
            self._up(say)
        except (OSError, RestFailed, KeyError) as error:
            raise LaunchFailed(f"set-up failed: {error!r}") from error

    def down(self) -> None:
        """Stop every process of the environment."""
        processes.stop(processes.members(self.folder), self.folder)

    def _up(self, say: Say) -> None:
        clusters = self.clusters()
        hosts = {host: self.addresses.of(host) for cluster in clusters for host in cluster.hosts()}
        self._save()
        certificates = Certificates(self.folder / "certificates")
        certificates.make(clusters, hosts)
        for cluster in clusters:
            for command in daemons.commands(self.site, cluster, self.zone_of(cluster.instance)):
                say(f"starting {command.node}")
                self.pids[command.node] = processes.start(self.adapt(command), self.folder)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda node: self._wait_healthy(*node), self._doors(clusters)))
        for cluster in clusters:
            self.pids[cluster.redis] = daemons.redis_pid(self.site, cluster)
        say("every node is healthy")
        self._configure(say)
        self._wait_connected()

    @property
    def site(self) -> Site:
        """Where the environment lives, for those who write its nodes' configurations."""
        return Site(folder=self.folder, names=self.names, addresses=self.addresses)

    @property
    def ca_cert(self) -> Path:
        """The authority that signed every web certificate of the environment."""
        return Certificates(self.folder / "certificates").web_ca

    def clusters(self) -> Sequence[Cluster]:
        """Zones, providers and bare clusters, in starting order."""
        kinds = (
            ("oz_worker", self.description.zones),
            ("op_worker", self.description.providers),
            ("cluster_worker", self.description.clusters),
        )
        return [Cluster(kind, instance, self.names) for kind, part in kinds for instance in part]

    def zone_of(self, instance: Instance) -> Cluster | None:
        """The zone cluster that a provider belongs to."""
        for zone in self.description.zones:
            if zone.name == instance.zone:
                return Cluster("oz_worker", zone, self.names)
        return None

    def door(self, host: str) -> Rest:
        """The HTTPS door of a node."""
        return Rest(self.addresses.of(host), self.addresses.port, self.ca_cert)

    def domain(self, instance: Instance) -> str:
        """How clients reach a provider: the address of its first node, with a port where needed."""
        host = self.names.host(next(iter(instance.workers)), instance.name)
        return with_port(self.addresses.of(host), self.addresses.port)

    def _doors(self, clusters: Sequence[Cluster]) -> Sequence[tuple[str, str]]:
        return [(node, host) for cluster in clusters for node, host in cluster.workers().items()]

    def _wait_healthy(self, node: str, host: str) -> None:
        deadline = time.monotonic() + HEALTH_LIMIT_S
        folder = self.site.node_folder(host)
        while time.monotonic() < deadline:
            if not processes.is_running(self.pids[node]):
                raise LaunchFailed(f"{node} ended while starting:\n{processes.last_words(folder)}")
            if self._is_healthy(host):
                return
            time.sleep(0.1)
        raise LaunchFailed(
            f"{node} is not healthy after {HEALTH_LIMIT_S:.0f} s:\n{processes.last_words(folder)}"
        )

    def _wait_connected(self) -> None:
        """Wait until every node of every registered provider is connected to its zone."""
        if self.description.setup is None or not self.description.zones:
            return
        clusters = [cluster for cluster in self.clusters() if cluster.kind == "op_worker"]
        deadline = time.monotonic() + ZONE_LIMIT_S
        for node, host in self._doors(clusters):
            while not self._is_connected(host):
                if time.monotonic() > deadline:
                    raise LaunchFailed(f"{node} is not connected to its zone after {ZONE_LIMIT_S:.0f} s")
                time.sleep(0.05)

    def _is_connected(self, host: str) -> bool:
        answer = self.door(host).request("GET", "/nagios/oz_connectivity")
        return bool(answer.json()["status"] == "ok")

    def _is_healthy(self, host: str) -> bool:
        try:
            answer = self.door(host).request("GET", "/nagios")
        except (OSError, RestFailed):
            return False
        return ElementTree.fromstring(answer.body).get("status") == "ok"

    def _configure(self, say: Say) -> None:
        setup = self.description.setup
        doors = {provider.name: self._provider_doors(provider) for provider in self.description.providers}
        if self.configured:
            say("users, spaces and supports are those of the earlier run")
            return
        for provider in self.description.providers:
            configurator.register_storages(self.description, provider, doors[provider.name])
        if setup is not None and self.description.zones and self.description.providers:
            zone = self.zone_door()
            configurator.set_up_zone(zone, setup)
            for provider in self.description.providers:
                configurator.register_provider(zone, setup, provider, doors[provider.name])
            configurator.support_spaces(zone, setup, doors)
            say("users, groups, spaces and supports are there")
        self.configured = True
        self._save()

    def zone_door(self) -> Rest:
        """The HTTPS door of the first zone."""
        zone = self.description.zones[0]
        return self.door(self.names.host(next(iter(zone.workers)), zone.name))

    def _provider_doors(self, provider: Instance) -> ProviderDoors:
        host = self.names.host(next(iter(provider.workers)), provider.name)
        passphrase = daemons.passphrase(self.site, provider.name)
        folders = {
            storage.name: str(self.site.storage_folder(provider.name, storage))
            for storage in storages_of(self.description, provider)
        }
        return ProviderDoors(self.door(host).as_user("onepanel", passphrase), self.domain(provider), folders)

    def _save(self) -> None:
        record = {
            "uid": self.names.uid,
            "port": self.addresses.port,
            "addresses": dict(self.addresses.given),
            "configured": self.configured,
        }
        (self.folder / "environment.json").write_text(json.dumps(record, indent=2))

    def link_logs(self, logdir: Path) -> None:
        """Make ``logdir/<host>`` point to each node's folder of logs."""
        logdir.mkdir(parents=True, exist_ok=True)
        for cluster in self.clusters():
            for host in cluster.hosts():
                link = logdir / host
                if not link.exists():
                    link.symlink_to(self.site.node_folder(host))

    def output(self) -> Mapping[str, Any]:
        """The JSON that consumers of the original scripts read, with our own keys added."""
        clusters = self.clusters()
        nodes: dict[str, list[str]] = {"oz_worker": [], "op_worker": [], "cluster_worker": []}
        for cluster in clusters:
            nodes[cluster.kind] += cluster.workers()
        return {
            "docker_ids": [],
            **{f"{kind}_nodes": found for kind, found in nodes.items()},
            "cluster_manager_nodes": [manager for cluster in clusters for manager in cluster.managers()],
            "appmock_nodes": [],
            "onepanel_nodes": [],
            "client_nodes": [],
            "client_data": {},
            "oz_db_nodes": [c.database for c in clusters if c.kind == "oz_worker"],
            "couchbase_nodes": [c.database for c in clusters if c.kind != "oz_worker"],
            "dns": "none",
            "storages": self._storages(),
            "domains": {cluster.domain: self._addresses(cluster) for cluster in clusters},
            "domain_mappings": {cluster.instance.name: cluster.domain for cluster in clusters},
            "ca_cert": str(self.ca_cert),
            "state_dir": str(self.folder),
            "pids": dict(self.pids),
        }

    def _addresses(self, cluster: Cluster) -> Mapping[str, Sequence[str]]:
        port = self.addresses.port
        found = [with_port(self.addresses.of(host), port) for host in cluster.workers().values()]
        return {"ns": found if cluster.kind == "oz_worker" else [], "a": found}

    def _storages(self) -> Mapping[str, Mapping[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for provider in self.description.providers:
            for storage in storages_of(self.description, provider):
                path = str(self.site.storage_folder(provider.name, storage))
                mode = "ro" if storage.options.get("readonly") else "rw"
                first = {"host_path": path, "docker_path": storage.name, "mode": mode, "host_paths": {}}
                record = found.setdefault(storage.type, {}).setdefault(storage.name, first)
                record["host_paths"][provider.name] = path
        return found
