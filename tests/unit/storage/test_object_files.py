"""Files in objects: how many objects they touch, what others do to them, and what a crash leaves."""

from __future__ import annotations

import errno
from collections.abc import Coroutine
from random import Random
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import CancelledError, Deferred, gatherResults

from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.objects.helper import ObjectHelper, object_helper
from op_worker.storage.objects.memory_store import MemoryObjects, MemoryRandomAccessObjects
from op_worker.storage.objects.store import ObjectKey
from tests.support.object_stores import WatchedObjects

A = StoragePath("d/a")
BLOCK_B = 10


async def put(helper: ObjectHelper, data: bytes, offset_b: int = 0, path: StoragePath = A) -> None:
    file = await helper.open_write(path)
    await file.write(offset_b, data)
    await file.close()


async def get(helper: ObjectHelper, path: StoragePath = A) -> bytes:
    file = await helper.open_read(path)
    try:
        return await file.read(0, 1 << 20)
    finally:
        await file.close()


async def refused(work: Coroutine[Any, Any, Any]) -> int:
    with pytest.raises(StorageError) as caught:
        await work
    return caught.value.errno


async def together(*works: Coroutine[Any, Any, Any]) -> list[Any]:
    return await gatherResults([Deferred.fromCoroutine(each) for each in works], consumeErrors=True)


def nodes(store: Any, block_b: int = BLOCK_B) -> tuple[ObjectHelper, ObjectHelper]:
    return object_helper(store, block_b), object_helper(store, block_b)


@ensureDeferred
async def test_whole_blocks_are_written_without_reading_any() -> None:
    store = WatchedObjects()
    file = await object_helper(store, BLOCK_B).open_write(A)
    store.calls.clear()
    await file.write(0, bytes(3 * BLOCK_B))
    assert store.calls == {"put": 3}
    await file.close()


@ensureDeferred
async def test_a_new_block_is_written_without_reading_it() -> None:
    store = WatchedObjects()
    file = await object_helper(store, BLOCK_B).open_write(A)
    await file.write(0, bytes(BLOCK_B))
    store.calls.clear()
    await file.write(BLOCK_B, b"123")
    assert store.calls == {"put_if": 1}
    await file.close()


@ensureDeferred
async def test_a_small_object_is_opened_and_read_in_one_call() -> None:
    store = WatchedObjects()
    helper = object_helper(store, 0)
    await helper.write_whole(A, b"hello")
    store.calls.clear()
    opened = await helper.open_with_first(A, 100)
    assert (opened.first, opened.file) == (b"hello", None)
    assert store.calls == {"get": 1}


@ensureDeferred
async def test_a_small_file_in_blocks_is_written_by_one_put_and_read_by_one_get_beside_a_listing() -> None:
    store = WatchedObjects()
    helper = object_helper(store, BLOCK_B)
    await helper.write_whole(A, b"hello")
    assert store.calls == {"put": 1, "list": 1}
    store.calls.clear()
    assert (await helper.open_with_first(A, 100)).first == b"hello"
    assert store.calls == {"get": 1, "list": 1}


@ensureDeferred
async def test_the_first_bytes_of_a_file_with_a_hole_in_front_are_zeros() -> None:
    store = MemoryObjects()
    await store.put(ObjectKey("d/a/999998"), b"xyz")
    opened = await object_helper(store, BLOCK_B).open_with_first(A, 12)
    assert (opened.size_b, opened.first) == (13, bytes(10) + b"xy")
    assert opened.file is not None
    await opened.file.close()


@ensureDeferred
async def test_no_more_objects_are_on_their_way_than_allowed() -> None:
    running, most = 0, 0

    class Slow(WatchedObjects):
        async def _called(self, name: str, work: Any, *args: Any) -> Any:
            nonlocal running, most
            running += 1
            most = max(most, running)
            try:
                return await super()._called(name, work, *args)
            finally:
                running -= 1

    helper = object_helper(Slow(turns=Random(1)), BLOCK_B, transfers=3)
    await put(helper, bytes(40 * BLOCK_B))
    most = 0
    await get(helper)
    assert most == 3


@ensureDeferred
async def test_a_missing_block_is_a_hole_while_the_last_one_is_there() -> None:
    ours, theirs = nodes(MemoryObjects())
    await put(ours, b"x", 35)
    file = await theirs.open_read(A)
    assert await file.read(0, 100) == bytes(35) + b"x"
    await file.close()


@pytest.mark.parametrize("store", [MemoryObjects, MemoryRandomAccessObjects])
@ensureDeferred
async def test_a_block_that_is_missing_for_the_file_was_removed_elsewhere_is_no_hole(store: Any) -> None:
    ours, theirs = nodes(store())
    await put(ours, bytes(35))
    file = await ours.open_update(A)
    await theirs.remove(A)
    assert await refused(file.read(0, 5)) == errno.ESTALE
    assert await refused(file.size()) == errno.ESTALE
    await file.close()


