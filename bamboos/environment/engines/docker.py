"""Nodes as containers: one for each, with its host name, in a network of the environment's own."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bamboos.environment.addresses import Addresses
from bamboos.environment.dns_query import DNS_PORT, resolves
from bamboos.environment.engines import networks
from bamboos.environment.engines.containers import ENVIRONMENT, NETWORK, NODE, remove
from bamboos.environment.engines.docker_cli import Docker
from bamboos.environment.engines.engine import EngineFailed
from bamboos.environment.engines.images import Image, find_image
from bamboos.environment.names import Names
from bamboos.environment.node_command import Mount, NodeCommand, saved_commands
from bamboos.environment.surroundings import OwnHosts, Surroundings
from bamboos.environment.zone_file import zone_file

HTTPS_PORT = 443
DNS_LIMIT_S = 60.0
STOP_LIMIT_S = 15
WITH_LOG = 'exec "$@" >> console.log 2>&1'


class DockerEngine:
    """See ``Engine``. The network has no way out; this machine reaches the containers by its bridge.

    Containers find each other by the engine's own name service, this machine finds them by a name
    server in a container ``dns.<uid>.<suffix>``, which also answers for names that do not exist.
    """

    name = "docker"

    def __init__(
        self,
        folder: Path,
        names: Names,
        given: dict[str, str],
        image: str | None = None,
        docker: Docker | None = None,
    ) -> None:
        self._folder, self._names, self._image_name = folder, names, image
        self._docker = docker or Docker()
        self._image: Image | None = None
        self._aliases: dict[str, Sequence[str]] = {}
        self._ids: dict[str, str] = {}
        self._started: dict[str, NodeCommand] = {}
        self.network = f"onedata-{names.uid}"
        self.addresses = Addresses(HTTPS_PORT, self._claim_network, given)

    @classmethod
    def make(
        cls, folder: Path, names: Names, saved: Mapping[str, Any], image: str | None = None
    ) -> DockerEngine:
        """See ``EngineMaker``."""
        return cls(folder, names, dict(saved.get("addresses", {})), image or saved.get("image"))

    @property
    def surroundings(self) -> Surroundings:
        """See ``Engine``."""
        if self._image is None:
            raise EngineFailed("the engine is not open")
        return OwnHosts(python=self._image.python, addresses=self.addresses)

    def open(self, hosts: Mapping[str, Sequence[str]]) -> None:
        """See ``Engine``: an image, a network, a name server."""
        self._remove_leftovers()
        self._image = find_image(self._docker, self._image_name)
        if self.addresses.given:
            self._make_network(self.addresses.network)
        self.addresses.of(self._names.dns)  # the first address
        for host in hosts:
            self.addresses.of(host)
        self._aliases = dict(hosts)
        self._write_zone()
        self.start(self._dns_command())

    def attach(self, hosts: Mapping[str, Sequence[str]]) -> None:
        """See ``Engine``."""
        self._image = find_image(self._docker, self._image_name)
        self._aliases = dict(hosts)
        for command in saved_commands(self._folder):
            if (container := self._inspect(command.node, "{{.Id}}")) is not None:
                self._ids[command.node], self._started[command.node] = container, command

    def admit(self, host: str, aliases: Sequence[str]) -> None:
        """See ``Engine``; the name server is run again with the whole list."""
        self.addresses.of(host)
        self._aliases[host] = aliases
        self._tell_names()

    def dismiss(self, node: str) -> None:
        """See ``Engine``."""
        self._started.pop(node, None)
        self._aliases.pop(_host(node), None)
        if container := self._ids.pop(node, None):
            self._docker("rm", "--force", "--volumes", container)
        self._tell_names()

    def start(self, command: NodeCommand) -> None:
        """See ``Engine``. The container of a node that ended is started again as it was."""
        command.save()
        if self._inspect(command.node, "{{.State.Status}}") is None:
            self._ids[command.node] = self._docker(*self._run_words(command))
        else:
            self._docker("start", command.host)
        self._started[command.node] = command

    def stop(self, node: str) -> None:
        """See ``Engine``."""
        if self.is_running(node):
            self._docker("stop", "--time", str(STOP_LIMIT_S), _host(node))

    def kill(self, node: str) -> None:
        """See ``Engine``."""
        if self.is_running(node):
            self._docker("kill", _host(node))
            self._docker("wait", _host(node))

    def is_running(self, node: str) -> bool:
        """See ``Engine``."""
        return self._inspect(node, "{{.State.Running}}") == "true"

    def ended(self) -> Sequence[NodeCommand]:
        """See ``Engine``."""
        running = set(self._members())
        return [command for node, command in self._started.items() if self._ids[node] not in running]

    def settle(self) -> None:
        """See ``Engine``: the name server has to resolve its own name."""
        deadline = time.monotonic() + DNS_LIMIT_S
        while not resolves(self.addresses.of(self._names.dns), self._names.dns):
            if time.monotonic() > deadline:
                raise EngineFailed(f"the name server does not answer after {DNS_LIMIT_S:.0f} s")
            time.sleep(0.05)

    def close(self) -> None:
        """See ``Engine``."""
        remove(self._docker, self._members("--all"), [self.network])

    def saved(self) -> Mapping[str, Any]:
        """See ``Engine``."""
        return {"addresses": dict(self.addresses.given), "image": self._image_name}

    def report(self) -> Mapping[str, Any]:
        """See ``Engine``."""
        return {
            "docker_ids": list(self._ids.values()),
            "dns": self.addresses.given.get(self._names.dns, "none"),
            "pids": {},
            "containers": dict(self._ids),
            "network": self.network,
        }

    def _remove_leftovers(self) -> None:
        """Forget the ended containers of an earlier run, so that nodes start with today's settings."""
        if running := self._members():
            raise EngineFailed(f"{len(running)} containers of {self._folder} are running already")
        self.close()

    def _members(self, *options: str) -> Sequence[str]:
        label = f"label={ENVIRONMENT}={self._folder}"
        return self._docker("ps", "--quiet", "--no-trunc", *options, "--filter", label).split()

    def _claim_network(self) -> str:
        """Make a network where no other is."""
        for network in networks.candidates(str(self._folder), networks.networks_in_use()):
            first_numbers = str(network.network_address).rpartition(".")[0]
            try:
                self._make_network(first_numbers)
            except EngineFailed as error:
                if "overlap" not in str(error):
                    raise
            else:
                return first_numbers
        raise EngineFailed("no free network found for the containers")

    def _make_network(self, first_numbers: str) -> None:
        label = f"{ENVIRONMENT}={self._folder}"
        where = ["--internal", "--subnet", f"{first_numbers}.0/24", "--gateway", f"{first_numbers}.1"]
        self._docker("network", "create", *where, "--label", label, self.network)

    def _run_words(self, command: NodeCommand) -> Sequence[str]:
        if self._image is None:
            raise EngineFailed("the engine is not open")
        labels = {ENVIRONMENT: str(self._folder), NETWORK: self.network, NODE: command.node}
        own_folder = Mount.same(command.folder, readonly=False)
        words = ["run", "--detach", "--name", command.host, "--hostname", command.host]
        words += ["--network", self.network, "--ip", self.addresses.of(command.host)]
        words += ["--dns", self.addresses.of(self._names.dns), "--env", "PYTHONUNBUFFERED=1"]
        words += ["--workdir", str(command.folder), *_user()]
        for name in (command.host, *self._aliases.get(command.host, ())):
            words += ["--network-alias", name]
        for key, value in labels.items():
            words += ["--label", f"{key}={value}"]
        for mount in (*self._image.mounts, own_folder, *command.mounts):
            words += ["--mount", _mount_option(mount)]
        return [*words, self._image.name, "bash", "-c", WITH_LOG, "bash", *command.argv]

    def _dns_command(self) -> NodeCommand:
        folder = self._zone_path.parent
        twistd = str(Path(self.surroundings.python).with_name("twistd"))
        where = ["--interface", self.addresses.of(self._names.dns), "--port", str(DNS_PORT)]
        argv = [twistd, "--nodaemon", "--pidfile=", "dns", *where, "--pyzone", str(self._zone_path)]
        return NodeCommand(node=f"dns@{self._names.dns}", argv=argv, folder=folder)

    @property
    def _zone_path(self) -> Path:
        return self._folder / "nodes" / self._names.dns / "zone.py"

    def _tell_names(self) -> None:
        """Run the name server again with the whole list; its container and address stay."""
        self._write_zone()
        self._docker("restart", "--time", "1", self._names.dns)
        self.settle()

    def _write_zone(self) -> None:
        names: dict[str, list[str]] = {}
        for host, aliases in {self._names.dns: (), **self._aliases}.items():
            for name in (host, *aliases):
                names.setdefault(name, []).append(self.addresses.of(host))
        self._zone_path.parent.mkdir(parents=True, exist_ok=True)
        self._zone_path.write_text(zone_file(self._names.zone, self._names.dns, names))

    def _inspect(self, node: str, template: str) -> str | None:
        """A property of a node's container, ``None`` when it has none."""
        try:
            return self._docker("container", "inspect", "--format", template, _host(node))
        except EngineFailed as error:
            if "No such container" in str(error):
                return None
            raise


def _host(node: str) -> str:
    return node.partition("@")[2]


def _user() -> Sequence[str]:
    """Files that nodes write belong to whoever raised the environment."""
    return [] if os.geteuid() == 0 else ["--user", f"{os.geteuid()}:{os.getegid()}"]


def _mount_option(mount: Mount) -> str:
    readonly = ",readonly" if mount.readonly else ""
    return f"type=bind,source={mount.source},target={mount.target}{readonly}"
