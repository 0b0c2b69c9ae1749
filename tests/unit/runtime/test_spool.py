"""Bodies that wait: in memory, in a file without a name, and gone afterwards."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred

from cluster_worker.runtime.pool import BlockingPool, Inline
from cluster_worker.runtime.spool import Spools
from cluster_worker.runtime.streams import BoundedStream, BytesStream, read_all
from onedata.errors import Errno, Posix


def open_files(folder: Path) -> list[str]:
    """What this process has open in a folder, named or not."""
    names = []
    for each in os.listdir("/proc/self/fd"):
        try:
            names.append(os.readlink(f"/proc/self/fd/{each}"))
        except FileNotFoundError:
            continue
    return [name for name in names if name.startswith(str(folder))]


def run(work: object) -> object:
    """Run a coroutine that never really waits."""
    results: list[object] = []
    Deferred.fromCoroutine(work).addBoth(results.append)  # type: ignore[arg-type]
    [result] = results
    return result


@given(st.lists(st.binary(max_size=9), max_size=12), st.integers(0, 20))
def test_what_was_written_is_read_back_as_often_as_wanted(pieces: list[bytes], memory_b: int) -> None:
    async def work() -> None:
        async with Spools(None, Inline(), memory_b=memory_b).new() as spool:
            for piece in pieces:
                await spool.write(piece)
            assert spool.size_b == len(b"".join(pieces))
            for _ in range(2):
                assert await read_all(spool.stream(), 1000) == b"".join(pieces)

    assert run(work()) is None


@ensureDeferred
async def test_short_body_needs_no_file_and_a_long_one_leaves_none(tmp_path: Path) -> None:
    async with Spools(tmp_path, Inline(), memory_b=10).new() as spool:
        await spool.write(b"x" * 10)
        assert open_files(tmp_path) == []
        await spool.write(b"x")
        assert len(open_files(tmp_path)) == 1
        assert list(tmp_path.iterdir()) == []
    assert open_files(tmp_path) == []


@ensureDeferred
async def test_body_is_taken_up_to_a_limit(tmp_path: Path) -> None:
    spools = Spools(tmp_path, Inline(), memory_b=2)
    async with spools.new() as spool:
        assert await spool.fill(BytesStream(b"abcd"), 4)
    async with spools.new() as spool:
        assert not await spool.fill(BytesStream(b"abcde"), 4)


@ensureDeferred
async def test_disk_that_is_nearly_full_is_left_alone(tmp_path: Path) -> None:
    async with Spools(tmp_path, Inline(), memory_b=2, reserve_b=1 << 60).new() as spool:
        with pytest.raises(Posix) as refusal:
            await spool.write(b"abc")
    assert refusal.value.errno is Errno.ENOSPC
    assert open_files(tmp_path) == []


@ensureDeferred
async def test_folder_that_is_gone_is_an_error_of_input_and_output(tmp_path: Path) -> None:
    async with Spools(tmp_path / "gone", Inline(), memory_b=2).new() as spool:
        with pytest.raises(Posix) as refusal:
            await spool.write(b"abc")
    assert refusal.value.errno is Errno.EIO


@ensureDeferred
async def test_cancelled_body_leaves_nothing(tmp_path: Path) -> None:
    pool = BlockingPool(cast(Any, reactor), 2)
    source = BoundedStream(lambda: None, lambda: None)
    source.push(b"x" * 100)

    async def receive() -> None:
        async with Spools(tmp_path, pool, memory_b=10).new() as spool:
            await spool.fill(source)

    receiving = Deferred.fromCoroutine(receive())
    receiving.cancel()
    with pytest.raises(CancelledError):
        await receiving
    assert open_files(tmp_path) == []
    pool.stopService()
