"""Raising an environment: certificates, nodes, waiting until healthy, set-up, the output JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from bamboos.environment import configurator, daemons
from bamboos.environment.accounts import Accounts
from bamboos.environment.addresses import Addresses
from bamboos.environment.certificates import Certificates
from bamboos.environment.cluster import Cluster
from bamboos.environment.configurator import ProviderDoors
from bamboos.environment.description import Description, Instance
from bamboos.environment.engines.engine import Engine, EngineFailed, EngineMaker
from bamboos.environment.engines.process import ProcessEngine
from bamboos.environment.names import Names
from bamboos.environment.output import output
from bamboos.environment.rest import Rest, RestFailed
from bamboos.environment.site import Site
from bamboos.environment.validation import storages_of
from bamboos.environment.waiting import LaunchFailed, Worker, wait_connected, wait_healthy

STARTS_AT_ONCE = 4
RECORD, DESCRIPTION = "environment.json", "description.json"
"""In the environment's folder: what has to be the same in every run; what it was made from."""

Say = Callable[[str], None]


@dataclass
class Environment:
    """One environment in its folder. Raised again in the same folder it finds its data."""

    description: Description
    folder: Path
    names: Names
    engine: Engine
    configured: bool = False

    @classmethod
    def prepare(
        cls, description: Description, folder: Path | None, make_engine: EngineMaker = ProcessEngine.make
    ) -> Environment:
        """Make or find the environment's folder; nothing is started.

        Raises: LaunchFailed when the folder has an environment of another engine.
        """
        uid = str(int(time.time()))
        folder = (folder or Path(gettempdir()) / "onedata" / uid).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        record = folder / RECORD
        saved: dict[str, Any] = json.loads(record.read_text()) if record.exists() else {}
        names = Names(saved.get("uid", uid), description.suffix)
        engine = make_engine(folder, names, saved)
        if saved.get("engine", engine.name) != engine.name:
            raise LaunchFailed(f"{folder} has an environment raised by the engine {saved['engine']!r}")
        return cls(description, folder, names, engine, saved.get("configured", False))

    def up(self, say: Say) -> None:
        """Start every node, wait until all are healthy, and do the global set-up once.

        Raises: LaunchFailed. What was started keeps running; ``output`` tells of it.
        """
        try:
            self._up(say)
        except EngineFailed as error:
            raise LaunchFailed(str(error)) from error
        except (OSError, RestFailed, KeyError) as error:
            raise LaunchFailed(f"set-up failed: {error!r}") from error

    def down(self) -> None:
        """Stop every node of the environment."""
        self.engine.close()

    def _up(self, say: Say) -> None:
        clusters = self.clusters()
        self.engine.open(self.hosts(clusters))
        self.save()
        self.make_certificates(clusters)
        self._start(clusters, say)
        wait_healthy(self.workers(clusters), self.engine.ended)
        self.engine.settle()
        say("every node is healthy")
        self._configure(say)
        if self.description.setup is not None and self.description.zones:
            for worker in self.workers([cluster for cluster in clusters if cluster.kind == "op_worker"]):
                wait_connected(worker)

    def hosts(self, clusters: Sequence[Cluster]) -> Mapping[str, Sequence[str]]:
        """Every host of these clusters and its further names."""
        return {host: names for cluster in clusters for host, names in cluster.hosts().items()}

    def make_certificates(self, clusters: Sequence[Cluster]) -> None:
        """Make those that these clusters lack. Raises: OSError."""
        addresses = {host: self.addresses.of(host) for host in self.hosts(clusters)}
        Certificates(self.folder / "certificates").make(clusters, addresses)

    def _start(self, clusters: Sequence[Cluster], say: Say) -> None:
        commands = [
            command
            for cluster in clusters
            for command in daemons.commands(self.site, cluster, self.zone_of(cluster.instance))
        ]
        with ThreadPoolExecutor(STARTS_AT_ONCE) as pool:
            starting = []
            for command in commands:
                say(f"starting {command.node}")
                starting.append(pool.submit(self.engine.start, command))
            for start in starting:
                start.result()

    @property
    def addresses(self) -> Addresses:
        """The addresses of the environment's hosts."""
        return self.engine.addresses

    @property
    def site(self) -> Site:
        """Where the environment lives, for those who write its nodes' configurations."""
        return Site(
            folder=self.folder,
            names=self.names,
            addresses=self.addresses,
            surroundings=self.engine.surroundings,
        )

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
        return [self._cluster(kind, instance) for kind, part in kinds for instance in part]

    def _cluster(self, kind: str, instance: Instance) -> Cluster:
        accounts = self.description.accounts.get(instance.os_config or "", Accounts())
        return Cluster(kind, instance, self.names, storages_of(self.description, instance), accounts)

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
        """How clients reach a provider, with a port where it is not HTTPS's own."""
        return self.engine.surroundings.domain(Cluster("op_worker", instance, self.names))

    def workers(self, clusters: Sequence[Cluster]) -> Sequence[Worker]:
        """The workers of these clusters and their doors."""
        return [
            Worker(
                node=node,
                folder=self.site.node_folder(host),
                door=self.door(host) if cluster.kind != "cluster_worker" else self._plain_door(host),
            )
            for cluster in clusters
            for node, host in cluster.workers().items()
        ]

    def _plain_door(self, host: str) -> Rest:
        return Rest(self.addresses.of(host), self.addresses.plain_port, None)

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
        self.save()

    def zone_door(self) -> Rest:
        """The HTTPS door of the first zone."""
        zone = self.description.zones[0]
        return self.door(self.names.host(next(iter(zone.workers)), zone.name))

    def _provider_doors(self, provider: Instance) -> ProviderDoors:
        host = self.names.host(next(iter(provider.workers)), provider.name)
        site = self.site
        folders = {
            storage.name: site.mount_point(provider.name, storage)
            for storage in storages_of(self.description, provider)
        }
        panel = self.door(host).as_user("onepanel", site.passphrase(provider.name))
        return ProviderDoors(panel, self.domain(provider), folders)

    def save(self) -> None:
        """Keep what the next run, or a change of the running environment, has to know."""
        record = {
            "uid": self.names.uid,
            "engine": self.engine.name,
            "configured": self.configured,
            **self.engine.saved(),
        }
        (self.folder / RECORD).write_text(json.dumps(record, indent=2))
        (self.folder / DESCRIPTION).write_text(json.dumps(self.description.document, indent=2))

    def link_logs(self, logdir: Path) -> None:
        """Make ``logdir/<host>`` point to each node's folder of logs."""
        logdir.mkdir(parents=True, exist_ok=True)
        for cluster in self.clusters():
            for host in cluster.hosts():
                link = logdir / host
                if not link.exists():
                    link.symlink_to(self.folder / "nodes" / host)

    def output(self) -> Mapping[str, Any]:
        """The JSON that consumers of the original scripts read, with our own keys added."""
        engine = {"engine": self.engine.name, **self.engine.report()}
        return output(self.folder, self.addresses, self.clusters(), self.ca_cert, engine)
