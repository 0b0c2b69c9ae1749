"""Containers of a raised environment: ended, started again, cut off from the network and joined to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bamboos.environment.engines.docker_cli import Docker
from tests.support.environments import SCRIPTS, Raised


@dataclass
class Containers:
    """The containers of an environment that the engine ``docker`` raised."""

    raised: Raised
    docker: Docker

    def id_of(self, prefix: str) -> str:
        """The container of the one node whose name begins so, such as ``worker@worker1.krk``."""
        (found,) = (
            container
            for node, container in self.raised.output["containers"].items()
            if node.startswith(prefix)
        )
        return str(found)

    def kill(self, prefix: str) -> None:
        """End a node as a power switch would."""
        self.docker("kill", self.id_of(prefix))

    def start(self, prefix: str) -> None:
        """Start a node again that ended."""
        self.docker("start", self.id_of(prefix))

    def inside(self, prefix: str, *words: str) -> str:
        """Run a command in a node's container; return what it prints."""
        return self.docker("exec", self.id_of(prefix), *words)

    def inspect(self, prefix: str) -> Mapping[str, Any]:
        """What the engine knows of a node's container."""
        (found,) = json.loads(self.docker("container", "inspect", self.id_of(prefix)))
        return dict(found)

    def cut_off(self, prefix: str) -> list[str]:
        """Take a node off the network; return the options that join it again as it was."""
        network = self.raised.output["network"]
        place = self.inspect(prefix)["NetworkSettings"]["Networks"][network]
        self.docker("network", "disconnect", network, self.id_of(prefix))
        options = ["--ip", place["IPAddress"]]
        for alias in place["Aliases"]:
            options += ["--alias", alias]
        return options

    def join(self, prefix: str, options: list[str]) -> None:
        """Undo ``cut_off``."""
        self.docker("network", "connect", *options, self.raised.output["network"], self.id_of(prefix))

    def changed(self, script: str, *options: str) -> Mapping[str, Any]:
        """Run ``add_node.py`` or ``remove_node.py`` on the provider ``krk``; return the new output."""
        saved = self.raised.folder / "output.json"
        saved.write_text(json.dumps(self.raised.output))
        command = [sys.executable, str(SCRIPTS / script), str(saved), "--provider", "krk", *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        output: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return output
