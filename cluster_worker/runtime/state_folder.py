"""A daemon's state folder: made private, claimed by one process at a time; secrets kept in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from twisted.application.service import Service


class StateFolderInUse(Exception):
    """Another process runs on the same state folder; the text names both."""


class StateFolder(Service):
    """The claim on a folder: held from the start (also across a daemonising fork) until it is stopped.

    As a service it belongs before all others, so that it is stopped last.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock: int | None = lock

    def stopService(self) -> None:
        super().stopService()
        self.release()

    def release(self) -> None:
        """Give the claim back."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def claim_state_folder(path: str) -> StateFolder:
    """Make the folder (mode 0700) when it is missing and claim it.

    Raises:
        StateFolderInUse: another living process claimed it.
        OSError: it cannot be made or written.
    """
    folder = Path(path).absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(folder / "daemon.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StateFolderInUse(f"another daemon already runs on the state folder {folder}") from None
    return StateFolder(folder, lock)


def read_or_make_secret(path: Path, make: Callable[[], str]) -> str:
    """Return the text of a secret file, without the newline; a missing one is made first (mode 0600)."""
    try:
        return path.read_text().rstrip("\n")
    except FileNotFoundError:
        write_secret(path, make())
        return path.read_text().rstrip("\n")


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read (mode 0600); readers see the old text or the new one."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
