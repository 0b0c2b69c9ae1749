"""Which operation changes which times, as POSIX has it: the table in docs/namespace.md, row by row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from pytest_twisted import ensureDeferred

from onedata.errors import Errno
from op_worker.files.model import NOW, CreateOptions, FileStat, MetadataChange, Target
from op_worker.files.service import FileService
from tests.conformance.files.test_file_service import put, refused
from tests.support.spaces import Site, alice, bob, body, owner, path, read, reader

NEW = CreateOptions()
Operation = Callable[[FileService], Awaitable[object]]


async def link(files: FileService, original: str, name: str) -> None:
    await files.create_link(owner, path(name), (await files.stat(owner, path(original))).guid, NEW)


async def prepare(files: FileService) -> None:
    """Two directories; in ``d`` the names ``f`` and ``g`` of one file, ``h`` alone and a link ``l``."""
    await files.create_directory(owner, path("d"), NEW)
    await files.create_directory(owner, path("e"), NEW)
    await put(files, "d/f", b"content")
    await put(files, "d/h", b"alone")
    await link(files, "d/f", "d/g")
    await files.create_symlink(owner, path("d/l"), CreateOptions(symlink_target="f"))


ROWS: dict[str, tuple[Operation, dict[str, str]]] = {
    "create": (lambda files: files.create_file(owner, path("d/new"), NEW), {"d": "mc"}),
    "create with content": (lambda files: put(files, "d/new", b"1"), {"d": "mc"}),
    "make directory": (lambda files: files.create_directory(owner, path("d/new"), NEW), {"d": "mc"}),
    "symbolic link": (
        lambda files: files.create_symlink(owner, path("d/new"), CreateOptions(symlink_target="f")),
        {"d": "mc"},
    ),
    "replace": (lambda files: put(files, "d/f", b"other"), {"d/f": "mc"}),
    "replace with the same": (lambda files: put(files, "d/f", b"content"), {"d/f": "mc"}),
    "write": (
        lambda files: files.write_content(owner, path("d/f"), 2, body(b"x"), expected_b=1),
        {"d/f": "mc"},
    ),
    "write nothing": (
        lambda files: files.write_content(owner, path("d/f"), 2, body(b""), expected_b=0),
        {},
    ),
    "cut": (lambda files: files.truncate(owner, path("d/f"), 3), {"d/f": "mc"}),
    "extend": (lambda files: files.truncate(owner, path("d/f"), 30), {"d/f": "mc"}),
    "truncate to the same size": (lambda files: files.truncate(owner, path("d/f"), 7), {"d/f": "mc"}),
    "rename in a directory": (
        lambda files: files.move(owner, path("d/g"), path("d/k")),
        {"d": "mc", "d/f": "c"},
    ),
    "rename into another": (
        lambda files: files.move(owner, path("d/g"), path("e/g")),
        {"d": "mc", "e": "mc", "d/f": "c"},
    ),
    "rename over a name of another file": (
        lambda files: files.move(owner, path("d/h"), path("d/g")),
        {"d": "mc", "d/f": "c"},
    ),
    "rename over a name of the same file": (
        lambda files: files.move(owner, path("d/f"), path("d/g")),
        {},
    ),
    "rename a directory": (lambda files: files.move(owner, path("e"), path("d/e")), {"d": "mc", "e": "c"}),
    "hard link": (lambda files: link(files, "d/f", "e/new"), {"d/f": "c", "e": "mc"}),
    "remove a name": (lambda files: files.remove(owner, path("d/g")), {"d": "mc", "d/f": "c"}),
    "remove the last name": (lambda files: files.remove(owner, path("d/h")), {"d": "mc"}),
    "remove a symbolic link": (lambda files: files.remove(owner, path("d/l")), {"d": "mc"}),
    "set mode": (lambda files: files.set_mode(owner, path("d/f"), 0o600), {"d/f": "c"}),
    "set an attribute": (
        lambda files: files.metadata.change(owner, path("d/f"), MetadataChange(set_xattrs={"k": 1})),
        {"d/f": "c"},
    ),
    "set JSON": (lambda files: files.metadata.set_json(owner, path("d/f"), {"k": 1}), {"d/f": "c"}),
    "set times": (lambda files: files.set_times(owner, path("d/f"), 1, 2), {"d/f": "amc"}),
    "set times to now": (lambda files: files.set_times(owner, path("d/f"), NOW, NOW), {"d/f": "amc"}),
    "set no times": (lambda files: files.set_times(owner, path("d/f"), None, None), {"d/f": "c"}),
    "read": (lambda files: read(files, path("d/f")), {}),
    "list": (lambda files: files.list_children(owner, path("d"), limit=9), {}),
    "look": (lambda files: files.stat(owner, path("d/f")), {}),
}


def changed(before: FileStat, after: FileStat) -> str:
    """Say which times moved: some of ``amc``."""
    pairs = {
        "a": (before.atime_s, after.atime_s),
        "m": (before.mtime_s, after.mtime_s),
        "c": (before.ctime_s, after.ctime_s),
    }
    return "".join(letter for letter, (old, new) in pairs.items() if old != new)


@pytest.mark.parametrize("row", list(ROWS))
@ensureDeferred
async def test_an_operation_changes_the_times_that_posix_says(files: FileService, row: str) -> None:
    operation, expected = ROWS[row]
    await prepare(files)
    watched = {name: Target((await files.stat(owner, path(name))).guid) for name in ("d", "d/f", "e")}
    before = {name: await files.stat(owner, target) for name, target in watched.items()}
    await operation(files)
    after = {name: await files.stat(owner, target) for name, target in watched.items()}
    found = {name: changed(before[name], after[name]) for name in watched}
    assert {name: letters for name, letters in found.items() if letters} == expected


@ensureDeferred
async def test_a_new_file_has_one_time_only(files: FileService) -> None:
    stat = await files.create_file(owner, path("f"), NEW)
    assert stat.atime_s == stat.mtime_s == stat.ctime_s
    assert abs(stat.ctime_s - stat.created_s) < 1


@ensureDeferred
async def test_who_may_write_may_set_times_to_now_and_to_nothing_else(files: FileService) -> None:
    await put(files, "f", b"1", alice)
    await files.set_mode(alice, path("f"), 0o664)
    before = await files.stat(owner, path("f"))
    assert (await files.set_times(bob, path("f"), NOW, NOW)).mtime_s > before.mtime_s
    await files.set_mode(alice, path("f"), 0o644)
    for times in ((NOW, NOW), (5.0, None), (None, NOW)):
        await refused(Errno.EACCES, files.set_times(bob, path("f"), *times))
        await refused(Errno.EACCES, files.set_times(reader, path("f"), *times))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e300, -(2.0**41)])
@ensureDeferred
async def test_times_that_no_file_can_have_are_refused(files: FileService, bad: float) -> None:
    await put(files, "f", b"1")
    await refused(Errno.EINVAL, files.set_times(owner, path("f"), bad, None))
    await refused(Errno.EINVAL, files.set_times(owner, path("f"), None, bad))


@ensureDeferred
async def test_times_before_the_epoch_and_clocks_that_go_back_are_kept_as_they_are(
    files: FileService, site: Site
) -> None:
    await put(files, "f", b"1")
    assert (await files.set_times(owner, path("f"), -5.5, -7)).atime_s == -5.5
    site.now_s -= 1000
    stat = await files.set_mode(owner, path("f"), 0o600)
    site.now_s += 1000
    assert stat.ctime_s < stat.created_s
    assert (await files.stat(owner, path("f"))).mtime_s == -7
