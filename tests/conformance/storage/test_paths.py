"""Names, and what is refused at a path: the same on every storage helper."""

from __future__ import annotations

import errno

import pytest
from pytest_twisted import ensureDeferred

from op_worker.storage.helper import (
    StoragePath,
    SupportsDirectories,
    SupportsModes,
    SupportsOpenWithFirst,
    SupportsOwners,
    SupportsRename,
    SupportsScanning,
)
from tests.conformance.storage.enrolment import needs
from tests.conformance.storage.places import Place, refusal

A, DEEP = StoragePath("a"), StoragePath("x/y/z/file")
NOWHERE = StoragePath("no/where")


@needs("writing")
@ensureDeferred
async def test_every_helper_removes_a_missing_file_without_complaint(place: Place) -> None:
    await place.helper.remove(DEEP)
    await place.helper.remove(A)
    await place.helper.check()


@ensureDeferred
async def test_a_storage_that_can_be_used_says_so(place: Place) -> None:
    await place.helper.check()


@needs("keeping")
@ensureDeferred
async def test_missing_files_are_refused_with_enoent(place: Place) -> None:
    await place.put(StoragePath("x/y/z/other"), b"1")
    for path in (DEEP, A, StoragePath("x/q/file")):
        assert await refusal(place.helper.open_read(path)) == errno.ENOENT
        assert await refusal(place.helper.stat(path)) == errno.ENOENT


@needs("keeping", "writing")
@ensureDeferred
async def test_missing_files_are_not_made_by_opening_them_for_an_update(place: Place) -> None:
    await place.put("x/y/z/other", b"1")
    for path in (DEEP, A, StoragePath("x/q/file")):
        assert await refusal(place.helper.open_update(path)) == errno.ENOENT
        assert await refusal(place.helper.stat(path)) == errno.ENOENT


@needs("keeping", SupportsOpenWithFirst)
@ensureDeferred
async def test_first_bytes_of_a_missing_file_are_refused_with_enoent(place: Place) -> None:
    assert await refusal(place.helper.open_with_first(DEEP, 5)) == errno.ENOENT


@needs("keeping", "writing", SupportsModes)
@ensureDeferred
async def test_modes_of_missing_files_are_refused_with_enoent(place: Place) -> None:
    assert await refusal(place.helper.set_mode(DEEP, 0o600)) == errno.ENOENT


@needs("keeping", "writing")
@ensureDeferred
async def test_a_removed_file_is_gone_and_its_neighbours_stay(place: Place) -> None:
    for path in ("x/y/file", "x/y/file2", "x/y/fil"):
        await place.put(path, path.encode())
    await place.helper.remove(StoragePath("x/y/file"))
    assert await refusal(place.helper.open_read(StoragePath("x/y/file"))) == errno.ENOENT
    assert await place.get("x/y/file2") == b"x/y/file2"
    assert await place.get("x/y/fil") == b"x/y/fil"


@needs("keeping", "writing", "removing while open")
@ensureDeferred
async def test_a_file_made_again_after_its_removal_has_nothing_of_the_old_one(place: Place) -> None:
    await place.put(A, b"a longer text")
    await place.helper.remove(A)
    await place.put(A, b"new")
    assert await place.get(A) == b"new"


@needs("keeping", "writing", SupportsDirectories)
@ensureDeferred
async def test_directories_are_refused_as_files(place: Place) -> None:
    await place.put(DEEP, b"")
    assert await refusal(place.helper.open_read(StoragePath("x/y"))) == errno.EISDIR
    assert await refusal(place.helper.open_write(StoragePath("x/y"))) == errno.EISDIR
    assert await refusal(place.helper.remove(StoragePath("x/y"))) == errno.EISDIR


@needs("keeping", "writing", "files told from folders", SupportsDirectories)
@ensureDeferred
async def test_files_are_refused_as_directories(place: Place) -> None:
    await place.put(A, b"")
    assert await refusal(place.helper.open_read(StoragePath("a/b"))) == errno.ENOTDIR
    assert await refusal(place.helper.open_write(StoragePath("a/b"))) == errno.ENOTDIR
    assert await refusal(place.helper.make_directory(StoragePath("a/b"))) == errno.ENOTDIR
    assert await refusal(place.helper.remove_directory(A)) == errno.ENOTDIR
    assert await refusal(place.helper.list_directory(A)) == errno.ENOTDIR


