"""An open reader reads what it opened, to the end, whatever becomes of the file meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from pytest_twisted import ensureDeferred

from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.runtime.clock import sleep
from onedata.errors import Errno
from onedata.ids import trash_uuid
from op_worker.files.model import ContentReader, CreateOptions, Existing
from op_worker.files.service import FileService
from tests.conformance.files.test_file_service import put, refused
from tests.support.spaces import SPACE, Site, body, owner, path, read

PARENTS = CreateOptions(create_parents=True)
OLD = bytes(range(256)) * 2048  # larger than what is read when a file is opened
NEW_CONTENT = b"n" * len(OLD)


async def rest_of(reader: ContentReader, offset_b: int) -> bytes:
    parts = []
    while part := await reader.read(offset_b, 100_000):
        parts.append(part)
        offset_b += len(part)
    await reader.close()
    return b"".join(parts)


async def purged(site: Site) -> None:
    while await site.engine.count(Scope(SPACE), Key(trash_uuid(SPACE))):
        await sleep(site.clock, 0.01)


async def remove_tree(files: FileService) -> None:
    await files.remove(owner, path("d"))


async def recycle(files: FileService) -> None:
    await files.space_settings.change_settings(owner, SPACE, recycle_days=1)
    await files.remove(owner, path("d"))
    await files.recycle_bin.empty(owner, SPACE)
    await files.space_settings.change_settings(owner, SPACE, recycle_days=0)


async def link_and_remove(files: FileService) -> None:
    stat = await files.stat(owner, path("d/f"))
    await files.create_link(owner, path("g"), stat.guid, PARENTS)
    await files.remove(owner, path("d/f"))
    await files.remove(owner, path("g"))


async def move_over(files: FileService) -> None:
    await put(files, "other", NEW_CONTENT)
    await files.move(owner, path("other"), path("d/f"))


CHANGES: dict[str, Callable[[FileService], Awaitable[object]]] = {
    "removed": lambda files: files.remove(owner, path("d/f")),
    "replaced": lambda files: put(files, "d/f", NEW_CONTENT),
    "replaced by a rename": move_over,
    "renamed": lambda files: files.move(owner, path("d/f"), path("elsewhere")),
    "its tree moved": lambda files: files.move(owner, path("d"), path("e")),
    "its tree removed": remove_tree,
    "its tree recycled, and removed for good": recycle,
    "linked, and every name removed": link_and_remove,
}


@pytest.mark.parametrize("how", list(CHANGES))
@pytest.mark.parametrize("nodes", ["the same node", "another node"])
@ensureDeferred
async def test_a_reader_goes_on_to_the_end(files: FileService, site: Site, how: str, nodes: str) -> None:
    await files.create_directory(owner, path("d"), PARENTS)
    await put(files, "d/f", OLD)
    reader = await files.open_content(owner, path("d/f"))
    first = await reader.read(0, 1000)
    changing = files if nodes == "the same node" else await site.process("another@test")
    await CHANGES[how](changing)
    await changing.recover(SPACE)
    await purged(site)
    assert first + await rest_of(reader, 1000) == OLD
    if changing is not files:
        await changing.stopService()


class Halting:
    """A body that lets something happen between its two pieces."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self._meanwhile = meanwhile
        self._pieces = [b"w" * 300_000, b"w" * 100]

    async def read(self) -> bytes:
        if not self._pieces:
            return b""
        if len(self._pieces) == 1:
            await self._meanwhile()
        return self._pieces.pop(0)


@ensureDeferred
async def test_a_writer_goes_on_and_is_told_at_the_end_that_the_file_was_removed(files: FileService) -> None:
    await put(files, "f", OLD)
    late = Halting(lambda: files.remove(owner, path("f")))
    await refused(Errno.ENOENT, files.write_content(owner, path("f"), 0, late, expected_b=None))
    await refused(Errno.ENOENT, files.stat(owner, path("f")))


@ensureDeferred
async def test_a_writer_into_a_file_that_was_replaced_came_before_that(files: FileService) -> None:
    await put(files, "f", OLD)
    late = Halting(lambda: put(files, "f", b"new"))
    await files.write_content(owner, path("f"), 0, late, expected_b=None)
    assert await read(files, path("f")) == b"new"


@ensureDeferred
async def test_a_writer_whose_name_goes_while_another_is_left_has_written(files: FileService) -> None:
    await put(files, "f", OLD)

    async def lose_first_name() -> None:
        stat = await files.stat(owner, path("f"))
        await files.create_link(owner, path("g"), stat.guid, CreateOptions(existing=Existing.REFUSE))
        await files.remove(owner, path("f"))

    stat = await files.write_content(owner, path("f"), 0, Halting(lose_first_name), expected_b=None)
    assert stat.size_b == len(OLD)
    written = b"w" * 300_100
    assert await read(files, path("g")) == written + OLD[len(written) :]
    await files.write_content(owner, path("g"), 0, body(b"!"), expected_b=1)
