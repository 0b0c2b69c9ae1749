"""The connections to one export: each serves one job at a time, for any user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from op_worker.storage.helpers.native.sessions import Session, User
from op_worker.storage.helpers.nfs.context import NfsContext
from op_worker.storage.helpers.nfs.session import NfsSession


class NfsConnections:
    """Opens connections as jobs need them; there are never more than jobs at the same time.

    A handle of NFSv3 is good on every connection, so a file outlives the one that it was opened on.
    Once a connection is lost, those that idle are closed too: their server is the same.
    """

    def __init__(self, connect: Callable[[User], NfsContext], is_synchronous: bool) -> None:
        self._connect, self._is_synchronous = connect, is_synchronous
        self._idle: list[NfsContext] = []
        self._lock = Lock()
        self._losses = 0

    @contextmanager
    def session(self, user: User) -> Iterator[Session]:
        """Give a session to the calling thread. Raises: Lost."""
        context, losses = self._take(user)
        if context is None:
            context = self._connect(user)
        try:
            context.become(user)
            yield NfsSession(context, self._is_synchronous)
        finally:
            self._give_back(context, losses)

    def close(self) -> None:
        """Let all idle connections go, without a word to the server."""
        with self._lock:
            idle, self._idle = self._idle, []
        for context in idle:
            context.destroy()

    def _take(self, user: User) -> tuple[NfsContext | None, int]:
        """Take an idle connection, best one that was the same user's."""
        with self._lock:
            fitting = [context for context in self._idle if context.user == user] or self._idle
            if not fitting:
                return None, self._losses
            context = fitting[-1]
            self._idle.remove(context)
            return context, self._losses

    def _give_back(self, context: NfsContext, losses: int) -> None:
        if context.is_lost:
            with self._lock:
                self._losses += 1
            context.destroy()
            self.close()
            return
        with self._lock:
            is_fresh = losses == self._losses
            if is_fresh:
                self._idle.append(context)
        if not is_fresh:
            context.destroy()
