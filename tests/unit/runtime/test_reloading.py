"""Reading the configuration again: what is used, what waits, and that a mistake changes nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable

from attrs import field, frozen
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.logger import capturedLogs

from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.configuration import ConfigurationError
from cluster_worker.runtime.pool import Inline
from cluster_worker.runtime.reloading import ConfigurationReload, Running


@frozen(kw_only=True)
class Config:
    level: str = field(default="info", metadata={"reload": True})
    port: int = 1


class Daemon:
    """Follows its configuration, which a test writes."""

    def __init__(self) -> None:
        self.written: Callable[[], Config] = Config
        self.used: list[Config] = []
        self.running = Running(Config())
        self.follow = self.running.follow(self.used.append)
        self.reload = ConfigurationReload(
            self.running,
            lambda: self.written(),
            reactor=IReactorFromThreads(reactor),
            blocking=Inline(),
        )

    async def hang_up(self) -> list[str]:
        """Send the signal; return what was logged."""
        with capturedLogs() as events:
            os.kill(os.getpid(), signal.SIGHUP)
            await sleep(IReactorTime(reactor), 0.05)
        return [str(event["log_format"]).format(**event) for event in events]


@async_yield_fixture
async def daemon() -> AsyncIterator[Daemon]:
    made = Daemon()
    made.follow.startService()
    made.reload.startService()
    yield made
    await made.reload.stopService()
    made.follow.stopService()


@ensureDeferred
async def test_changed_options_are_used_at_once_or_wait_for_a_restart(daemon: Daemon) -> None:
    daemon.written = lambda: Config(level="warn", port=2)
    (line,) = await daemon.hang_up()
    assert line.endswith("changed now: level; waiting for a restart: port")
    assert daemon.used == [Config(level="warn", port=1)]
    assert daemon.running.value == Config(level="warn", port=1)
    (line,) = await daemon.hang_up()
    assert line.endswith("changed now: nothing; waiting for a restart: port")
    assert len(daemon.used) == 2


@ensureDeferred
async def test_a_wrong_configuration_changes_nothing_and_tells_every_problem(daemon: Daemon) -> None:
    def wrong() -> Config:
        raise ConfigurationError(["a: no such option", "port: expected an integer"])

    daemon.written = wrong
    (line,) = await daemon.hang_up()
    assert line.endswith("nothing changes: a: no such option; port: expected an integer")
    assert daemon.used == []


@ensureDeferred
async def test_the_signal_is_given_back_when_the_daemon_stops(daemon: Daemon) -> None:
    ours = signal.getsignal(signal.SIGHUP)
    await daemon.reload.stopService()
    assert signal.getsignal(signal.SIGHUP) is not ours
    daemon.reload.startService()
