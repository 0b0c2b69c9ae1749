"""Environments for tests: raised by the real command line, stopped by the real clean-up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from bamboos.environment import processes
from bamboos.environment.configurator import access_token
from bamboos.environment.node_command import load_command
from bamboos.environment.rest import Rest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "bamboos" / "docker"
EXAMPLES = ROOT / "bamboos" / "example_env"


@dataclass
class Raised:
    """A running environment: ``output`` is the JSON that env_up printed."""

    output: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Where its state and logs are."""
        return Path(self.output["state_dir"])

    @property
    def ca_cert(self) -> str:
        """The authority of its web certificates."""
        return str(self.output["ca_cert"])

    def address(self, instance: str, node: int = 0) -> str:
        """Address, with a port where needed, of a worker of a zone or provider instance."""
        domain = self.output["domain_mappings"][instance]
        return str(self.output["domains"][domain]["a"][node])

    def session(self, token: str | None = None) -> requests.Session:
        """An HTTPS client session that trusts this environment only."""
        session = requests.Session()
        session.trust_env = False  # a bundle named in the environment would win over ``verify``
        session.verify = self.ca_cert
        if token is not None:
            session.headers["X-Auth-Token"] = token
        return session

    def zone(self) -> Rest:
        """The zone's door for the set-up client."""
        host, _, port = self.address("oz").partition(":")
        return Rest(host, int(port or 443), Path(self.ca_cert))

    def token(self, user: str = "anna", name: str | None = None) -> str:
        """A new access token of a user."""
        return access_token(self.zone(), user, name or f"test {os.urandom(6).hex()}")

    def storage(self, name: str = "/mnt/alpha", provider: str = "krk") -> Path:
        """The host folder behind a posix storage of a provider."""
        path: str = self.output["storages"]["posix"][name]["host_paths"][provider]
        return Path(path)

    def pid(self, prefix: str, instance: str) -> int:
        """The process of a node, such as ``pid("worker@", "krk")``."""
        domain = self.output["domain_mappings"][instance]
        (pid,) = (p for name, p in self.output["pids"].items() if name.startswith(prefix) and domain in name)
        return int(pid)

    def node_folder(self, node_prefix: str, instance: str) -> Path:
        """The folder of a node's configuration, state and logs."""
        domain = self.output["domain_mappings"][instance]
        pids: Mapping[str, int] = self.output["pids"]
        names = [name for name in pids if name.startswith(node_prefix) and domain in name]
        return self.folder / "nodes" / names[0].partition("@")[2]

    def start_again(self, node_prefix: str, instance: str) -> int:
        """Start a node that was killed, with the command that env_up used."""
        return processes.start(load_command(self.node_folder(node_prefix, instance)), self.folder)

    def wait_healthy(self, instance: str, limit_s: float = 30.0) -> float:
        """Wait until a worker's ``/nagios`` says ok; return how many seconds that took."""
        session, url = self.session(), f"https://{self.address(instance)}/nagios"

        def healthy() -> bool:
            try:
                answer = session.get(url, timeout=5)
            except requests.RequestException:
                return False
            return answer.status_code == 200 and 'status="ok"' in answer.text.partition(">")[2][:200]

        return wait_until(healthy, limit_s, f"{url} is not ok")

    def stop(self) -> None:
        """Stop it by the real clean-up script."""
        saved = self.folder / "output.json"
        saved.write_text(json.dumps(self.output))
        subprocess.run([sys.executable, str(SCRIPTS / "cleanup.py"), str(saved)], check=True, timeout=60)


def wait_until(condition: Callable[[], bool], limit_s: float, complaint: str) -> float:
    """Poll until ``condition`` holds; return the seconds it took, fail the test after the limit."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < limit_s, f"{complaint} after {limit_s} s"
        time.sleep(0.05)
    return time.monotonic() - started


def raise_environment(
    description: str | Path, state_dir: Path, engine: str = "process", *options: str
) -> Raised:
    """Run ``env_up.py`` on a description: a file, or an example by its name."""
    path = description if isinstance(description, Path) else EXAMPLES / f"{description}.json"
    command = [sys.executable, str(SCRIPTS / "env_up.py"), "--engine", engine]
    command += [*options, "--state-dir", str(state_dir), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=360, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Raised(json.loads(done.stdout.splitlines()[-1]))


def kill(pid: int) -> None:
    """Kill a process as a power switch would."""
    os.kill(pid, signal.SIGKILL)
