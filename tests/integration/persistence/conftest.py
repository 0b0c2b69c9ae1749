"""A real server that a test starts, kills and stops as it likes."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from attrs import define, field
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.task import deferLater

from cluster_worker.persistence.address import RedisAddress, StoreAddress
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.persistence.server_program import find_server


@define
class BareServer:
    """A server without a supervisor, on a unix socket and on a loopback port."""

    folder: Path
    port: int
    extra: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def address(self) -> RedisAddress:
        return RedisAddress(path=str(self.folder / "redis.sock"))

    def start(self) -> None:
        """Start it; it answers a little later."""
        words = [find_server(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        words += ["--unixsocket", "redis.sock", "--appendonly", "yes", "--appendfsync", "no", "--save", ""]
        words += ["--logfile", "redis.log", *self.extra]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; killing waits for its end."""
        assert self.process is not None
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait(10)

    def stop(self) -> None:
        """End it for good."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


def find_free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture()
def make_server(tmp_path: Path) -> Iterator[Callable[..., BareServer]]:
    """Return what starts a server with extra options."""
    servers: list[BareServer] = []

    def make(*extra: str) -> BareServer:
        server = BareServer(tmp_path, find_free_port(), extra)
        servers.append(server)
        server.start()
        return server

    yield make
    for server in servers:
        server.stop()


@pytest.fixture()
def make_redis_engine() -> Iterator[Callable[..., RedisEngine]]:
    """Return what starts an engine on an address; it is stopped after the test."""
    engines: list[RedisEngine] = []

    def make(address: StoreAddress, **options: object) -> RedisEngine:
        config = RedisConfig(url="redis://host", **options)  # type: ignore[arg-type]  # by name
        engine = RedisEngine(reactor, address, config)
        engine.startService()
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        blockon(engine.stopService())


async def pause(duration_s: float) -> None:
    """Let the reactor run for a while."""
    await deferLater(reactor, duration_s, lambda: None)


@pytest.fixture()
def until() -> Callable[..., Awaitable[None]]:
    """Return what waits for a condition, for ten seconds at most unless told otherwise."""

    async def wait(condition: Callable[[], object], within_s: float = 10.0) -> None:
        for _ in range(int(within_s / 0.02)):
            if condition():
                return
            await pause(0.02)
        raise AssertionError(f"not within {within_s} s")

    return wait


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture()
def alive() -> Callable[[int], bool]:
    """Return what tells whether a process runs."""
    return is_alive


@pytest.fixture()
def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    return find_free_port()
