"""Opening below a folder: both ways refuse whatever would leave it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from op_worker.storage.helpers.posix.beneath import OpenBeneath, best_opener, open_at_once, open_walking


@pytest.fixture(params=[open_at_once, open_walking], ids=["at once", "walking"])
def opener(request: pytest.FixtureRequest) -> OpenBeneath:
    chosen: OpenBeneath = request.param
    if chosen is open_at_once and best_opener() is not open_at_once:
        pytest.skip("this kernel has no openat2")
    return chosen


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "root" / "a" / "b").mkdir(parents=True)
    (tmp_path / "root" / "a" / "b" / "file").write_bytes(b"inside")
    (tmp_path / "outside").write_bytes(b"outside")
    fd = os.open(tmp_path / "root", os.O_PATH | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def read(fd: int) -> bytes:
    try:
        return os.read(fd, 100)
    finally:
        os.close(fd)


def test_file_at_any_depth_is_opened(opener: OpenBeneath, folder: int) -> None:
    assert read(opener(folder, b"a/b/file", os.O_RDONLY, 0)) == b"inside"


def test_new_file_gets_its_mode(opener: OpenBeneath, folder: int, tmp_path: Path) -> None:
    os.close(opener(folder, b"a/new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    assert (tmp_path / "root" / "a" / "new").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        opener(folder, b"a/new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def test_missing_component_is_told_from_a_file_in_the_way(opener: OpenBeneath, folder: int) -> None:
    with pytest.raises(FileNotFoundError):
        opener(folder, b"a/none/file", os.O_RDONLY, 0)
    with pytest.raises(NotADirectoryError):
        opener(folder, b"a/b/file/below", os.O_RDONLY, 0)


@pytest.mark.parametrize("place", ["a/link", "a/b/link"])
@pytest.mark.parametrize("target", ["../../outside", "/etc/passwd", "b/file", "."])
def test_symbolic_link_is_never_followed(
    opener: OpenBeneath, folder: int, tmp_path: Path, place: str, target: str
) -> None:
    (tmp_path / "root" / place).symlink_to(target)
    with pytest.raises(OSError) as caught:
        opener(folder, place.encode(), os.O_RDONLY, 0)
    assert caught.value.errno in (errno.ELOOP, errno.ENOTDIR)


def test_symbolic_link_in_the_middle_is_never_passed(
    opener: OpenBeneath, folder: int, tmp_path: Path
) -> None:
    (tmp_path / "root" / "a" / "way").symlink_to(tmp_path)
    with pytest.raises(OSError) as caught:
        opener(folder, b"a/way/outside", os.O_RDONLY, 0)
    assert caught.value.errno in (errno.ELOOP, errno.ENOTDIR)
