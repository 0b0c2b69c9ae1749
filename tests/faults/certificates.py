"""New certificates for nodes that run, from the authorities that the arena has."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bamboos.environment.interpreter import daemon_python
from tests.faults.arena import PROVIDER, Arena
from tests.faults.connection import trusting


def renew_web(arena: Arena, host: str) -> None:
    """Put a new web certificate and key in the place of the old ones, file by file."""
    name, folder = arena.hosts[host], _folder(arena)
    domain = arena.environment.names.domain(PROVIDER)
    names = ["--host", name, "--host", domain, "--host", arena.network.addresses[host]]
    _issue(["web", "--ca", str(folder / "web"), *names], folder / name)


def renew_node(arena: Arena, host: str) -> None:
    """Put a new certificate of a node of the cluster in place; the node takes it when it starts."""
    name, folder = arena.hosts[host], _folder(arena)
    authority = str(folder / arena.environment.names.domain(PROVIDER))
    node = f"{'cm' if host in arena.managers else 'worker'}@{name}"
    names = ["--node", node, "--host", name, "--host", arena.network.addresses[host]]
    _issue(["node", "--ca", authority, *names], folder / name)


def served(arena: Arena, host: str) -> bytes:
    """Return the web certificate that a new connection is shown."""
    address = arena.network.addresses[host]
    with (
        socket.create_connection((address, 443), timeout=5) as plain,
        trusting(arena.environment.ca_cert).wrap_socket(plain, server_hostname=address) as link,
    ):
        return link.getpeercert(binary_form=True) or b""


def _folder(arena: Arena) -> Path:
    return arena.environment.folder / "certificates"


def _issue(order: Sequence[str], target: Path) -> None:
    fresh = target / "fresh"
    command = [str(daemon_python()), "-m", "cluster_worker.wire.certificates", "batch"]
    orders = json.dumps([[*order, "--out", str(fresh)]])
    subprocess.run(command, input=orders, text=True, check=True)
    for file in sorted(fresh.iterdir()):
        os.replace(file, target / file.name)
    fresh.rmdir()
