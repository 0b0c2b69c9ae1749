"""Buffers around an open file: what is joined, what is read ahead, and what is told of errors."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.helpers.memory import MemoryHelper
from op_worker.storage.wrappers.buffered import BufferedHelper
from op_worker.storage.wrappers.buffering import BufferLimits
from op_worker.storage.wrappers.faulty import Fault, FaultyHelper
from op_worker.storage.wrappers.wrapping import wrapped

PATH = StoragePath("a")
LIMITS = BufferLimits(
    read_least_b=8, read_most_b=16, write_least_b=10, write_most_b=40, most_b=30, idle_s=5.0, read_keeps_s=2.0
)


class Seen:
    """A memory storage with buffers around it, and what reached it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.verbs: list[str] = []
        self.error: StorageError | None = None
        self.inner = MemoryHelper()
        faulty = wrapped(FaultyHelper, self.inner, self.plan, self.clock)
        self.helper: Any = wrapped(BufferedHelper, faulty, self.clock, LIMITS)

    def plan(self, verb: str, path: StoragePath) -> Fault | None:
        self.verbs.append(verb)
        return Fault(error=self.error) if self.error is not None and verb == "write" else None

    def count(self, verb: str) -> int:
        return self.verbs.count(verb)


@ensureDeferred
async def test_small_writes_one_after_another_reach_the_storage_as_one() -> None:
    seen = Seen()
    file = await seen.helper.open_write(PATH)
    for number in range(9):
        await file.write(number, b"%d" % number)
    assert seen.count("write") == 0
    await file.write(9, b"9")
    assert seen.count("write") == 1
    await file.close()
    assert seen.count("write") == 1


@ensureDeferred
async def test_a_write_elsewhere_lets_what_was_kept_go_first() -> None:
    seen = Seen()
    file = await seen.helper.open_write(PATH)
    await file.write(0, b"abc")
    await file.write(7, b"x")
    assert seen.count("write") == 1
    await file.sync()
    assert (seen.count("write"), seen.count("sync")) == (2, 1)
    assert await file.read(0, 100) == b"abc\0\0\0\0x"
    await file.close()


@ensureDeferred
async def test_what_was_written_is_on_the_storage_after_a_while_without_more() -> None:
    seen = Seen()
    file = await seen.helper.open_write(PATH)
    await file.write(0, b"abc")
    seen.clock.advance(5.0)
    assert seen.count("write") == 1
    await file.close()
    assert seen.clock.getDelayedCalls() == []


@ensureDeferred
async def test_the_error_of_a_write_that_nobody_waited_for_is_told_by_the_next_operation() -> None:
    seen = Seen()
    file = await seen.helper.open_write(PATH)
    await file.write(0, b"abc")
    seen.error = StorageError(errno.ENOSPC, PATH)
    seen.clock.advance(5.0)
    seen.error = None
    with pytest.raises(StorageError) as caught:
        await file.sync()
    assert caught.value.errno == errno.ENOSPC
    await file.sync()  # nothing was lost meanwhile
    await file.close()
    inner = await seen.inner.open_read(PATH)
    assert await inner.read(0, 10) == b"abc"


@ensureDeferred
async def test_closing_tells_that_the_last_bytes_could_not_be_written() -> None:
    seen = Seen()
    file = await seen.helper.open_write(PATH)
    await file.write(0, b"abc")
    seen.error = StorageError(errno.EIO, PATH)
    with pytest.raises(StorageError):
        await file.close()


@ensureDeferred
async def test_all_files_together_keep_back_no_more_than_allowed() -> None:
    seen = Seen()
    files = [await seen.helper.open_write(StoragePath(f"f{number}")) for number in range(8)]
    for file in files:
        await file.write(0, b"12345678")
    assert seen.count("write") >= 4  # 64 bytes were written and 30 may be kept back
    for file in files:
        await file.close()
    assert seen.count("write") == 8


@ensureDeferred
async def test_reading_in_order_asks_for_more_than_is_wanted_and_needs_fewer_reads() -> None:
    seen = Seen()
    whole = bytes(range(100))
    file = await seen.helper.open_write(PATH)
    await file.write(0, whole)
    await file.sync()
    found = [await file.read(offset_b, 2) for offset_b in range(0, 100, 2)]
    assert b"".join(found) == whole
    assert seen.count("read") <= 12
    assert await file.read(100, 2) == b""
    await file.close()


@ensureDeferred
async def test_what_was_read_ahead_is_not_used_after_a_write_or_after_a_while() -> None:
    seen = Seen()
    file = await seen.helper.open_write(PATH)
    await file.write(0, b"a" * 50)
    await file.sync()
    assert [await file.read(offset_b, 2) for offset_b in (0, 2, 4)] == [b"aa"] * 3
    await file.write(6, b"b")
    assert await file.read(6, 2) == b"ba"
    assert await file.read(8, 2) == b"aa"
    other = await seen.inner.open_update(PATH)
    await other.write(10, b"cc")
    seen.clock.advance(3.0)
    assert await file.read(10, 2) == b"cc"
    await file.close()
