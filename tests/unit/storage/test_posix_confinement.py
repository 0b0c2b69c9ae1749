"""The posix helper stays inside its root, and says so when the root is away."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from cluster_worker.runtime.pool import Inline
from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.posix.helper import PosixHelper
from op_worker.storage.types import Durability

SECRET = b"secret"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_bytes(SECRET)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def helper(root: Path) -> PosixHelper:
    return PosixHelper(str(root), Inline())


@ensureDeferred
async def test_planted_link_to_a_file_is_not_read_or_written(
    helper: PosixHelper, root: Path, outside: Path
) -> None:
    (root / "link").symlink_to(outside / "file")
    for open_ in (helper.open_read, helper.open_write, helper.open_update):
        with pytest.raises(StorageError) as refused:
            await open_(StoragePath("link"))
        assert refused.value.errno == errno.ELOOP
    assert (outside / "file").read_bytes() == SECRET


@ensureDeferred
async def test_planted_link_to_a_directory_is_not_entered(
    helper: PosixHelper, root: Path, outside: Path
) -> None:
    (root / "link").symlink_to(outside)
    path = StoragePath("link/file")
    for work in (
        helper.open_read(path),
        helper.write_whole(path, b"x"),
        helper.remove(path),
        helper.rename(path, StoragePath("stolen")),
        helper.list_directory(StoragePath("link")),
        helper.make_directory(StoragePath("link/sub")),
        helper.stat(path),
    ):
        with pytest.raises(StorageError) as refused:
            await work
        assert refused.value.errno in (errno.ENOTDIR, errno.ELOOP)
    assert os.listdir(outside) == ["file"]


@ensureDeferred
async def test_removing_a_planted_link_removes_the_link_alone(
    helper: PosixHelper, root: Path, outside: Path
) -> None:
    (root / "link").symlink_to(outside / "file")
    await helper.remove(StoragePath("link"))
    assert (outside / "file").read_bytes() == SECRET


@ensureDeferred
async def test_pipes_and_devices_are_refused_and_block_nobody(helper: PosixHelper, root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(StorageError):
        await helper.open_read(StoragePath("pipe"))
    with pytest.raises(StorageError):
        await helper.open_write(StoragePath("pipe"))


@ensureDeferred
async def test_missing_root_is_unavailable_at_the_start_and_later(tmp_path: Path) -> None:
    helper = PosixHelper(str(tmp_path / "root"), Inline())
    with pytest.raises(StorageUnavailable):
        await helper.check()
    (tmp_path / "root").mkdir()
    await helper.write_whole(StoragePath("d/a"), b"1")
    (tmp_path / "root").rename(tmp_path / "gone")
    for work in (
        helper.check(),
        helper.open_read(StoragePath("d/a")),
        helper.write_whole(StoragePath("d/a"), b"2"),
        helper.remove(StoragePath("d/a")),
    ):
        with pytest.raises(StorageUnavailable):
            await work
    assert not (tmp_path / "root").exists()


@ensureDeferred
async def test_new_files_and_folders_ignore_the_umask(helper: PosixHelper, root: Path) -> None:
    before = os.umask(0o077)
    try:
        await helper.write_whole(StoragePath("d/a"), b"1")
    finally:
        os.umask(before)
    assert (root / "d").stat().st_mode & 0o777 == 0o775
    assert (root / "d" / "a").stat().st_mode & 0o777 == 0o664


@ensureDeferred
async def test_no_descriptor_is_left_open(helper: PosixHelper, root: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    await helper.write_whole(StoragePath("d/e/a"), b"1")
    file = await helper.open_update(StoragePath("d/e/a"))
    await file.write(0, b"22")
    await file.close()
    for path in ("d/e/missing", "d", "nowhere/x"):
        with pytest.raises(StorageError):
            await helper.open_read(StoragePath(path))
    await helper.rename(StoragePath("d/e/a"), StoragePath("f/a"))
    await helper.open_with_first(StoragePath("f/a"), 100)
    await helper.list_directory(StoragePath("f"))
    assert set(os.listdir("/proc/self/fd")) == before


@ensureDeferred
async def test_a_closed_file_refuses_instead_of_reading_another_one(helper: PosixHelper) -> None:
    await helper.write_whole(StoragePath("a"), b"1")
    file = await helper.open_read(StoragePath("a"))
    await file.close()
    with pytest.raises(StorageError) as refused:
        await file.read(0, 1)
    assert refused.value.errno == errno.EBADF


@ensureDeferred
async def test_power_durability_writes_and_renames_alike(root: Path) -> None:
    helper = PosixHelper(str(root), Inline(), Durability.POWER)
    await helper.write_whole(StoragePath("s/a"), b"1")
    await helper.rename(StoragePath("s/a"), StoragePath("d/a"))
    file = await helper.open_update(StoragePath("d/a"))
    await file.write(1, b"2")
    await file.sync()
    await file.close()
    assert (root / "d" / "a").read_bytes() == b"12"