@pytest.mark.parametrize(
    "path", ["../a", "a/../../b", "/etc/passwd", "a//b", ".", "a/./b", "a\0b", "", "a/", ".."]
)
@needs("refusing paths")
@ensureDeferred
async def test_paths_that_are_none_are_refused(place: Place, path: str) -> None:
    await place.put("a", b"1")
    assert await refusal(place.helper.open_read(StoragePath(path))) == errno.EINVAL
    assert await refusal(place.helper.open_write(StoragePath(path))) in (errno.EINVAL, errno.EROFS)
    assert await refusal(place.helper.remove(StoragePath(path))) in (errno.EINVAL, errno.EROFS)


@needs("keeping")
@ensureDeferred
async def test_status_tells_the_size(place: Place) -> None:
    await place.put(DEEP, b"hello")
    found = await place.helper.stat(DEEP)
    assert (found.size_b, found.is_directory, found.is_other) == (5, False, False)


@needs("keeping", SupportsDirectories)
@ensureDeferred
async def test_status_tells_directories_from_files(place: Place) -> None:
    await place.put(DEEP, b"hello")
    assert (await place.helper.stat(StoragePath("x"))).is_directory
    assert (await place.helper.stat(StoragePath("x/y/z"))).is_directory


NAMES = [
    pytest.param("plain-name_1.txt", id="plain"),
    pytest.param("żółć ☂ 🦆 日本", marks=needs("unicode names"), id="unicode"),
    pytest.param("e\u0301", marks=needs("unicode names"), id="combining"),
    pytest.param("two\nlines\r\tand a tab", marks=needs("line breaks in names"), id="line breaks"),
    pytest.param("a b+c%20d%2Fe?f#g&h=i", marks=needs("odd characters in names"), id="of URLs"),
    pytest.param("a\\b'c\"d`e*f:g;h|i<j>k[l]{m}~$!@^,", marks=needs("odd characters in names"), id="odd"),
    pytest.param(" .around. ", marks=needs("spaces around names"), id="spaces"),
    pytest.param("x" * 255, marks=needs("long names"), id="long"),
    pytest.param("...", marks=needs("names of dots"), id="three dots"),
]


@pytest.mark.parametrize("name", NAMES)
@needs("keeping")
@ensureDeferred
async def test_names_are_kept_as_they_are(place: Place, name: str) -> None:
    path = StoragePath(f"d/{name}")
    await place.put(path, name.encode())
    await place.put("d/sibling", b"another")
    assert await place.get(path) == name.encode()
    assert (await place.helper.stat(path)).size_b == len(name.encode())


@pytest.mark.parametrize("name", NAMES)
@needs("keeping", "writing", SupportsDirectories)
@ensureDeferred
async def test_names_are_listed_as_they_are(place: Place, name: str) -> None:
    await place.put(StoragePath(f"d/{name}"), b"1")
    await place.helper.make_directory(StoragePath(f"e/{name}"))
    assert list(await place.helper.list_directory(StoragePath("d"))) == [name]
    assert list(await place.helper.list_directory(StoragePath("e"))) == [name]
    await place.helper.remove(StoragePath(f"d/{name}"))
    assert list(await place.helper.list_directory(StoragePath("d"))) == []


@pytest.mark.parametrize("name", NAMES)
@needs("keeping", SupportsScanning)
@ensureDeferred
async def test_names_are_scanned_as_they_are(place: Place, name: str) -> None:
    await place.put(StoragePath(f"d/{name}"), b"123")
    found = [each async for batch in place.helper.scan(StoragePath("d")) for each in batch]
    assert [(each.name, each.stat.size_b) for each in found] == [(name, 3)]


@pytest.mark.parametrize("name", NAMES)
@needs("keeping", "writing", SupportsRename)
@ensureDeferred
async def test_names_are_given_by_renaming_as_they_are(place: Place, name: str) -> None:
    await place.put(A, b"1")
    await place.helper.rename(A, StoragePath(f"d/{name}"))
    assert await place.get(f"d/{name}") == b"1"
    await place.helper.rename(StoragePath(f"d/{name}"), A)
    assert await place.get(A) == b"1"


@needs("keeping", "writing", SupportsOwners, "owners")
@ensureDeferred
async def test_owners_of_missing_files_are_refused_with_enoent(place: Place) -> None:
    assert await refusal(place.helper.set_owner(NOWHERE, 1, 1)) == errno.ENOENT
