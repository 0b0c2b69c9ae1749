"""Servers that still run on a folder after their owner was killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

import psutil
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.runtime.clock import sleep

_PROGRAMS = frozenset({"valkey-server", "redis-server"})
_POLL_S = 0.05
_log = Logger()


def servers_in(folder: str) -> Sequence[int]:
    """Return the process ids of the servers whose data lie in ``folder``: it is where they work."""
    folder = os.path.realpath(folder)
    return [process.pid for process in psutil.process_iter() if _works_in(process, folder)]


def _works_in(process: psutil.Process, folder: str) -> bool:
    try:
        return (
            os.path.basename(process.exe()) in _PROGRAMS
            and process.cwd() == folder
            and process.status() != psutil.STATUS_ZOMBIE
        )
    except (psutil.Error, OSError):
        return False  # gone, or not ours to look at


async def stop_servers_in(folder: str, clock: IReactorTime, patience_s: float) -> None:
    """Return when no server works in ``folder``: ask politely, after ``patience_s`` insist."""
    deadline = clock.seconds() + patience_s
    asked: set[int] = set()
    while pids := servers_in(folder):
        insist = clock.seconds() >= deadline
        for pid in pids:
            if insist or pid not in asked:
                _log.warn("stopping server {pid}, left behind in {folder}", pid=pid, folder=folder)
                asked.add(pid)
                _signal(pid, signal.SIGKILL if insist else signal.SIGTERM)
        await sleep(clock, _POLL_S)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # ended in between
