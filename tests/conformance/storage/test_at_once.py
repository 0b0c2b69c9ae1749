"""Many operations at once, and operations that are given up midway."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from op_worker.storage.helper import (
    StoragePath,
    SupportsDirectories,
    SupportsOpenWithFirst,
    SupportsRename,
    SupportsScanning,
    SupportsWholeWrites,
)
from tests.conformance.storage.enrolment import needs
from tests.conformance.storage.places import Place, given_up

A = StoragePath("d/a")
KIB = 1 << 10


async def together(works: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Wait for all works, which run at the same time."""
    return await gatherResults([Deferred.fromCoroutine(work) for work in works], consumeErrors=True)


@needs("keeping", "writing")
@ensureDeferred
async def test_many_files_are_written_and_read_at_the_same_time(place: Place) -> None:
    contents = {f"d/{number % 3}/{number}": Random(number).randbytes(20_000 + number) for number in range(40)}
    await together([place.put(path, data) for path, data in contents.items()])
    assert await together([place.get(path) for path in contents]) == list(contents.values())


@needs("keeping", "writing", "writing in place", "parallel writes")
@ensureDeferred
async def test_writers_of_different_ranges_do_not_lose_each_other_s_bytes(place: Place) -> None:
    data = Random(5).randbytes(64 * 5_000)
    await place.put(A, b"")

    async def write(number: int) -> None:
        file = await place.helper.open_write(A)
        await file.write(number * 5_000, data[number * 5_000 : (number + 1) * 5_000])
        await file.close()

    order = list(range(64))
    Random(6).shuffle(order)
    await together([write(number) for number in order])
    assert await place.get(A) == data


@needs("keeping", "writing", "writing in place", "parallel writes")
@ensureDeferred
async def test_one_handle_takes_several_writes_at_the_same_time(place: Place) -> None:
    data = Random(7).randbytes(32 * 10_007)
    file = await place.helper.open_write(A)
    pieces = range(0, len(data), 10_007)
    await together([file.write(offset_b, data[offset_b : offset_b + 10_007]) for offset_b in pieces])
    await file.close()
    assert await place.get(A) == data


@needs("keeping")
@ensureDeferred
async def test_one_handle_gives_several_reads_at_the_same_time(place: Place) -> None:
    data = Random(8).randbytes(500_000)
    await place.put(A, data)
    file = await place.helper.open_read(A)
    found = await together([file.read(offset_b, 50_001) for offset_b in range(0, len(data), 50_001)])
    assert b"".join(found) == data
    await file.close()


@needs("keeping", "writing", "writing in place", "parallel writes")
@ensureDeferred
async def test_a_reader_beside_a_writer_sees_old_or_new_bytes_and_nothing_else(place: Place) -> None:
    size_b = 256 * KIB
    await place.put(A, b"a" * size_b)

    async def write() -> None:
        file = await place.helper.open_update(A)
        for letter in (b"b", b"c"):
            await file.write(0, letter * size_b)
        await file.close()

    async def read() -> bytes:
        file = await place.helper.open_read(A)
        found = b"".join([await file.read(offset_b, 50_000) for offset_b in range(0, size_b, 50_000)])
        await file.close()
        return found

    _, *seen = await together([write(), read(), read(), read()])
    assert all(len(found) == size_b and set(found) <= set(b"abc") for found in seen)
    assert await place.get(A) == b"c" * size_b


@needs("keeping", "writing", SupportsDirectories)
@ensureDeferred
async def test_many_make_the_same_directories_at_the_same_time(place: Place) -> None:
    await together([place.put(f"p/q/r/{number}", b"1") for number in range(16)])
    assert len(await place.helper.list_directory(StoragePath("p/q/r"))) == 16


Work = Callable[[Place, Any, StoragePath], Coroutine[Any, Any, Any]]
"""Given an open file and the path of a file that nothing else uses, does an operation."""
BIG = b"n" * (2048 * KIB)
GIVEN_UP = {
    "check": ((), lambda place, file, late: place.helper.check()),
    "stat": ((), lambda place, file, late: place.helper.stat(A)),
    "size": ((), lambda place, file, late: file.size()),
    "read": ((), lambda place, file, late: file.read(0, len(BIG))),
    "open": ((), lambda place, file, late: opened_and_closed(place.helper.open_read(A))),
    "write": (("writing", "writing in place"), lambda place, file, late: file.write(0, BIG)),
    "truncate": (("writing", "extending"), lambda place, file, late: file.truncate(3 * len(BIG))),
    "sync": (("writing",), lambda place, file, late: file.sync()),
    "create": (
        ("writing",),
        lambda place, file, late: opened_and_closed(place.helper.open_write(StoragePath("e/f/g"))),
    ),
    "remove": (("writing",), lambda place, file, late: place.helper.remove(StoragePath("d/b"))),
    "write_whole": (
        ("writing", SupportsWholeWrites),
        lambda place, file, late: place.helper.write_whole(StoragePath("d/b"), BIG),
    ),
    "open_with_first": ((SupportsOpenWithFirst,), lambda place, file, late: first_and_closed(place)),
    "rename": (
        ("writing", SupportsRename),
        lambda place, file, late: place.helper.rename(late, StoragePath("e/f/g")),
    ),
    "make_directory": (
        ("writing", SupportsDirectories),
        lambda place, file, late: place.helper.make_directory(StoragePath("e/f/g")),
    ),
    "list_directory": (
        (SupportsDirectories,),
        lambda place, file, late: place.helper.list_directory(StoragePath("d")),
    ),
    "scan": ((SupportsScanning,), lambda place, file, late: scanned(place)),
}


async def opened_and_closed(opening: Coroutine[Any, Any, Any]) -> None:
    await (await opening).close()


async def first_and_closed(place: Place) -> None:
    opened = await place.helper.open_with_first(A, 10)
    if opened.file is not None:
        await opened.file.close()


async def scanned(place: Place) -> None:
    async for _ in place.helper.scan(StoragePath("d")):
        pass


@pytest.mark.parametrize(
    "operation", [pytest.param(name, marks=needs(*wants)) for name, (wants, _) in GIVEN_UP.items()]
)
@needs("keeping", "cancelling")
@ensureDeferred
async def test_after_an_operation_is_given_up_midway_the_helper_goes_on(place: Place, operation: str) -> None:
    work: Work = GIVEN_UP[operation][1]
    await place.put(A, b"o" * len(BIG))
    file = await place.helper.open_read(A)
    if "writing" not in place.enrolled.lacks:
        await file.close()
        file = await place.helper.open_update(A)
    for number, after_s in enumerate((0.0, 0.001, 0.01)):
        late = StoragePath(f"d/late{number}")  # another each time: a thread may still be at it
        await place.put(late, b"other")
        await given_up(work(place, file, late), after_s)
    assert set(await file.read(0, len(BIG))) <= set(b"on")
    await file.close()
    await place.put("d/c", b"something new")
    assert await place.get("d/c") == b"something new"
    assert set(await place.get(A)) <= set(b"on\0")
    await place.helper.check()
