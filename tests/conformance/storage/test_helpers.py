"""What every storage helper does, checked on each of them."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from cluster_worker.runtime.pool import Inline
from op_worker.storage.helper import (
    StorageError,
    StorageHelper,
    StoragePath,
    SupportsDirectories,
    SupportsOpenWithFirst,
    SupportsRename,
    SupportsWholeWrites,
)
from op_worker.storage.helpers.memory import MemoryHelper
from op_worker.storage.helpers.nulldevice.helper import NullHelper
from op_worker.storage.helpers.posix.helper import PosixHelper
from op_worker.storage.wrappers.measured import MeasuredHelper, StorageTally

A, B, DEEP = StoragePath("a"), StoragePath("b"), StoragePath("x/y/z/file")


def posix(tmp_path: Path) -> StorageHelper:
    return PosixHelper(str(tmp_path), Inline())


def measured(tmp_path: Path) -> StorageHelper:
    return MeasuredHelper(posix(tmp_path), StorageTally())


KEEPING: dict[str, Callable[[Path], StorageHelper]] = {
    "posix": posix,
    "memory": lambda _: MemoryHelper(),
    "measured": measured,
}
OPENING = {"posix": posix, "measured": measured}
"""Those that open a file together with its first bytes."""
ALL = {**KEEPING, "null": lambda _: NullHelper()}


@pytest.fixture(params=list(KEEPING))
def helper(request: pytest.FixtureRequest, tmp_path: Path) -> StorageHelper:
    """A helper that keeps what is written."""
    return KEEPING[request.param](tmp_path)


@pytest.fixture(params=list(OPENING))
def opening_helper(request: pytest.FixtureRequest, tmp_path: Path) -> StorageHelper:
    """A helper that opens files with their first bytes."""
    return OPENING[request.param](tmp_path)


@pytest.fixture(params=list(ALL))
def any_helper(request: pytest.FixtureRequest, tmp_path: Path) -> StorageHelper:
    """Any helper at all."""
    return ALL[request.param](tmp_path)


async def put(helper: StorageHelper, path: StoragePath, data: bytes) -> None:
    file = await helper.open_write(path)
    await file.write(0, data)
    await file.close()


async def get(helper: StorageHelper, path: StoragePath) -> bytes:
    file = await helper.open_read(path)
    try:
        return await file.read(0, 1 << 20)
    finally:
        await file.close()


async def refusal(work: object) -> int:
    with pytest.raises(StorageError) as caught:
        await work  # type: ignore[misc]  # any awaitable will do
    return caught.value.errno


@ensureDeferred
async def test_every_helper_takes_writes_and_gives_reads_of_the_size_asked(any_helper: StorageHelper) -> None:
    await put(any_helper, DEEP, b"hello")
    file = await any_helper.open_read(DEEP)
    assert len(await file.read(1, 3)) == 3
    await file.sync()
    await file.close()
    await file.close()


@ensureDeferred
async def test_every_helper_removes_a_missing_file_without_complaint(any_helper: StorageHelper) -> None:
    await any_helper.remove(DEEP)
    await any_helper.check()


@ensureDeferred
async def test_written_bytes_come_back_and_read_is_short_only_at_the_end(helper: StorageHelper) -> None:
    await put(helper, DEEP, b"hello")
    file = await helper.open_read(DEEP)
    assert await file.read(2, 100) == b"llo"
    assert await file.read(1, 2) == b"el"
    assert await file.read(5, 2) == b""
    assert await file.size() == 5
    await file.close()


@ensureDeferred
async def test_a_gap_before_a_write_reads_as_zeros(helper: StorageHelper) -> None:
    file = await helper.open_write(A)
    await file.write(3, b"x")
    assert await file.read(0, 9) == b"\0\0\0x"
    await file.close()


@ensureDeferred
async def test_opening_for_write_keeps_what_is_there(helper: StorageHelper) -> None:
    await put(helper, A, b"hello")
    await put(helper, A, b"J")
    assert await get(helper, A) == b"Jello"


@ensureDeferred
async def test_truncating_cuts_and_extends_with_zeros(helper: StorageHelper) -> None:
    await put(helper, A, b"hello")
    file = await helper.open_update(A)
    await file.truncate(2)
    await file.truncate(4)
    assert await file.read(0, 9) == b"he\0\0"
    await file.close()


@ensureDeferred
async def test_missing_files_are_refused_with_enoent(helper: StorageHelper) -> None:
    assert await refusal(helper.open_read(DEEP)) == errno.ENOENT
    assert await refusal(helper.open_update(DEEP)) == errno.ENOENT
    assert await refusal(helper.stat(DEEP)) == errno.ENOENT


@ensureDeferred
async def test_directories_are_refused_as_files(helper: StorageHelper) -> None:
    await put(helper, DEEP, b"")
    assert await refusal(helper.open_read(StoragePath("x/y"))) == errno.EISDIR
    assert await refusal(helper.open_write(StoragePath("x/y"))) == errno.EISDIR
    assert await refusal(helper.remove(StoragePath("x/y"))) == errno.EISDIR


@ensureDeferred
async def test_files_are_refused_as_directories(helper: StorageHelper) -> None:
    await put(helper, A, b"")
    assert await refusal(helper.open_read(StoragePath("a/b"))) == errno.ENOTDIR
    assert await refusal(helper.open_write(StoragePath("a/b"))) == errno.ENOTDIR


@pytest.mark.parametrize("path", ["../a", "a/../../b", "/etc/passwd", "a//b", ".", "a/./b", "a\0b", ""])
@ensureDeferred
async def test_paths_that_are_none_are_refused(helper: StorageHelper, path: str) -> None:
    assert await refusal(helper.open_write(StoragePath(path))) == errno.EINVAL


@ensureDeferred
async def test_status_tells_size_and_kind(helper: StorageHelper) -> None:
    await put(helper, DEEP, b"hello")
    assert (await helper.stat(DEEP)).size_b == 5
    assert (await helper.stat(StoragePath("x"))).is_directory


@ensureDeferred
async def test_renaming_replaces_a_file_and_makes_parents(helper: StorageHelper) -> None:
    assert isinstance(helper, SupportsRename)
    await put(helper, A, b"new")
    await put(helper, DEEP, b"old")
    await helper.rename(A, DEEP)
    assert await get(helper, DEEP) == b"new"
    await helper.rename(DEEP, StoragePath("q/r"))
    assert await get(helper, StoragePath("q/r")) == b"new"
    assert await refusal(helper.stat(A)) == errno.ENOENT


@ensureDeferred
async def test_renaming_moves_a_directory_with_all_below(helper: StorageHelper) -> None:
    assert isinstance(helper, SupportsRename)
    assert isinstance(helper, SupportsDirectories)
    await put(helper, DEEP, b"1")
    await helper.make_directory(StoragePath("empty"))
    await helper.rename(StoragePath("x/y"), StoragePath("empty"))
    assert await get(helper, StoragePath("empty/z/file")) == b"1"


@ensureDeferred
async def test_renaming_refuses_what_is_in_the_way_or_missing(helper: StorageHelper) -> None:
    assert isinstance(helper, SupportsRename)
    await put(helper, DEEP, b"1")
    await put(helper, StoragePath("d/f"), b"2")
    assert await refusal(helper.rename(StoragePath("x"), StoragePath("d"))) in (errno.ENOTEMPTY, errno.EEXIST)
    assert await refusal(helper.rename(StoragePath("x"), StoragePath("d/f"))) == errno.ENOTDIR
    assert await refusal(helper.rename(StoragePath("d/f"), StoragePath("x"))) == errno.EISDIR
    assert await refusal(helper.rename(StoragePath("no/where"), StoragePath("d/g"))) == errno.ENOENT
    assert await get(helper, StoragePath("d/f")) == b"2"


async def take_away(helper: StorageHelper, how: str) -> None:
    """Make the path ``x/y/z/file`` something else, or nothing."""
    assert isinstance(helper, SupportsRename)
    assert isinstance(helper, SupportsDirectories)
    match how:
        case "renamed":
            await helper.rename(DEEP, A)
        case "replaced":
            await put(helper, A, b"another file")
            await helper.rename(A, DEEP)
        case "renamed, with its directory":
            await helper.rename(StoragePath("x/y"), B)
        case "removed, with its directories":
            await helper.remove(DEEP)
            for folder in ("x/y/z", "x/y", "x"):
                await helper.remove_directory(StoragePath(folder))
        case "removed, and made again":
            await helper.remove(DEEP)
            await put(helper, DEEP, b"another file")


TAKEN_AWAY = [
    "renamed",
    "replaced",
    "renamed, with its directory",
    "removed, with its directories",
    "removed, and made again",
]


@pytest.mark.parametrize("how", TAKEN_AWAY)
@ensureDeferred
async def test_an_open_file_is_read_to_its_end_whatever_becomes_of_its_path(
    helper: StorageHelper, how: str
) -> None:
    await put(helper, DEEP, b"the one opened")
    file = await helper.open_read(DEEP)
    assert await file.read(0, 4) == b"the "
    await take_away(helper, how)
    assert await file.read(4, 100) == b"one opened"
    assert await file.size() == 14
    await file.close()


@pytest.mark.parametrize("how", TAKEN_AWAY)
@ensureDeferred
async def test_an_open_file_is_written_and_cut_whatever_becomes_of_its_path(
    helper: StorageHelper, how: str
) -> None:
    await put(helper, DEEP, b"the one opened")
    file = await helper.open_update(DEEP)
    await take_away(helper, how)
    await file.write(4, b"same")
    await file.truncate(8)
    await file.sync()
    assert await file.read(0, 100) == b"the same"
    await file.close()
    if how in ("replaced", "removed, and made again"):
        assert await get(helper, DEEP) == b"another file"


@pytest.mark.parametrize("how", TAKEN_AWAY)
@ensureDeferred
async def test_a_file_opened_with_its_first_bytes_is_read_to_its_end(
    opening_helper: StorageHelper, how: str
) -> None:
    helper = opening_helper
    assert isinstance(helper, SupportsOpenWithFirst)
    await put(helper, DEEP, b"the one opened")
    opened = await helper.open_with_first(DEEP, 4)
    await take_away(helper, how)
    assert opened.file is not None
    assert await opened.file.read(4, 100) == b"one opened"
    await opened.file.close()


@ensureDeferred
async def test_directories_are_made_listed_and_removed_when_empty(helper: StorageHelper) -> None:
    assert isinstance(helper, SupportsDirectories)
    await helper.make_directory(StoragePath("d/e"))
    await helper.make_directory(StoragePath("d/e"))
    await put(helper, StoragePath("d/f"), b"")
    assert sorted(await helper.list_directory(StoragePath("d"))) == ["e", "f"]
    assert await refusal(helper.remove_directory(StoragePath("d"))) == errno.ENOTEMPTY
    await helper.remove_directory(StoragePath("d/e"))
    await helper.remove_directory(StoragePath("d/e"))
    assert await helper.list_directory(StoragePath("d")) == ["f"]
    assert await refusal(helper.list_directory(StoragePath("nowhere"))) == errno.ENOENT


@ensureDeferred
async def test_whole_writes_replace_longer_content(helper: StorageHelper) -> None:
    assert isinstance(helper, SupportsWholeWrites)
    await helper.write_whole(DEEP, b"a longer text")
    await helper.write_whole(DEEP, b"short")
    assert await get(helper, DEEP) == b"short"


@ensureDeferred
async def test_opening_with_first_bytes_gives_small_files_whole(opening_helper: StorageHelper) -> None:
    helper = opening_helper
    assert isinstance(helper, SupportsOpenWithFirst)
    await put(helper, A, b"hello")
    small = await helper.open_with_first(A, 5)
    assert (small.size_b, small.first, small.file) == (5, b"hello", None)
    partly = await helper.open_with_first(A, 2)
    assert (partly.size_b, partly.first) == (5, b"he")
    assert partly.file is not None
    assert await partly.file.read(2, 9) == b"llo"
    await partly.file.close()
    assert await refusal(helper.open_with_first(DEEP, 5)) == errno.ENOENT


@pytest.mark.parametrize("name", ["ż ó\n.txt", "x" * 255, "🦆", "a b\\c"])
@ensureDeferred
async def test_names_are_kept_as_they_are(helper: StorageHelper, name: str) -> None:
    assert isinstance(helper, SupportsDirectories)
    await put(helper, StoragePath(f"d/{name}"), b"1")
    assert await helper.list_directory(StoragePath("d")) == [name]


def test_every_helper_that_opens_with_first_bytes_is_tested_for_it(tmp_path: Path) -> None:
    made = {name: make(tmp_path) for name, make in KEEPING.items()}
    assert {name for name, it in made.items() if isinstance(it, SupportsOpenWithFirst)} == set(OPENING)
