"""Directories, renames, scans, modes, owners and room of the storage helpers that have them."""

from __future__ import annotations

import errno

import pytest
from pytest_twisted import ensureDeferred

from op_worker.storage.helper import (
    StoragePath,
    SupportsCapacity,
    SupportsDirectories,
    SupportsModes,
    SupportsOwners,
    SupportsRename,
    SupportsScanning,
)
from tests.conformance.storage.enrolment import needs
from tests.conformance.storage.places import Place, refusal

A, DEEP = StoragePath("a"), StoragePath("x/y/z/file")
BATCH = 1000
MANY = 1234


@needs("keeping", "writing", SupportsRename)
@ensureDeferred
async def test_renaming_replaces_a_file_and_makes_parents(place: Place) -> None:
    await place.put(A, b"new")
    await place.put(DEEP, b"the old one")
    await place.helper.rename(A, DEEP)
    assert await place.get(DEEP) == b"new"
    await place.helper.rename(DEEP, StoragePath("q/r"))
    assert await place.get("q/r") == b"new"
    assert await refusal(place.helper.stat(A)) == errno.ENOENT
    assert await refusal(place.helper.open_read(DEEP)) == errno.ENOENT


@needs("keeping", "writing", SupportsRename)
@ensureDeferred
async def test_renaming_a_file_to_itself_leaves_it(place: Place) -> None:
    await place.put(DEEP, b"same")
    await place.helper.rename(DEEP, DEEP)
    assert await place.get(DEEP) == b"same"


@needs("keeping", "writing", SupportsRename, SupportsDirectories)
@ensureDeferred
async def test_renaming_moves_a_directory_with_all_below(place: Place) -> None:
    await place.put(DEEP, b"1")
    await place.put("x/y/other", b"2")
    await place.helper.rename(StoragePath("x/y"), StoragePath("new/home"))
    assert await place.get("new/home/z/file") == b"1"
    assert await place.get("new/home/other") == b"2"
    assert await refusal(place.helper.stat(DEEP)) == errno.ENOENT


@needs("keeping", "writing", SupportsRename, SupportsDirectories)
@ensureDeferred
async def test_renaming_a_directory_replaces_an_empty_one(place: Place) -> None:
    await place.put(DEEP, b"1")
    await place.helper.make_directory(StoragePath("empty"))
    await place.helper.rename(StoragePath("x/y"), StoragePath("empty"))
    assert await place.get("empty/z/file") == b"1"


@needs("keeping", "writing", SupportsRename, SupportsDirectories)
@ensureDeferred
async def test_renaming_refuses_what_is_in_the_way_or_missing(place: Place) -> None:
    helper = place.helper
    await place.put(DEEP, b"1")
    await place.put("d/f", b"2")
    assert await refusal(helper.rename(StoragePath("x"), StoragePath("d"))) in (errno.ENOTEMPTY, errno.EEXIST)
    assert await refusal(helper.rename(StoragePath("x"), StoragePath("d/f"))) == errno.ENOTDIR
    assert await refusal(helper.rename(StoragePath("d/f"), StoragePath("x"))) == errno.EISDIR
    assert await refusal(helper.rename(StoragePath("no/where"), StoragePath("d/g"))) == errno.ENOENT
    assert await place.get("d/f") == b"2"
    assert await place.get(DEEP) == b"1"


@needs("keeping", "writing", SupportsDirectories)
@ensureDeferred
async def test_directories_are_made_listed_and_removed_when_empty(place: Place) -> None:
    helper = place.helper
    await helper.make_directory(StoragePath("d/e"))
    await helper.make_directory(StoragePath("d/e"))
    await place.put("d/f", b"")
    assert sorted(await helper.list_directory(StoragePath("d"))) == ["e", "f"]
    assert await refusal(helper.remove_directory(StoragePath("d"))) == errno.ENOTEMPTY
    await helper.remove_directory(StoragePath("d/e"))
    await helper.remove_directory(StoragePath("d/e"))
    assert list(await helper.list_directory(StoragePath("d"))) == ["f"]
    assert await refusal(helper.list_directory(StoragePath("nowhere"))) == errno.ENOENT