@ensureDeferred
async def test_a_file_that_was_cut_elsewhere_is_stale() -> None:
    ours, theirs = nodes(MemoryObjects())
    await put(ours, b"x" * 35)
    file = await ours.open_read(A)
    cutting = await theirs.open_update(A)
    await cutting.truncate(3)
    await cutting.close()
    assert await refused(file.read(0, 8)) == errno.ESTALE
    again = await ours.open_read(A)
    assert await again.read(0, 8) == b"xxx"
    assert await refused(file.read(0, 8)) == errno.ESTALE
    await again.close()
    await file.close()


@ensureDeferred
async def test_what_was_appended_elsewhere_is_read_by_who_reads_on() -> None:
    ours, theirs = nodes(MemoryObjects())
    await put(ours, b"x" * 8)
    file = await ours.open_read(A)
    await put(theirs, b"y" * 8, 8)
    assert await file.read(0, 100) == b"x" * 8 + b"y" * 8
    assert await file.size() == 16
    await file.close()


@pytest.mark.parametrize("seed", range(5))
@ensureDeferred
async def test_writers_at_two_nodes_lose_nothing_of_one_block(seed: int) -> None:
    helpers = nodes(WatchedObjects(turns=Random(seed)), 100)
    data = Random(seed).randbytes(100)
    order = list(range(0, 100, 5))
    Random(seed).shuffle(order)
    await together(*(put(helpers[at % 2], data[at : at + 5], at) for at in order))
    assert await get(helpers[0]) == data


@pytest.mark.parametrize("block_b", [BLOCK_B, 0])
@pytest.mark.parametrize("seed", range(5))
@ensureDeferred
async def test_writes_and_cuts_at_the_same_time_come_to_what_some_order_of_them_does(
    seed: int, block_b: int
) -> None:
    helper = object_helper(WatchedObjects(turns=Random(seed)), block_b)
    await put(helper, b"o" * 35)
    file, other = await helper.open_update(A), await helper.open_update(A)
    await together(file.write(3, b"1" * 30), other.truncate(5), file.read(0, 40))
    written, cut = b"ooo" + b"1" * 30, b"ooooo"
    assert await get(helper) in (cut[:3] + b"1" * 30, (written + b"oo")[:5])
    await file.close()
    await other.close()


@pytest.mark.parametrize("seed", range(5))
@ensureDeferred
async def test_a_reader_beside_one_who_cuts_is_never_told_that_the_file_is_stale(seed: int) -> None:
    helper = object_helper(WatchedObjects(turns=Random(seed)), BLOCK_B)
    await put(helper, b"x" * 60)
    file, cutting = await helper.open_read(A), await helper.open_update(A)

    async def read() -> None:
        for _ in range(6):
            assert set(await file.read(0, 60)) <= set(b"x")

    async def cut() -> None:
        for size_b in (50, 31, 10, 0):
            await cutting.truncate(size_b)

    await together(read(), cut(), read())
    assert await file.read(0, 60) == b""
    await file.close()
    await cutting.close()


@ensureDeferred
async def test_an_object_replaced_elsewhere_is_stale_and_can_be_opened_anew() -> None:
    ours, theirs = nodes(MemoryObjects(), 0)
    await put(ours, b"the one opened")
    file = await ours.open_update(A)
    await theirs.write_whole(A, b"another")
    for work in (file.read(0, 5), file.write(0, b"x"), file.truncate(3), file.size()):
        assert await refused(work) == errno.ESTALE
    assert await get(ours) == b"another"
    assert await refused(file.read(0, 5)) == errno.ESTALE
    await file.close()


@ensureDeferred
async def test_an_object_grows_no_larger_than_may_be_in_memory() -> None:
    helper = object_helper(MemoryObjects(), 0, maximum_b=20)
    file = await helper.open_write(A)
    await file.write(0, b"x" * 20)
    for work in (file.write(15, b"y" * 6), file.truncate(21), helper.write_whole(A, bytes(21))):
        assert await refused(work) == errno.ERANGE
    assert await file.read(0, 100) == b"x" * 20
    await file.close()


@ensureDeferred
async def test_a_file_in_blocks_ends_where_keys_do() -> None:
    helper = object_helper(MemoryObjects(), BLOCK_B)
    file = await helper.open_write(A)
    end_b = BLOCK_B * 10**6
    await file.write(end_b - 1, b"x")
    assert await file.size() == end_b
    for work in (file.write(end_b, b"y"), file.truncate(end_b + 1)):
        assert await refused(work) == errno.EFBIG
    await file.close()


