"""Daemons as operating-system processes: started, recognised later, stopped, and nothing else touched."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from bamboos.environment.node_command import NodeCommand

MARK = "ONEDATA_ENVIRONMENT"
"""Environment variable by which a process is known to belong to an environment's folder."""

STOP_LIMIT_S = 15.0


def start(command: NodeCommand, environment_folder: Path) -> int:
    """Start a node in a session of its own, its output appended to ``console.log``; return its pid."""
    command.save()
    environment = {**os.environ, MARK: str(environment_folder.resolve()), "PYTHONUNBUFFERED": "1"}
    with (command.folder / "console.log").open("ab") as log:
        process = subprocess.Popen(
            command.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=command.folder,
            env=environment,
            start_new_session=True,
        )
    (command.folder / "process.pid").write_text(str(process.pid))
    return process.pid


def is_running(pid: int) -> bool:
    """Whether ``pid``, which this process started, has not ended yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def belongs_to(pid: int, environment_folder: Path) -> bool:
    """Whether ``pid`` is alive and was started for the environment in this folder.

    In the first moment of a new process its variables cannot be seen yet, so ask ``is_running`` then.
    """
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return f"{MARK}={environment_folder.resolve()}".encode() in variables and is_running(pid)


def members(environment_folder: Path) -> Sequence[int]:
    """Every live process of the environment in this folder, children of its daemons included."""
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in numbers if pid != os.getpid() and belongs_to(pid, environment_folder)]


def stop(pids: Sequence[int], environment_folder: Path, limit_s: float = STOP_LIMIT_S) -> None:
    """Ask processes of the environment to stop, wait for them, and kill what is left after the limit.

    Pids that belong to somebody else by now are left alone.
    """
    ours = [pid for pid in pids if belongs_to(pid, environment_folder)]
    for pid in ours:
        _signal(pid, signal.SIGTERM, environment_folder)
    deadline = time.monotonic() + limit_s
    while any(is_running(pid) for pid in ours) and time.monotonic() < deadline:
        _reap()
        time.sleep(0.02)
    for pid in ours:
        _signal(pid, signal.SIGKILL, environment_folder)


def _signal(pid: int, number: signal.Signals, environment_folder: Path) -> None:
    if belongs_to(pid, environment_folder):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return


def _reap() -> None:
    """Collect ended children of this process, which would otherwise stay as zombies."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return