@needs("keeping", "writing", SupportsDirectories)
@ensureDeferred
async def test_the_root_is_listed_by_the_empty_path(place: Place) -> None:
    assert list(await place.helper.list_directory(StoragePath(""))) == []
    await place.put(A, b"")
    await place.put(DEEP, b"")
    assert sorted(await place.helper.list_directory(StoragePath(""))) == ["a", "x"]


@needs("keeping", SupportsScanning)
@ensureDeferred
async def test_scanning_tells_files_and_directories_and_their_sizes(place: Place) -> None:
    await place.put("d/f", b"12345")
    await place.put("d/e/g", b"1")
    found = [each async for batch in place.helper.scan(StoragePath("d")) for each in batch]
    assert {each.name: each.stat.is_directory for each in found} == {"f": False, "e": True}
    assert {each.name: each.stat.size_b for each in found if not each.stat.is_directory} == {"f": 5}
    top = [each async for batch in place.helper.scan(StoragePath("")) for each in batch]
    assert [(each.name, each.stat.is_directory) for each in top] == [("d", True)]


@needs("keeping", SupportsScanning)
@ensureDeferred
async def test_scanning_agrees_with_the_status_of_each_file(place: Place) -> None:
    await place.put("d/f", b"12345")
    found = [each async for batch in place.helper.scan(StoragePath("d")) for each in batch]
    status = await place.helper.stat(StoragePath("d/f"))
    assert [(each.name, each.stat.size_b, each.stat.tag) for each in found] == [("f", 5, status.tag)]
    assert abs(found[0].stat.mtime_s - status.mtime_s) < 1.0


@pytest.mark.timeout(240)
@needs("keeping", "long directories", SupportsScanning)
@ensureDeferred
async def test_a_long_directory_is_scanned_in_batches_with_each_name_once(place: Place) -> None:
    for number in range(MANY):
        await place.put(f"d/{number}", b"1")
    batches = [batch async for batch in place.helper.scan(StoragePath("d"))]
    assert all(1 <= len(batch) <= BATCH for batch in batches)
    names = [each.name for batch in batches for each in batch]
    assert sorted(names) == sorted(map(str, range(MANY)))


@needs("keeping", SupportsScanning, SupportsDirectories)
@ensureDeferred
async def test_scanning_refuses_what_is_missing_or_a_file(place: Place) -> None:
    await place.put(A, b"1")

    async def scan(path: str) -> None:
        async for _ in place.helper.scan(StoragePath(path)):
            pass

    assert await refusal(scan("nowhere")) == errno.ENOENT
    assert await refusal(scan(A)) == errno.ENOTDIR


@needs("keeping", "writing", SupportsModes)
@ensureDeferred
async def test_modes_are_kept(place: Place) -> None:
    await place.put(DEEP, b"1")
    await place.helper.set_mode(DEEP, 0o640)
    await place.helper.set_mode(StoragePath("x/y"), 0o750)
    found = [(await place.helper.stat(StoragePath(path))).mode for path in (DEEP, "x/y")]
    assert [None if mode is None else mode & 0o7777 for mode in found] == [0o640, 0o750]


@needs("keeping", "writing", SupportsOwners, "owners")
@ensureDeferred
async def test_owners_are_kept_and_minus_one_leaves_one_as_it_is(place: Place) -> None:
    await place.put(DEEP, b"1")
    await place.helper.set_owner(DEEP, 12345, 54321)
    await place.helper.set_owner(DEEP, -1, 777)
    found = await place.helper.stat(DEEP)
    assert (found.uid, found.gid) == (12345, 777)


@needs(SupportsCapacity, "telling its room")
@ensureDeferred
async def test_the_room_of_a_storage_is_more_than_nothing_and_not_more_than_all(place: Place) -> None:
    room = await place.helper.capacity()
    assert 0 <= room.free_b <= room.total_b
    assert room.total_b > 0
