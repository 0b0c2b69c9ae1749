"""A file descriptor that is closed only when no thread uses it any more."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from threading import Lock
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class SharedDescriptor:
    """Owns ``fd``. A descriptor number closed too early could be read as another file's."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = Lock()
        self._users = 0
        self._closing = False

    @property
    def fd(self) -> int:
        """The number; only between ``enter`` and ``leave``, or while nobody can close it."""
        return self._fd

    @property
    def is_closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closing

    def enter(self) -> None:
        """Announce a use. Raises OSError(EBADF) after ``close``."""
        with self._lock:
            if self._closing:
                raise OSError(errno.EBADF, "the file is closed")
            self._users += 1

    def leave(self) -> None:
        """End a use; the last one closes when ``close`` was called meanwhile."""
        with self._lock:
            self._users -= 1
            is_last = self._closing and self._users == 0
        if is_last:
            os.close(self._fd)

    def run(self, work: Callable[Concatenate[int, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``work(fd, …)`` for a use that was entered before, and leave."""
        try:
            return work(self._fd, *args, **kwargs)
        finally:
            self.leave()

    def close(self) -> None:
        """Close now, or when the last use ends. Idempotent."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            is_idle = self._users == 0
        if is_idle:
            os.close(self._fd)
