"""Commits have room on the disk before they are answered, or are refused."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.engine import Batch, Key, PersistenceUnavailable, Scope
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.persistence.room import RESERVE_B, Room, keep_reserve

SCOPE, KEY = Scope("space"), Key("key")
Until = Callable[..., Awaitable[None]]
BLOCK_B = 512


def the_file(folder: Path) -> Path:
    """Return the append-only file that the server writes to."""
    (found,) = (folder / "appendonlydir").glob("*.incr.aof")
    return found


@ensureDeferred
async def test_room_behind_the_end_of_the_file_is_kept_and_its_length_stays(
    tmp_path: Path, make_redis_engine: Callable[..., RedisEngine], until: Until
) -> None:
    server = EmbeddedRedis(reactor, str(tmp_path))
    server.startService()
    try:
        engine = make_redis_engine(server.address)
        await engine.wait_ready()
        await engine.commit(SCOPE, Batch([], [KEY]))
        length_b = the_file(tmp_path).stat().st_size
        await until(lambda: the_file(tmp_path).stat().st_blocks * BLOCK_B >= RESERVE_B)
        assert the_file(tmp_path).stat().st_size == length_b
    finally:
        await server.stopService()
    assert the_file(tmp_path).stat().st_blocks * BLOCK_B < RESERVE_B
    assert the_file(tmp_path).stat().st_size == length_b
    server = EmbeddedRedis(reactor, str(tmp_path))
    server.startService()
    try:
        engine = make_redis_engine(server.address)
        await engine.wait_ready()
        assert await engine.last_seq(SCOPE) == 1
    finally:
        await server.stopService()


@ensureDeferred
async def test_commits_are_refused_while_there_is_no_room_and_taken_again_when_there_is(
    tmp_path: Path, make_redis_engine: Callable[..., RedisEngine], until: Until
) -> None:
    has_room = False
    server = EmbeddedRedis(reactor, str(tmp_path))
    server.startService()
    room = Room(reactor, str(tmp_path), server.address, lambda: bool(server.running), lambda _: has_room)
    try:
        engine = make_redis_engine(server.address, patience_s=0.3)
        await engine.wait_ready()
        keeping = Deferred.fromCoroutine(room.keep())
        await until(lambda: room.is_refusing)
        with pytest.raises(PersistenceUnavailable):
            await engine.commit(SCOPE, Batch([], [KEY]))
        assert await engine.last_seq(SCOPE) == 0
        has_room = True
        await until(lambda: not room.is_refusing)
        assert (await engine.commit(SCOPE, Batch([], [KEY]))).seq == 1
    finally:
        await server.stopService()
    await keeping


def test_folder_without_a_file_has_room(tmp_path: Path) -> None:
    assert keep_reserve(str(tmp_path))


def test_room_is_kept_behind_the_newest_file(tmp_path: Path) -> None:
    folder = tmp_path / "appendonlydir"
    folder.mkdir()
    for number in (9, 10):
        (folder / f"appendonly.aof.{number}.incr.aof").write_bytes(b"x")
    assert keep_reserve(str(tmp_path))
    blocks = [os.stat(folder / f"appendonly.aof.{number}.incr.aof").st_blocks for number in (9, 10)]
    assert blocks[0] < blocks[1]
