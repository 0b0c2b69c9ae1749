"""Backups taken while commits run, put back elsewhere, and compared."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import blockon, ensureDeferred
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutputAndValue

from cluster_worker.persistence.address import parse_address
from cluster_worker.persistence.backup.__main__ import parser, perform
from cluster_worker.persistence.backup.errors import BackupDamaged, DumpBroken, DumpUnreadable, TargetNotEmpty
from cluster_worker.persistence.backup.manifest import Manifest
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.engine import Batch, Engine, Key, Put, Scope
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.persistence.setup import make_engine
from op_worker.files.model import CreateOptions
from tests.support.commit_writers import Writers
from tests.support.real_sites import redis_and_posix
from tests.support.redis_dump import dump
from tests.support.redis_sets import PASSWORD, SENTINEL_PASSWORD, ClusterGroup, SentinelGroup, wait_until
from tests.support.spaces import SPACE, at, body, owner
from tests.support.store_checker import check_metadata

reactor: Any = global_reactor
Until = Callable[..., Awaitable[None]]
MakeEngine = Callable[..., RedisEngine]
NEW = CreateOptions()
SCOPES = [Scope(f"s{number}") for number in range(4)]


async def backup(*words: object) -> Manifest:
    """Do what a command line says, in this process."""
    return await perform(reactor, parser().parse_args([str(word) for word in words]))


async def command(*words: object) -> tuple[int, str, str]:
    """Run the command in a process of its own; return how it ended, and what it said on both channels."""
    out, err, code = await getProcessOutputAndValue(
        sys.executable,
        ["-m", "cluster_worker.persistence.backup", *map(str, words)],
        env=os.environ,
        path=os.getcwd(),
    )
    return code, out.decode(), err.decode()


@asynccontextmanager
async def writing(engine: Engine, until: Until) -> AsyncIterator[list[Writers]]:
    """Commit to all scopes as long as the body runs."""
    loads = [Writers(engine, scope) for scope in SCOPES]
    running = [Deferred.fromCoroutine(load.run(number)) for load in loads for number in range(2)]
    try:
        await until(lambda: all(len(load.acknowledged) > 50 for load in loads))
        yield loads
        await until(lambda: all(len(load.acknowledged) > 100 for load in loads))
    finally:
        for load in loads:
            load.stopped = True
        await gatherResults(running)


@asynccontextmanager
async def embedded(state_dir: Path) -> AsyncIterator[Engine]:
    """Run an embedded server on a folder."""
    service, engine = make_engine(reactor, RedisConfig(patience_s=10), str(state_dir))
    service.startService()
    try:
        yield engine
    finally:
        await service.stopService()


@ensureDeferred
async def test_restored_store_has_the_digest_that_the_backup_had(tmp_path: Path, until: Until) -> None:
    async with embedded(tmp_path / "a") as engine:
        async with writing(engine, until):
            pass
        made = await backup("create", "--state-dir", tmp_path / "a", tmp_path / "1")
        assert made.keys is not None
        assert made.keys > 4 * 100
        again = await backup("create", "--state-dir", tmp_path / "a", tmp_path / "2")
        assert again.digest == made.digest
        await engine.commit(SCOPES[0], Batch([Put(Key("one"), "more", b"")]))
        other = await backup("create", "--state-dir", tmp_path / "a", tmp_path / "3")
        assert other.digest != made.digest
    await backup("restore", "--state-dir", tmp_path / "b", tmp_path / "1")
    restored = await backup("create", "--state-dir", tmp_path / "b", tmp_path / "4")
    assert (restored.keys, restored.digest) == (made.keys, made.digest)
    with pytest.raises(TargetNotEmpty):
        await backup("restore", "--state-dir", tmp_path / "a", tmp_path / "1")
    assert await backup("verify", "--load", tmp_path / "1") == made


@ensureDeferred
async def test_backup_taken_under_load_has_all_that_was_acknowledged_before(
    tmp_path: Path, until: Until
) -> None:
    async with embedded(tmp_path / "a") as engine, writing(engine, until) as loads:
        before = [set(load.acknowledged) for load in loads]
        await backup("create", "--state-dir", tmp_path / "a", tmp_path / "1")
    await backup("restore", "--state-dir", tmp_path / "b", tmp_path / "1")
    async with embedded(tmp_path / "b") as copy:
        for load, names in zip(loads, before, strict=True):
            await load.check_copy(copy, names)
        assert await copy.scopes() == SCOPES
        await copy.commit(SCOPES[0], Batch([Put(Key("new"), "m", b"")], [Key("new")]))


@ensureDeferred
async def test_backup_of_a_space_in_use_fits_together(tmp_path: Path) -> None:
    async with redis_and_posix(tmp_path) as site:
        files = await site.process()
        done: list[int] = []

        async def use(worker: int) -> None:
            number = 0
            while len(done) < 400:
                number += 1
                name = f"{worker}-{number}"
                await files.replace_content(owner, at(name), body(b"x" * 99), expected_b=99, create=NEW)
                if number % 3 == 0:
                    await files.remove(owner, at(name))
                done.append(number)

        using = [Deferred.fromCoroutine(use(worker)) for worker in range(4)]
        while len(done) < 20:
            await deferLater(reactor, 0.01, lambda: None)
        await backup("create", "--state-dir", tmp_path / "redis", tmp_path / "1", "--unchecked")
        began = len(done)
        await gatherResults(using)
    await backup("restore", "--state-dir", tmp_path / "b", tmp_path / "1")
    async with embedded(tmp_path / "b") as engine:
        await engine.scopes()
        stored = dump(tmp_path / "b" / "redis.sock", SPACE)
    checker = check_metadata(SPACE, stored.documents, stored.directories)
    assert checker.paths
    assert began


@pytest.mark.slow
@ensureDeferred
async def test_cluster_is_dumped_under_load_and_put_back_into_a_folder_and_a_cluster(
    tmp_path: Path, until: Until, make_redis_engine: MakeEngine
) -> None:
    group = ClusterGroup(tmp_path / "cluster")
    try:
        group.start()
        engine = make_redis_engine(parse_address(group.url))
        await engine.wait_ready()
        async with writing(engine, until) as loads:
            before = [set(load.acknowledged) for load in loads]
            made = await backup("create", "--url", group.url, tmp_path / "1")
        with pytest.raises(TargetNotEmpty):
            await backup("restore", "--url", group.url, tmp_path / "1")
        await backup("restore", "--state-dir", tmp_path / "b", tmp_path / "1")
        async with embedded(tmp_path / "b") as copy:
            for load, names in zip(loads, before, strict=True):
                await load.check_copy(copy, names)
        for server in group.servers:
            server.ask("FLUSHALL")
        await backup("restore", "--url", group.url, tmp_path / "1")
        for load, names in zip(loads, before, strict=True):
            await load.check_copy(engine, names)
        again = await backup("create", "--url", group.url, tmp_path / "2")
        assert again.digest == made.digest
    finally:
        group.stop()
    parts = json.loads((tmp_path / "1" / "manifest.json").read_text())["parts"]
    assert sum(last - first + 1 for part in parts for first, last in part["slots"]) == 16384


@pytest.mark.slow
@ensureDeferred
async def test_primary_behind_sentinels_is_dumped(
    tmp_path: Path, make_redis_engine: MakeEngine, until: Until
) -> None:
    file = tmp_path / "op_worker.toml"
    group = SentinelGroup(tmp_path / "group", replicas=1, password=PASSWORD)
    file.write_text(f'[redis]\nurl = "{group.url}"\nsentinel_password = "{SENTINEL_PASSWORD}"\n')
    try:
        group.start()
        engine = make_redis_engine(parse_address(group.url), sentinel_password=SENTINEL_PASSWORD)
        await engine.wait_ready()
        async with writing(engine, until) as loads:
            before = [set(load.acknowledged) for load in loads]
            made = await backup("create", "--config", file, tmp_path / "1")
        wait_until(group.is_whole, "the replica follows as before")
    finally:
        group.stop()
    await backup("restore", "--state-dir", tmp_path / "b", tmp_path / "1")
    async with embedded(tmp_path / "b") as copy:
        for load, names in zip(loads, before, strict=True):
            await load.check_copy(copy, names)
    assert await backup("verify", "--load", tmp_path / "1") == made


# what goes wrong


@pytest.fixture()
def small(tmp_path: Path) -> Iterator[Path]:
    """Return a backup of one document."""

    async def make() -> None:
        async with embedded(tmp_path / "a") as engine:
            await engine.commit(SCOPES[0], Batch([Put(Key("k"), "m", b"x" * 99)], [Key("k")]))
        await backup("create", "--state-dir", tmp_path / "a", tmp_path / "small")

    blockon(Deferred.fromCoroutine(make()))
    yield tmp_path / "small"


@ensureDeferred
async def test_damaged_backup_is_told_apart_and_not_restored(small: Path, tmp_path: Path) -> None:
    part = small / "part-0.rdb"
    whole = part.read_bytes()
    for damage in (whole[:-1], whole[:50] + b"?" + whole[51:], None):
        if damage is None:
            part.unlink()
        else:
            part.write_bytes(damage)
        with pytest.raises(BackupDamaged):
            await backup("verify", small)
        with pytest.raises(BackupDamaged):
            await backup("restore", "--state-dir", tmp_path / "b", small)
        assert not (tmp_path / "b").exists()
    (small / "manifest.json").write_text("{")
    with pytest.raises(BackupDamaged):
        await backup("verify", small)


@ensureDeferred
async def test_dump_that_no_server_loads_is_refused(small: Path, tmp_path: Path) -> None:
    manifest = json.loads((small / "manifest.json").read_text())
    junk = b"REDIS0011" + b"?" * 50
    (small / "part-0.rdb").write_bytes(junk)
    manifest["parts"][0].update(sha256=sha256(junk).hexdigest(), size_b=len(junk))
    (small / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DumpUnreadable, match=r"(?i)rdb"):
        await backup("verify", "--load", small)
    with pytest.raises(DumpUnreadable):
        await backup("restore", "--state-dir", tmp_path / "b", small)
    assert os.listdir(tmp_path / "b") == ["redis.lock"]


@ensureDeferred
async def test_dump_that_has_other_contents_than_told_is_refused(small: Path, tmp_path: Path) -> None:
    manifest = json.loads((small / "manifest.json").read_text())
    manifest["digest"] = "0" * 64
    (small / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BackupDamaged, match="keys"):
        await backup("restore", "--state-dir", tmp_path / "b", small)
    assert os.listdir(tmp_path / "b") == ["redis.lock"]


class HalfServer(Protocol):
    """Says what a server says, and ends in the middle of its dump."""

    transport: Any

    def dataReceived(self, data: bytes) -> None:
        if b"PSYNC" in data:
            self.transport.write(b"+FULLRESYNC f 0\r\n$1000000\r\nREDIS0011" + b"x" * 5000)
            reactor.callLater(0.1, self.transport.abortConnection)
        elif b"ROLE" in data:
            self.transport.write(b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n")
        elif b"INFO" in data:
            self.transport.write(b"$20\r\nvalkey_version:9.0\r\n\r\n")
        else:
            self.transport.write(b":0\r\n" if b"DBSIZE" in data else b"+OK\r\n")


@ensureDeferred
async def test_dump_that_breaks_off_leaves_no_backup(tmp_path: Path) -> None:
    port = reactor.listenTCP(0, Factory.forProtocol(HalfServer), interface="127.0.0.1")
    with pytest.raises(DumpBroken, match="ended the connection"):
        await backup("create", "--url", f"redis://127.0.0.1:{port.getHost().port}/0", tmp_path / "1")
    assert os.listdir(tmp_path) == []
    await port.stopListening()


@ensureDeferred
async def test_killed_backup_looks_like_none_and_the_next_one_is_whole(tmp_path: Path) -> None:
    async with embedded(tmp_path / "a") as engine:
        await engine.commit(SCOPES[0], Batch([Put(Key("k"), "m", b"x" * 99)], [Key("k")]))
        words = ["create", "--state-dir", str(tmp_path / "a"), str(tmp_path / "1")]
        process = subprocess.Popen(
            [sys.executable, "-m", "cluster_worker.persistence.backup", *words], stderr=subprocess.PIPE
        )
        while not (tmp_path / "1.partial").exists():
            await deferLater(reactor, 0.005, lambda: None)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (tmp_path / "1").exists()
        with pytest.raises(BackupDamaged):
            await backup("verify", tmp_path / "1.partial")
        await backup(*words)
    assert not (tmp_path / "1.partial").exists()


@ensureDeferred
async def test_command_ends_with_a_code_that_says_what_came_of_it(small: Path, tmp_path: Path) -> None:
    code, out, _ = await command("verify", small)
    assert code == 0
    assert " 4 keys, digest " in out  # a document, the feed's number and entries, the scopes
    code, out, err = await command("create", "--state-dir", tmp_path / "none", tmp_path / "1")
    assert (code, out) == (1, "")
    assert err.endswith("none has no data of a server\n")
    assert (await command("create", tmp_path / "1"))[0] == 2
    (small / "part-0.rdb").unlink()
    assert (await command("verify", small))[0] == 3
    assert not (tmp_path / "1").exists()


@ensureDeferred
async def test_configuration_of_a_daemon_says_where_the_store_is(tmp_path: Path) -> None:
    async with embedded(tmp_path / "a") as engine:
        await engine.commit(SCOPES[0], Batch([Put(Key("k"), "m", b"x")], [Key("k")]))
    file = tmp_path / "op_worker.toml"
    file.write_text(f'state_dir = "{tmp_path / "a"}"\n[redis]\ndurability = "power"\n')
    made = await backup("create", "--config", file, tmp_path / "1")
    server = EmbeddedRedis(reactor, str(tmp_path / "b"))
    server.startService()
    file.write_text(f'[redis]\nurl = "unix://{tmp_path / "b" / "redis.sock"}?db=3"\n')
    restored = await backup("restore", "--config", file, tmp_path / "1")
    assert restored == made
    again = await backup("create", "--config", file, tmp_path / "2")
    await server.stopService()
    assert again.digest == made.digest
    assert again.database == 3
