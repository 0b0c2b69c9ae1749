"""Managers of real processes, workers of this one, and the operators' command as a process."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.utils import getProcessOutputAndValue

from tests.support.cluster import HOST, OPERATOR
from tests.support.managers import ROOT, Manager, Managers

Answer = tuple[str, str, int]


def operator_folder(managers: Managers, name: str = OPERATOR) -> Path:
    """A folder with the certificate of an operator, or of whoever is named."""
    return managers.cluster.files(name).ca.parent


def door_of(manager: Manager) -> str:
    """The URL of a manager's HTTP door."""
    return f"https://{HOST}:{manager.door_port}"


def command_line(managers: Managers, *words: str, asked: list[Manager] | None = None) -> list[str]:
    """The words that run the operators' command against managers, all unless said otherwise."""
    urls = [word for manager in asked or managers.all for word in ("--url", door_of(manager))]
    own = ["--tls", str(operator_folder(managers))] if "--tls" not in words else []
    return ["-m", "cluster_manager.console", *words, *urls, *own]


async def run_command(managers: Managers, *words: str, asked: list[Manager] | None = None) -> Answer:
    """Run it without a terminal; return what it printed, its complaints, and its exit code."""
    arguments = command_line(managers, *words, asked=asked)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    out, err, code = await getProcessOutputAndValue(
        sys.executable, arguments, environment, str(managers.cluster.directory), global_reactor
    )
    return out.decode(), err.decode(), code


async def status_of(managers: Managers, asked: list[Manager] | None = None) -> Any:
    """What ``status --json`` prints."""
    out, _, _ = await run_command(managers, "status", "--json", asked=asked)
    return json.loads(out)