@ensureDeferred
async def test_a_block_that_is_too_long_is_an_error_and_not_cut() -> None:
    store = MemoryObjects()
    await store.put(ObjectKey("d/a/999999"), bytes(15))
    await store.put(ObjectKey("d/a/999998"), bytes(3))
    file = await object_helper(store, BLOCK_B).open_update(A)
    assert await refused(file.write(2, b"x")) == errno.EIO
    await file.close()


@pytest.mark.parametrize("block_b", [BLOCK_B, 0])
@ensureDeferred
async def test_a_file_removed_and_made_anew_while_open_lies_aside_until_it_is_closed(block_b: int) -> None:
    store = MemoryObjects()
    helper = object_helper(store, block_b, random_bytes=lambda size: b"\1" * size)
    await put(helper, b"the old one, open, in blocks")
    file = await helper.open_read(A)
    await helper.remove(A)
    assert await refused(helper.stat(A)) == errno.ENOENT
    assert await refused(helper.open_read(A)) == errno.ENOENT
    await put(helper, b"the new one")
    assert await file.read(0, 100) == b"the old one, open, in blocks"
    aside = (await store.list(".__onedata__deleted/")).objects
    assert aside
    await file.close()
    assert not (await store.list(".__onedata__deleted/")).objects
    assert await get(helper) == b"the new one"


@ensureDeferred
async def test_a_closed_helper_lets_its_store_go_with_the_last_file() -> None:
    store = WatchedObjects()
    helper = object_helper(store, BLOCK_B)
    file = await helper.open_write(A)
    await helper.close()
    assert not store.calls["close"]
    assert await refused(helper.open_read(A)) == errno.ESHUTDOWN
    await file.close()
    assert store.calls["close"]


@ensureDeferred
async def test_a_write_that_is_given_up_leaves_the_file_to_others() -> None:
    helper = object_helper(WatchedObjects(turns=Random(3)), BLOCK_B)
    file = await helper.open_write(A)
    for _ in range(12):
        writing = Deferred.fromCoroutine(file.write(3, b"x" * 40))
        writing.cancel()
        with pytest.raises(CancelledError):
            await writing
    await file.truncate(0)
    await file.write(0, b"y" * 33)
    assert await file.read(0, 100) == b"y" * 33
    await file.close()


def is_cut(found: bytes, old: bytes, new: bytes) -> bool:
    return len(new) <= len(found) <= len(old) and found == old[: len(found)]


@pytest.mark.parametrize("size_b", [0, 5, 10, 12, 20, 29])
@ensureDeferred
async def test_cutting_that_breaks_off_at_any_step_leaves_a_beginning_that_is_long_enough(
    size_b: int,
) -> None:
    old = bytes(range(1, 46))
    for left in range(20):
        inner = MemoryObjects()
        await put(object_helper(inner, BLOCK_B), old)
        store = WatchedObjects(inner, left=left + 1)
        file = await object_helper(store, BLOCK_B).open_update(A)
        try:
            await file.truncate(size_b)
        except StorageUnavailable:
            assert is_cut(await get(object_helper(inner, BLOCK_B)), old, old[:size_b])
            continue
        assert await get(object_helper(inner, BLOCK_B)) == old[:size_b]
        return
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("size_b", [0, 5, 12, 25])
@ensureDeferred
async def test_cutting_inside_a_hole_never_loses_the_file(size_b: int) -> None:
    for left in range(20):
        inner = MemoryObjects()
        await inner.put(ObjectKey("d/a/999995"), b"x")
        store = WatchedObjects(inner, left=left + 1)
        file = await object_helper(store, BLOCK_B).open_update(A)
        try:
            await file.truncate(size_b)
        except StorageUnavailable:
            assert not set((await get(object_helper(inner, BLOCK_B)))[:40]) - {0}
            continue
        assert await get(object_helper(inner, BLOCK_B)) == bytes(size_b)
        return
    pytest.fail("it never came to its end")


@ensureDeferred
async def test_a_removal_that_breaks_off_at_any_step_can_be_done_again() -> None:
    for left in range(8):
        inner = MemoryObjects()
        await put(object_helper(inner, BLOCK_B), bytes(45))
        store = WatchedObjects(inner, left=left + 1)
        try:
            await object_helper(store, BLOCK_B).remove(A)
        except StorageUnavailable:
            await object_helper(inner, BLOCK_B).remove(A)
        assert not (await inner.list("")).objects


@ensureDeferred
async def test_the_last_block_is_removed_before_any_other() -> None:
    store = WatchedObjects()
    helper = object_helper(store, BLOCK_B)
    await put(helper, bytes(45))
    store.changed.clear()
    await helper.remove(A)
    assert store.changed == [f"d/a/{number}" for number in range(999995, 1_000_000)]
