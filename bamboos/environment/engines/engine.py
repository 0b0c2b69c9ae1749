"""The interface of everything that can run the nodes of an environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from bamboos.environment.addresses import Addresses
from bamboos.environment.names import Names
from bamboos.environment.node_command import NodeCommand
from bamboos.environment.surroundings import Surroundings


class EngineFailed(Exception):
    """The engine refused; the text says what and why."""


class Engine(Protocol):
    """Runs the nodes of one environment. Calls block; nodes may be started from several threads at once."""

    @property
    def name(self) -> str:
        """The word that chooses this engine."""

    @property
    def addresses(self) -> Addresses:
        """The addresses of the environment's hosts, reachable from this machine."""

    @property
    def surroundings(self) -> Surroundings:
        """What the nodes see around them; after ``open``."""

    def open(self, hosts: Mapping[str, Sequence[str]]) -> None:
        """Make ready what nodes need before the first one, and give each host its address.

        Args:
            hosts: host name → further names by which it is found, where names resolve.

        Raises: EngineFailed, also when nodes of the environment are running already.
        """

    def attach(self, hosts: Mapping[str, Sequence[str]]) -> None:
        """Take up an environment that runs, which another process opened. ``hosts`` is as with ``open``.

        Raises: EngineFailed.
        """

    def admit(self, host: str, aliases: Sequence[str]) -> None:
        """Give one more host its address in the open environment, and make its name known."""

    def dismiss(self, node: str) -> None:
        """Forget a node that has ended, and its name; its address is not given to another."""

    def start(self, command: NodeCommand) -> None:
        """Start a node, or start it again after it ended. Raises: EngineFailed."""

    def stop(self, node: str) -> None:
        """Ask a node to stop and wait until it has ended; after a limit it is killed."""

    def kill(self, node: str) -> None:
        """End a node at once, as a power switch would; return when it has ended."""

    def is_running(self, node: str) -> bool:
        """Whether the node has been started and has not ended."""

    def ended(self) -> Sequence[NodeCommand]:
        """How those nodes were started that were started here and do not run."""

    def settle(self) -> None:
        """Wait until what ``open`` started is ready. Raises: EngineFailed."""

    def close(self) -> None:
        """End every node and remove everything that was made, but no file of the environment's folder."""

    def saved(self) -> Mapping[str, Any]:
        """What ``EngineMaker`` needs to find the environment again; JSON."""

    def report(self) -> Mapping[str, Any]:
        """The engine's part of the output: at least ``docker_ids``, ``dns``, ``pids``, ``containers``."""


EngineMaker = Callable[[Path, Names, Mapping[str, Any]], Engine]
"""Makes the engine of an environment from its folder, its names, and what was saved of an earlier run."""
