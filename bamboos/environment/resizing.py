"""One more worker in an environment that runs, or one less; whichever engine runs it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bamboos.environment import daemons
from bamboos.environment.certificates import Certificates
from bamboos.environment.cluster import Cluster
from bamboos.environment.description import parse
from bamboos.environment.engines.docker import DockerEngine
from bamboos.environment.engines.engine import EngineFailed, EngineMaker
from bamboos.environment.engines.process import ProcessEngine
from bamboos.environment.interpreter import daemon_python
from bamboos.environment.launch import DESCRIPTION, RECORD, Environment
from bamboos.environment.node_command import last_words
from bamboos.environment.parts import free_name, with_worker, without_worker
from bamboos.environment.waiting import LaunchFailed, wait_healthy

ENGINES: Mapping[str, EngineMaker] = {"process": ProcessEngine.make, "docker": DockerEngine.make}
LEAVE_LIMIT_S = 120.0
ASK_LIMIT_S = 60.0
LEADER_LIMIT_S = 15.0
"""How long a leader is waited for; after a fault the next one is there within 5 s."""
NO_LEADER = 3
"""What the operators' command exits with when nobody leads."""


@dataclass(frozen=True)
class Resizing:
    """Changes the cluster ``instance`` of the environment in ``folder``.

    The new worker is set up as the first one of the cluster is. Both changes stay when the environment
    is raised again.
    """

    folder: Path
    instance: str

    def add(self, node: str | None, say: Callable[[str], None]) -> Mapping[str, Any]:
        """Start a worker, the first free ``worker<N>`` unless named; return the new output.

        Raises: LaunchFailed.
        """
        with _failures(self.instance):
            document = self._document()
            node = node or free_name(document, self.instance)
            larger = with_worker(document, self.instance, node)
            environment = self._attached(document)
            environment.description = parse(larger)
            cluster, host = self._cluster(environment), environment.names.host(node, self.instance)
            environment.engine.admit(host, cluster.hosts()[host])
            environment.make_certificates([cluster])
            commands = daemons.commands(environment.site, cluster, environment.zone_of(cluster.instance))
            (command,) = (command for command in commands if command.host == host)
            say(f"starting {command.node}")
            environment.engine.start(command)
            environment.save()
            workers = [worker for worker in environment.workers([cluster]) if worker.node == command.node]
            wait_healthy(workers, lambda: [one for one in environment.engine.ended() if one == command])
            return environment.output()

    def remove(self, node: str, say: Callable[[str], None]) -> Mapping[str, Any]:
        """Have a worker drain, stop and leave its cluster for good; return the new output.

        Its folder stays. Raises: LaunchFailed, also when the managers decline.
        """
        with _failures(self.instance):
            document = self._document()
            smaller = without_worker(document, self.instance, node)
            environment = self._attached(document)
            name = environment.names.worker(node, self.instance)
            say(f"{name} leaves")
            self._ask(environment, "leave", name)
            self._wait_stopped(environment, name)
            environment.engine.dismiss(name)
            environment.description = parse(smaller)
            environment.save()
            return environment.output()

    def _document(self) -> Mapping[str, Any]:
        document: Mapping[str, Any] = json.loads((self.folder / DESCRIPTION).read_text())
        return document

    def _attached(self, document: Mapping[str, Any]) -> Environment:
        engine = json.loads((self.folder / RECORD).read_text())["engine"]
        environment = Environment.prepare(parse(document), self.folder, ENGINES[engine])
        environment.engine.attach(environment.hosts(environment.clusters()))
        return environment

    def _cluster(self, environment: Environment) -> Cluster:
        return next(one for one in environment.clusters() if one.instance.name == self.instance)

    def _wait_stopped(self, environment: Environment, node: str) -> None:
        deadline = time.monotonic() + LEAVE_LIMIT_S
        while environment.engine.is_running(node):
            if time.monotonic() > deadline:
                words = last_words(environment.site.node_folder(node.partition("@")[2]))
                raise LaunchFailed(f"{node} has not stopped after {LEAVE_LIMIT_S:.0f} s:\n{words}")
            time.sleep(0.1)

    def _ask(self, environment: Environment, what: str, node: str) -> None:
        """Ask the managers of the cluster at their doors, whose addresses their certificates name."""
        cluster = self._cluster(environment)
        addresses = [environment.addresses.of(host) for host in cluster.managers().values()]
        doors = [f"--url=https://{address}:{daemons.DOOR_PORT}" for address in addresses]
        folder = Certificates(environment.folder / "certificates").operator(cluster)
        command = [str(daemon_python()), "-m", "cluster_manager.console", what, node, *doors]
        command += ["--tls", str(folder)]
        deadline = time.monotonic() + LEADER_LIMIT_S
        while True:
            done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_LIMIT_S, check=False)
            if not done.returncode:
                return
            if done.returncode != NO_LEADER or time.monotonic() > deadline:
                raise LaunchFailed(f"{node} cannot {what}: {done.stderr.strip()}")
            time.sleep(0.5)


@contextmanager
def _failures(instance: str) -> Iterator[None]:
    """Whatever hinders a change is told as ``LaunchFailed``."""
    try:
        yield
    except KeyError:
        raise LaunchFailed(f"there is no cluster {instance}") from None
    except (EngineFailed, OSError, ValueError) as error:
        raise LaunchFailed(str(error)) from error
