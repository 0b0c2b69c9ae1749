"""Where symbolic links lead."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from onedata.errors import Errno
from op_worker.files.finding.lookup import MAX_LINKS
from op_worker.files.model import CreateOptions, FileType
from op_worker.files.service import FileService
from tests.conformance.files.test_file_service import put, refused
from tests.support.spaces import OTHER_SPACE, SPACE, owner, path, read

ROOT = f"<__onedata_space_id:{SPACE}>"


async def symlink(files: FileService, name: str, target: str) -> None:
    await files.create_symlink(owner, path(name), CreateOptions(symlink_target=target, create_parents=True))


@pytest.mark.parametrize(
    "target",
    [
        "../e/f",
        "../d/../e/f",
        "./..//e/./f/",
        f"{ROOT}/e/f",
        f"{ROOT}/d/../e/f",
        "deep/../f",  # from where ``deep`` leads, not from here
        f"{ROOT}/d/deep/../f",
        "up/e/f",
    ],
)
@ensureDeferred
async def test_a_link_leads_where_its_way_leads_directory_by_directory(
    files: FileService, target: str
) -> None:
    await files.create_directory(owner, path("e/sub"), CreateOptions(create_parents=True))
    await put(files, "e/f", b"the right one")
    await files.create_directory(owner, path("d"), CreateOptions())
    await put(files, "d/f", b"a wrong one")
    await symlink(files, "d/deep", "../e/sub")
    await symlink(files, "d/up", "..")
    await symlink(files, "d/l", target)
    assert await read(files, path("d/l")) == b"the right one"


@pytest.mark.parametrize(
    ("target", "errno"),
    [
        ("../..", Errno.ENOENT),
        ("../../science", Errno.ENOENT),
        (f"{ROOT}/..", Errno.ENOENT),
        ("up/..", Errno.ENOENT),
        ("no/../f", Errno.ENOENT),
        ("f/../f", Errno.ENOTDIR),
        ("/etc/passwd", Errno.ENOENT),
        (f"<__onedata_space_id:{OTHER_SPACE}>/f", Errno.ENOENT),
        ("no", Errno.ENOENT),
        ("l", Errno.ELOOP),
        ("l/../l", Errno.ELOOP),
        ("x" * 256, Errno.ENAMETOOLONG),
    ],
)
@ensureDeferred
async def test_links_that_lead_nowhere_are_refused(files: FileService, target: str, errno: Errno) -> None:
    await put(files, "f", b"1")
    await files.create_directory(owner, path("d"), CreateOptions())
    await put(files, "d/f", b"1")
    await symlink(files, "d/up", "..")
    await symlink(files, "d/l", target)
    await refused(errno, files.open_content(owner, path("d/l")))
    await refused(errno, files.open_content(owner, path("d/l/f")))
    assert (await files.stat(owner, path("d/l"))).type is FileType.SYMLNK


@ensureDeferred
async def test_forty_links_are_followed_and_no_more(files: FileService) -> None:
    await put(files, "l0", b"1")
    for number in range(1, MAX_LINKS + 2):
        await symlink(files, f"l{number}", f"l{number - 1}")
    assert await read(files, path(f"l{MAX_LINKS}")) == b"1"
    await refused(Errno.ELOOP, files.open_content(owner, path(f"l{MAX_LINKS + 1}")))


@ensureDeferred
async def test_links_around_many_corners_end_soon(files: FileService) -> None:
    for number in range(12):
        await symlink(files, f"d/l{number}", f"l{number + 1}/../l{number + 1}/..")
    await refused(Errno.ENOENT, files.open_content(owner, path("d/l0")))
    await symlink(files, "d/l12", "l0/../l0")
    await refused(Errno.ELOOP, files.open_content(owner, path("d/l0")))
