"""Waiting until nodes are well and providers have met their zone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from bamboos.environment.node_command import NodeCommand, last_words
from bamboos.environment.rest import Rest, RestFailed

HEALTH_LIMIT_S = 300.0
ZONE_LIMIT_S = 125.0
PAUSE_S = 0.1
LIFE_CHECK_S = 1.0


class LaunchFailed(Exception):
    """Something did not come up; the text says what, and ends with what it last wrote."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker that was started: its node name, its folder, its web door."""

    node: str
    folder: Path
    door: Rest


def wait_healthy(workers: Sequence[Worker], ended: Callable[[], Sequence[NodeCommand]]) -> None:
    """Wait until ``/nagios`` of every worker says ok.

    Args:
        ended: nodes, of any kind, that were started and do not run any more; asked now and then.

    Raises: LaunchFailed, also when a node ended.
    """
    started = next_check = time.monotonic()
    waiting = list(workers)
    while waiting := [worker for worker in waiting if not _is_healthy(worker.door)]:
        now = time.monotonic()
        if now > started + HEALTH_LIMIT_S:
            first = waiting[0]
            problem = f"is not healthy after {HEALTH_LIMIT_S:.0f} s"
            raise LaunchFailed(f"{first.node} {problem}:\n{last_words(first.folder)}")
        if now >= next_check:
            next_check = now + LIFE_CHECK_S
            for command in ended():
                raise LaunchFailed(f"{command.node} ended while starting:\n{last_words(command.folder)}")
        time.sleep(PAUSE_S)


def wait_connected(worker: Worker) -> None:
    """Wait until a provider's worker is connected to its zone. Raises: LaunchFailed."""
    deadline = time.monotonic() + ZONE_LIMIT_S
    while not _is_connected(worker.door):
        if time.monotonic() > deadline:
            raise LaunchFailed(f"{worker.node} is not connected to its zone after {ZONE_LIMIT_S:.0f} s")
        time.sleep(PAUSE_S / 2)


def _is_connected(door: Rest) -> bool:
    return bool(door.request("GET", "/nagios/oz_connectivity").json()["status"] == "ok")


def _is_healthy(door: Rest) -> bool:
    try:
        answer = door.request("GET", "/nagios")
    except (OSError, RestFailed):
        return False
    return ElementTree.fromstring(answer.body).get("status") == "ok"
