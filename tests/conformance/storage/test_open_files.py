"""An open file stays the file that was opened, whatever becomes of its path."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from op_worker.storage.helper import (
    StoragePath,
    SupportsClosing,
    SupportsDirectories,
    SupportsOpenWithFirst,
    SupportsRename,
    SupportsWholeWrites,
)
from tests.conformance.storage.enrolment import needs
from tests.conformance.storage.places import Place

A, B, DEEP = StoragePath("a"), StoragePath("b"), StoragePath("x/y/z/file")

RENAMED = needs(SupportsRename, "replacing while open")
TAKEN_AWAY = [
    pytest.param("renamed", marks=RENAMED),
    pytest.param("replaced", marks=RENAMED),
    pytest.param("renamed, with its directory", marks=[RENAMED, needs(SupportsDirectories)]),
    pytest.param("removed", marks=needs("removing while open")),
    pytest.param("removed, with its directories", marks=needs("removing while open", SupportsDirectories)),
    pytest.param("removed, and made again", marks=needs("removing while open")),
]


async def take_away(place: Place, how: str) -> None:
    """Make the path ``x/y/z/file`` something else, or nothing."""
    helper = place.helper
    match how:
        case "renamed":
            await helper.rename(DEEP, A)
        case "replaced":
            await place.put(A, b"another file")
            await helper.rename(A, DEEP)
        case "renamed, with its directory":
            await helper.rename(StoragePath("x/y"), B)
        case "removed":
            await helper.remove(DEEP)
        case "removed, with its directories":
            await helper.remove(DEEP)
            for folder in ("x/y/z", "x/y", "x"):
                await helper.remove_directory(StoragePath(folder))
        case "removed, and made again":
            await helper.remove(DEEP)
            await place.put(DEEP, b"another file")


@pytest.mark.parametrize("how", TAKEN_AWAY)
@needs("keeping", "writing")
@ensureDeferred
async def test_an_open_file_is_read_to_its_end_whatever_becomes_of_its_path(place: Place, how: str) -> None:
    await place.put(DEEP, b"the one opened")
    file = await place.helper.open_read(DEEP)
    assert await file.read(0, 4) == b"the "
    await take_away(place, how)
    assert await file.read(4, 100) == b"one opened"
    assert await file.size() == 14
    await file.close()
    if how in ("replaced", "removed, and made again"):
        assert await place.get(DEEP) == b"another file"


@pytest.mark.parametrize("how", TAKEN_AWAY)
@needs("keeping", "writing", "writing in place", "cutting")
@ensureDeferred
async def test_an_open_file_is_written_and_cut_whatever_becomes_of_its_path(place: Place, how: str) -> None:
    await place.put(DEEP, b"the one opened")
    file = await place.helper.open_update(DEEP)
    await take_away(place, how)
    await file.write(4, b"same")
    await file.truncate(8)
    await file.sync()
    assert await file.read(0, 100) == b"the same"
    await file.close()
    if how in ("replaced", "removed, and made again"):
        assert await place.get(DEEP) == b"another file"


@pytest.mark.parametrize("how", TAKEN_AWAY)
@needs("keeping", "writing", SupportsOpenWithFirst)
@ensureDeferred
async def test_a_file_opened_with_its_first_bytes_is_read_to_its_end(place: Place, how: str) -> None:
    await place.put(DEEP, b"the one opened")
    opened = await place.helper.open_with_first(DEEP, 4)
    await take_away(place, how)
    assert opened.file is not None
    assert await opened.file.read(4, 100) == b"one opened"
    await opened.file.close()


@needs("keeping", "writing", "removing while open")
@ensureDeferred
async def test_a_file_removed_while_open_is_gone_once_it_is_closed(place: Place) -> None:
    await place.put(DEEP, b"the one opened")
    first, second = await place.helper.open_read(DEEP), await place.helper.open_read(DEEP)
    await place.helper.remove(DEEP)
    await first.close()
    assert await second.read(0, 100) == b"the one opened"
    await second.close()
    await place.put(DEEP, b"new")
    assert await place.get(DEEP) == b"new"


@needs("keeping", "writing", SupportsWholeWrites, "replacing while open")
@ensureDeferred
async def test_a_whole_write_after_a_removal_is_another_file_than_the_open_one(place: Place) -> None:
    await place.put(DEEP, b"the one opened")
    file = await place.helper.open_read(DEEP)
    await place.helper.remove(DEEP)
    await place.helper.write_whole(DEEP, b"another")
    assert await file.read(0, 100) == b"the one opened"
    await file.close()
    assert await place.get(DEEP) == b"another"


@needs("keeping", SupportsClosing)
@ensureDeferred
async def test_a_closed_helper_leaves_open_files_readable_until_they_are_closed(place: Place) -> None:
    await place.put(A, b"hello")
    file = await place.helper.open_read(A)
    assert await file.read(0, 1) == b"h"
    await place.helper.close()
    await place.helper.close()
    assert await file.read(1, 100) == b"ello"
    await file.close()
