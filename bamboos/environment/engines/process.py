"""Nodes as processes of this machine, each with a loopback address of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bamboos.environment import processes
from bamboos.environment.addresses import Addresses, free_loopback_network, https_port
from bamboos.environment.engines.engine import EngineFailed
from bamboos.environment.interpreter import daemon_python
from bamboos.environment.names import Names
from bamboos.environment.node_command import NodeCommand, saved_commands
from bamboos.environment.surroundings import SharedMachine, Surroundings

KILL_LIMIT_S = 10.0


class ProcessEngine:
    """See ``Engine``. Processes are known by their folders, so another run finds them too.

    ``adapt`` may change how a node is started, and its configuration file, just before that happens.
    """

    name = "process"

    def __init__(self, folder: Path, addresses: Addresses) -> None:
        self._folder = folder
        self.adapt: Callable[[NodeCommand], NodeCommand] = _as_it_is
        self._started: dict[str, NodeCommand] = {}
        self.addresses = addresses
        self.surroundings: Surroundings = SharedMachine(
            folder=folder, python=str(daemon_python()), addresses=addresses
        )

    @classmethod
    def make(cls, folder: Path, names: Names, saved: Mapping[str, Any]) -> ProcessEngine:
        """See ``EngineMaker``."""
        port = saved.get("port", https_port())
        find = partial(free_loopback_network, f"{names.uid} {folder}", port)
        return cls(folder, Addresses(port, find, dict(saved.get("addresses", {}))))

    def open(self, hosts: Mapping[str, Sequence[str]]) -> None:
        """See ``Engine``; nothing but addresses is needed."""
        if running := processes.members(self._folder):
            raise EngineFailed(f"{len(running)} processes of {self._folder} are running already")
        for host in hosts:
            self.addresses.of(host)

    def attach(self, hosts: Mapping[str, Sequence[str]]) -> None:
        """See ``Engine``."""
        for command in saved_commands(self._folder):
            if command.host in hosts:
                self._started[command.node] = command

    def admit(self, host: str, aliases: Sequence[str]) -> None:
        """See ``Engine``."""
        self.addresses.of(host)

    def dismiss(self, node: str) -> None:
        """See ``Engine``."""
        self._started.pop(node, None)

    def start(self, command: NodeCommand) -> None:
        """See ``Engine``."""
        processes.start(self.adapt(command), self._folder)
        self._started[command.node] = command

    def stop(self, node: str) -> None:
        """See ``Engine``."""
        if pid := self._pid(node):
            processes.stop([pid], self._folder)

    def kill(self, node: str) -> None:
        """See ``Engine``."""
        pid = self._pid(node)
        if pid is None or not processes.belongs_to(pid, self._folder):
            return
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + KILL_LIMIT_S
        while processes.is_running(pid) and time.monotonic() < deadline:
            time.sleep(0.01)

    def is_running(self, node: str) -> bool:
        """See ``Engine``."""
        pid = self._pid(node)
        return pid is not None and processes.is_running(pid)

    def ended(self) -> Sequence[NodeCommand]:
        """See ``Engine``."""
        return [command for node, command in self._started.items() if not self.is_running(node)]

    def settle(self) -> None:
        """See ``Engine``; there is nothing to wait for."""

    def close(self) -> None:
        """See ``Engine``."""
        processes.stop(processes.members(self._folder), self._folder)

    def saved(self) -> Mapping[str, Any]:
        """See ``Engine``."""
        return {"port": self.addresses.port, "addresses": dict(self.addresses.given)}

    def report(self) -> Mapping[str, Any]:
        """See ``Engine``; a ``redis@`` node's process is the server's, not its owner's."""
        return {"docker_ids": [], "dns": "none", "pids": self._pids(), "containers": {}}

    def _pids(self) -> Mapping[str, int]:
        return {node: self._server_pid(node) or self._pid(node) or 0 for node in self._started}

    def _server_pid(self, node: str) -> int | None:
        return _number(self._folder / "nodes" / node.partition("@")[2] / "redis.pid")

    def _pid(self, node: str) -> int | None:
        return _number(self._folder / "nodes" / node.partition("@")[2] / "process.pid")


def _as_it_is(command: NodeCommand) -> NodeCommand:
    return command


def _number(file: Path) -> int | None:
    return int(file.read_text()) if file.exists() else None
