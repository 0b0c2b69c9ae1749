"""A zone and a provider of two nodes, every node a host of its own on a network that can be broken."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from attrs import define, field
from valkey import Valkey

from bamboos.environment import processes
from bamboos.environment.addresses import Addresses
from bamboos.environment.cluster import Cluster
from bamboos.environment.configurator import access_token
from bamboos.environment.description import parse
from bamboos.environment.engines.process import ProcessEngine
from bamboos.environment.launch import Environment
from bamboos.environment.names import Names
from bamboos.environment.node_command import NodeCommand, load_command
from tests.faults import clocks, disks
from tests.faults.sentinels import HOSTS as SENTINEL_HOSTS
from tests.faults.sentinels import SETTINGS, Sentinels
from tests.faults.surroundings import Namespaces
from tests.support.environments import EXAMPLES
from tests.support.network import Network

EXAMPLE = "single_oz_and_two_workers"
PROVIDER = "krk"
WORKERS = ("worker1", "worker2")
MANAGERS = ("cm1", "cm2")
UID = "1700000000"
NETWORK = "10.77.0"
SPACE_NAME, SPACE_ID = "first", "s1"


def description(managers: Sequence[str]) -> Mapping[str, Any]:
    """Return the example with two workers, its provider with these managers."""
    document: dict[str, Any] = json.loads((EXAMPLES / f"{EXAMPLE}.json").read_text())
    provider = document["provider_domains"][PROVIDER]
    (settings,) = provider["cluster_manager"].values()
    settings["sys.config"]["cluster_manager"]["cm_nodes"] = list(managers)
    provider["cluster_manager"] = dict.fromkeys(managers, settings)
    for worker in provider["op_worker"].values():
        worker["sys.config"]["op_worker"]["cm_nodes"] = list(managers)
    return document


def host_name(host: str) -> str:
    """Return the short name of a host on the network: ``worker1``, ``redis``, ``oz-cm``."""
    node, _, domain = host.partition(".")
    if node.startswith("redis0-"):
        node, domain = "redis", host.removeprefix("redis0-")
    return node if domain.startswith(f"{PROVIDER}.") else f"oz-{node}"


@define(eq=False)
class Arena:
    """A running environment; processes are known by the short names of their hosts, such as ``worker1``.

    ``hosts`` are the long names by the short ones.
    """

    environment: Environment
    network: Network
    hosts: Mapping[str, str]
    servers: Sentinels | None = None
    _pids: dict[str, int] = field(factory=dict)
    _tokens: dict[str, str] = field(factory=dict, repr=False)

    @classmethod
    def raise_in(cls, folder: Path, managers: Sequence[str], with_sentinels: bool = False) -> Arena:
        """Raise everything below ``folder``, inside namespaces of our own. Raises: LaunchFailed.

        Args:
            with_sentinels: keep the provider's metadata on servers with replicas, instead of on one.
        """
        engine = ProcessEngine(folder, Addresses(443, lambda: NETWORK))
        engine.surroundings = surroundings = Namespaces(engine.addresses)
        plan = Environment(parse(description(managers)), folder, Names(UID), engine)
        hosts = {host_name(host): host for cluster in plan.clusters() for host in cluster.hosts()}
        addresses = {name: plan.addresses.of(host) for name, host in hosts.items()}
        addresses |= {name: plan.addresses.of(name) for name in SENTINEL_HOSTS if with_sentinels}
        arena = cls(plan, Network(f"{NETWORK}.1", addresses), hosts)
        if with_sentinels:
            arena.servers = Sentinels.on(arena.network, folder / "sentinels")
            arena.servers.group.start()
            surroundings.redis_urls[arena.provider.domain] = arena.servers.group.url
        disks.mount_small(arena.storage.parent, disks.STORAGE_MB)
        disks.mount_small(arena.folder("redis"), disks.REDIS_MB)
        engine.adapt = arena.adapt
        plan.up(lambda _: None)
        pids = engine.report()["pids"]
        arena._pids = {host_name(node.partition("@")[2]): pid for node, pid in pids.items()}
        arena._pids["redis"] = int((arena.folder("redis") / "process.pid").read_text())
        return arena

    @property
    def provider(self) -> Cluster:
        """The cluster that is hurt."""
        (provider,) = [one for one in self.environment.clusters() if one.kind == "op_worker"]
        return provider

    @property
    def managers(self) -> Sequence[str]:
        """The hosts of the provider's managers, in the order that workers try them."""
        return [host_name(host) for host in self.provider.managers().values()]

    @property
    def storage(self) -> Path:
        """The folder behind the space's storage."""
        folder = self.environment.site.storage_folder(
            PROVIDER, self.environment.description.storages["lab"][0]
        )
        return folder / SPACE_ID

    def adapt(self, command: NodeCommand) -> NodeCommand:
        """Start a node on its host, with a clock that can be set."""
        host = host_name(command.node.partition("@")[2])
        variables = [f"{name}={value}" for name, value in self._variables(host, command.folder).items()]
        return replace(command, argv=[*self.network.inside(host), "env", *variables, *command.argv])

    def _variables(self, host: str, folder: Path) -> Mapping[str, str]:
        is_worker = host in WORKERS
        if not is_worker and host not in self.managers:
            return {}
        prefix = "OP_WORKER" if is_worker else "CLUSTER_MANAGER"
        redis = SETTINGS if self.servers is not None else {}
        return {
            **clocks.settable(folder),
            **{f"{prefix}__REDIS__{name}": value for name, value in redis.items()},
        }

    @property
    def sentinels(self) -> Sentinels:
        """The servers of an arena that was raised with sentinels."""
        assert self.servers is not None
        return self.servers

    def leader(self) -> str:
        """Return the host of the manager that leads, by the lease that it holds."""
        with self.store() as store:
            owner = store.hget("lease:manager", "owner")
        assert owner, "no manager leads"
        return host_name(owner.decode().partition("@")[2].partition("/")[0])

    def store(self) -> Any:
        """Return a connection to the server that has the provider's metadata now."""
        if self.servers is not None:
            primary = self.servers.group.primary()
            return Valkey(host=primary.machine.host, port=primary.port)
        return Valkey.from_url(self.redis_url)

    @property
    def redis_url(self) -> str:
        """Where the provider's metadata are kept."""
        password = self.environment.site.redis_password(PROVIDER)
        return self.environment.site.surroundings.redis_url(self.provider, password)

    def pid(self, host: str) -> int:
        """Return the process on a host; on ``redis`` it is the owner of the server."""
        return self._pids[host]

    def redis_pid(self) -> int:
        """Return the present Redis server of the provider."""
        return int((self.folder("redis") / "redis.pid").read_text())

    def folder(self, host: str) -> Path:
        """Return the folder of a node's configuration, state and logs."""
        return self.environment.site.node_folder(self.hosts[host])

    def start_again(self, host: str) -> None:
        """Start a node that has ended, as it was started first."""
        command = load_command(self.folder(host))
        self._pids[host] = processes.start(command, self.environment.folder)

    def end(self, host: str) -> None:
        """Ask a node to stop, and wait until it has."""
        processes.stop([self.pid(host)], self.environment.folder)

    def token(self, user: str = "anna") -> str:
        """Return an access token of a user."""
        if user not in self._tokens:
            self._tokens[user] = access_token(self.environment.zone_door(), user, f"faults of {user}")
        return self._tokens[user]

    def door(self, worker: str) -> str:
        """Return the address of a worker's web door."""
        return self.network.addresses[worker]

    def stop(self) -> None:
        """Stop every process, then the network."""
        self.network.shape({})
        self.environment.down()
        if self.servers is not None:
            self.servers.group.stop()
        self.network.close()
