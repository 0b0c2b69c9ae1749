"""One folder has one owner, and a server does not outlive its owner to the harm of the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from valkey import Valkey
from valkey.exceptions import AuthenticationError

from cluster_worker.persistence.address import RedisAddress
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis, StateFolderBusy
from cluster_worker.persistence.engine import Batch, Document, Key, Put, Scope
from cluster_worker.persistence.orphans import servers_in
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.persistence.setup import make_engine

SCOPE, KEY = Scope("space"), Key("key")
Until = Callable[..., Awaitable[None]]


class Owner:
    """A ``serve`` process."""

    def __init__(self, folder: Path, *options: str) -> None:
        words = [
            sys.executable,
            "-m",
            "cluster_worker.persistence.serve",
            "--state-dir",
            str(folder),
            *options,
        ]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.pid_file = folder / "redis.pid"

    def server_pid(self) -> int:
        """Return the server's process id, 0 before there is one."""
        try:
            return int(self.pid_file.read_text())
        except FileNotFoundError:
            return 0


@pytest.fixture()
def make_owner(tmp_path: Path) -> Iterator[Callable[..., Owner]]:
    """Return what starts owners; they are ended after the test."""
    owners: list[Owner] = []

    def make(*options: str) -> Owner:
        owners.append(Owner(tmp_path, *options))
        return owners[-1]

    yield make
    for owner in owners:
        if owner.process.poll() is None:
            owner.process.terminate()
        owner.process.communicate(timeout=20)


@ensureDeferred
async def test_second_owner_of_a_folder_is_refused(tmp_path: Path, make_owner: Callable[..., Owner]) -> None:
    service, engine = make_engine(reactor, RedisConfig(), str(tmp_path))
    service.startService()
    await engine.commit(SCOPE, Batch([Put(KEY, "m", b"x")]))
    second = EmbeddedRedis(reactor, str(tmp_path))
    with pytest.raises(StateFolderBusy, match=r"redis\.lock"):
        second.startService()
    await second.stopService()
    assert (tmp_path / "redis.pid").exists()
    owner = make_owner()
    _, errors = owner.process.communicate(timeout=20)
    assert owner.process.returncode == 1
    assert b"locked by another process" in errors
    assert b"Traceback" not in errors
    assert (await engine.get_all(SCOPE, KEY))["m"] == Document(1, b"x")
    await service.stopService()


@ensureDeferred
async def test_server_left_behind_is_stopped_and_its_data_kept(
    tmp_path: Path,
    make_server: Callable[..., Any],
    make_redis_engine: Callable[..., RedisEngine],
    until: Until,
) -> None:
    orphan = make_server()
    before = make_redis_engine(orphan.address)
    await before.wait_ready()
    await before.commit(SCOPE, Batch([Put(KEY, "m", b"x")]))
    assert servers_in(str(tmp_path)) == [orphan.process.pid]
    service, engine = make_engine(reactor, RedisConfig(patience_s=5), str(tmp_path))
    service.startService()
    await until(lambda: orphan.process.poll() is not None)
    await until(lambda: (tmp_path / "redis.pid").exists())
    assert (await engine.get_all(SCOPE, KEY))["m"] == Document(1, b"x")
    assert servers_in(str(tmp_path)) == [int((tmp_path / "redis.pid").read_text())]
    await service.stopService()
    assert servers_in(str(tmp_path)) == []


@ensureDeferred
async def test_left_behind_server_that_ignores_us_is_killed(
    tmp_path: Path, make_server: Callable[..., Any], until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster_worker.persistence.embedded.STOP_TIMEOUT_S", 0.3)
    orphan = make_server()
    await until(lambda: (tmp_path / "redis.sock").exists())
    orphan.signal(signal.SIGSTOP)
    service, engine = make_engine(reactor, RedisConfig(patience_s=5), str(tmp_path))
    service.startService()
    await engine.commit(SCOPE, Batch([Put(KEY, "m", b"x")]))
    assert orphan.process.poll() == -signal.SIGKILL
    await service.stopService()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
@ensureDeferred
async def test_server_ends_when_its_owner_is_killed(
    tmp_path: Path, make_owner: Callable[..., Owner], until: Until, alive: Callable[[int], bool]
) -> None:
    owner = make_owner()
    await until(lambda: (tmp_path / "redis.sock").exists())
    pid = owner.server_pid()
    assert alive(pid)
    owner.process.kill()
    await until(lambda: not alive(pid))


@ensureDeferred
async def test_serve_brings_a_killed_server_back_with_its_data(
    tmp_path: Path,
    make_owner: Callable[..., Owner],
    make_redis_engine: Callable[..., RedisEngine],
    until: Until,
) -> None:
    other = tmp_path / "elsewhere.pid"
    owner = make_owner("--pid-file", str(other))
    engine = make_redis_engine(RedisAddress(path=str(tmp_path / "redis.sock")), patience_s=3.0)
    await engine.wait_ready()
    for expected in (1, 2):
        pid = owner.server_pid()
        assert int(other.read_text()) == pid
        os.kill(pid, signal.SIGKILL)
        began_s = time.monotonic()
        assert await engine.last_seq(SCOPE) == 2 * expected - 2
        assert time.monotonic() - began_s < 3.0
        assert (await engine.commit(SCOPE, Batch([], [KEY, Key(str(expected))]))).seq == 2 * expected
        assert owner.server_pid() != pid


@ensureDeferred
async def test_sigterm_of_serve_stops_the_server_too(
    tmp_path: Path, make_owner: Callable[..., Owner], until: Until, alive: Callable[[int], bool]
) -> None:
    owner = make_owner()
    await until(lambda: (tmp_path / "redis.sock").exists())
    pid = owner.server_pid()
    owner.process.terminate()
    await until(lambda: owner.process.poll() is not None)
    assert owner.process.returncode == 0
    assert not alive(pid)
    assert owner.server_pid() == 0


@ensureDeferred
async def test_serve_listens_on_a_loopback_address_too(
    make_owner: Callable[..., Owner], make_redis_engine: Callable[..., RedisEngine], free_port: int
) -> None:
    make_owner("--listen", f"127.7.7.7:{free_port}")
    engine = make_redis_engine(RedisAddress(host="127.7.7.7", port=free_port))
    await engine.wait_ready()
    assert (await engine.commit(SCOPE, Batch([], [KEY]))).seq == 1


@ensureDeferred
async def test_serve_with_a_password_refuses_clients_that_do_not_know_it(
    make_owner: Callable[..., Owner],
    make_redis_engine: Callable[..., RedisEngine],
    free_port: int,
    tmp_path: Path,
) -> None:
    secret = tmp_path / "secret"
    secret.write_text('a "hard" \\ one\n')
    make_owner("--listen", f"127.7.7.7:{free_port}", "--password-file", str(secret))
    address = RedisAddress(host="127.7.7.7", port=free_port, password='a "hard" \\ one')
    engine = make_redis_engine(address)
    await engine.wait_ready()
    assert (await engine.commit(SCOPE, Batch([], [KEY]))).seq == 1
    with Valkey(host="127.7.7.7", port=free_port) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()


@ensureDeferred
async def test_socket_path_longer_than_an_address_works(tmp_path: Path) -> None:
    folder = tmp_path / ("long-" * 30)
    service, engine = make_engine(reactor, RedisConfig(), str(folder))
    service.startService()
    assert (await engine.commit(SCOPE, Batch([], [KEY]))).seq == 1
    await service.stopService()
