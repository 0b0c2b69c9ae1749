"""The configuration that a running daemon uses, and its change by SIGHUP."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Generic, TypeVar

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger

from cluster_worker.runtime.configuration import ConfigurationError
from cluster_worker.runtime.configuration_changes import changed_options, with_reloadable
from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.services import TaskService

C = TypeVar("C")


class Running(Generic[C]):
    """A configuration of which reloadable options may change.

    Attributes:
        value: as it is now.
    """

    def __init__(self, value: C) -> None:
        self.value = value
        self._followers: list[Callable[[C], None]] = []

    def use(self, value: C) -> None:
        """Take another one into use and tell everybody who follows, in the order in which they came."""
        self.value = value
        for follow in list(self._followers):
            follow(value)

    def follow(self, use: Callable[[C], None]) -> Service:
        """Return a service that calls ``use`` with every new configuration while it runs."""
        return _Following(self._followers, use)


class _Following(Service):
    def __init__(self, followers: list[Callable[[Any], None]], use: Callable[[Any], None]) -> None:
        self._followers, self._use = followers, use

    def startService(self) -> None:
        super().startService()
        self._followers.append(self._use)

    def stopService(self) -> None:
        super().stopService()
        self._followers.remove(self._use)


class ConfigurationReload(TaskService, Generic[C]):
    """Reads the configuration again at each SIGHUP while it runs.

    Options that may change are used at once; the log says which these were, and which wait for a restart.
    A configuration that is wrong in anything changes nothing and is logged with all its problems. Followers
    are told even when nothing changed: log files that were renamed are opened anew.

    Args:
        read: reads files and environment; runs on ``blocking``. Raises: ConfigurationError.
    """

    _log = Logger()

    def __init__(
        self,
        running: Running[C],
        read: Callable[[], C],
        *,
        reactor: IReactorFromThreads,
        blocking: Blocking,
    ) -> None:
        super().__init__()
        self._running, self._read = running, read
        self._reactor, self._blocking = reactor, blocking
        self._before: Any = signal.SIG_DFL
        self._is_reading = self._is_asked = False

    def startService(self) -> None:
        super().startService()
        self._before = signal.signal(signal.SIGHUP, self._signalled)

    def stopService(self) -> Any:
        signal.signal(signal.SIGHUP, self._before)
        return super().stopService()

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._reactor.callFromThread(self.ask)

    def ask(self) -> None:
        """Read again soon; asked while it is read, it is read once more."""
        self._is_asked = True
        if self.running and not self._is_reading:
            self._is_reading = True
            self.spawn("read the configuration again", self._reload())

    async def _reload(self) -> None:
        try:
            while self._is_asked:
                self._is_asked = False
                await self._reload_once()
        finally:
            self._is_reading = False

    async def _reload_once(self) -> None:
        try:
            wanted = await self._blocking.run(self._read)
            changes = changed_options(self._running.value, wanted)
            value = with_reloadable(self._running.value, wanted)
        except (ConfigurationError, ValueError) as error:
            problems = error.problems if isinstance(error, ConfigurationError) else [str(error)]
            self._log.error(
                "the configuration cannot be used, nothing changes: {problems}",
                problems="; ".join(problems),
            )
            return
        self._running.use(value)
        applied = [change.path for change in changes if change.is_reloadable]
        waiting = [change.path for change in changes if not change.is_reloadable]
        self._log.info(
            "the configuration was read again; changed now: {applied}; waiting for a restart: {waiting}",
            applied=", ".join(applied) or "nothing",
            waiting=", ".join(waiting) or "nothing",
        )
