"""Files of imported storages that are registered, and storages that nothing is written to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from pytest_twisted import async_yield_fixture, ensureDeferred

from cluster_worker.runtime.clock import system_wall_clock
from onedata.errors import (
    BadData,
    BadValueFilePath,
    Errno,
    Forbidden,
    MissingRequiredValue,
    NotALocalStorageSupportingSpace,
    OnedataError,
    Posix,
    RequiresAutoStorageImportMode,
)
from onedata.ids import StorageId
from op_worker.files.model import CreateOptions, Existing, Target
from op_worker.importing.configuration import ImportMode
from op_worker.importing.registering import Wish
from tests.support.imported_sites import ImportedSite, ImportingNode, shown_by_folder, shown_by_space
from tests.support.real_sites import redis_and_posix
from tests.support.spaces import ALICE, SPACE, STORAGE, alice, body, owner, path, read

UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)
WISH = Wish(space_id=SPACE, storage_id=STORAGE, storage_file_id="/in/f", destination=["a", "b", "registered"])


@async_yield_fixture
async def site(tmp_path: Path) -> AsyncIterator[ImportedSite]:
    """A store and a folder with one file."""
    async with redis_and_posix(tmp_path) as real:
        site = ImportedSite(real.engine, tmp_path / "imported", real.clock, real.blocking, system_wall_clock)
        (site.folder / "in").mkdir(parents=True)
        (site.folder / "in" / "f").write_bytes(b"on the storage")
        yield site


@async_yield_fixture
async def node(site: ImportedSite) -> AsyncIterator[ImportingNode]:
    node = await site.node(mode=ImportMode.MANUAL)
    node.start()
    yield node
    await node.stop()


async def register(node: ImportingNode, **changes: Any) -> Target:
    return Target(await node.importing.registering.register(owner, evolve(WISH, **changes)))


@ensureDeferred
async def test_a_registered_file_is_read_in_place_under_its_new_path(
    site: ImportedSite, node: ImportingNode
) -> None:
    target = await register(node, mode=0o640, mtime_s=1000)
    assert await read(node.files, path("a/b/registered")) == b"on the storage"
    stat = await node.files.stat(owner, target)
    assert (stat.mode, stat.mtime_s) == (0o640, 1000)
    assert (await node.files.stat(owner, path("a/b"))).mode == 0o775
    assert sorted(shown_by_folder(site.folder)) == ["in", "in/f"]


@ensureDeferred
async def test_a_file_that_is_registered_again_is_what_it_is_now(
    site: ImportedSite, node: ImportingNode
) -> None:
    first = await register(node)
    (site.folder / "in" / "f").write_bytes(b"changed")
    assert await register(node) == first
    assert await read(node.files, first) == b"changed"


@ensureDeferred
async def test_a_file_may_be_registered_where_it_is(node: ImportingNode) -> None:
    target = await register(node, destination=["in", "f"])
    assert await read(node.files, target) == b"on the storage"
    await node.files.move(owner, path("in/f"), path("in/moved"))
    assert await read(node.files, target) == b"on the storage"


@ensureDeferred
async def test_a_file_that_is_not_looked_at_needs_a_size(node: ImportingNode) -> None:
    with pytest.raises(MissingRequiredValue):
        await register(node, detects=False)
    target = await register(node, detects=False, size_b=2)
    assert (await node.files.stat(owner, target)).size_b == 2


REFUSALS: list[tuple[dict[str, Any], type[OnedataError] | Errno]] = [
    ({"storage_file_id": "missing"}, Errno.ENOENT),
    ({"storage_file_id": "in"}, Errno.EISDIR),
    ({"storage_file_id": "../in/f"}, BadValueFilePath),
    ({"storage_file_id": "/"}, BadValueFilePath),
    ({"destination": []}, BadValueFilePath),
    ({"destination": [".__onedata__x"]}, Errno.EPERM),
    ({"storage_id": StorageId("f" * 32)}, NotALocalStorageSupportingSpace),
]


@pytest.mark.parametrize(("changes", "refusal"), REFUSALS)
@ensureDeferred
async def test_what_cannot_be_registered_is_refused_by_a_typed_error(
    node: ImportingNode, changes: dict[str, Any], refusal: type[OnedataError] | Errno
) -> None:
    with pytest.raises(Posix if isinstance(refusal, Errno) else refusal) as caught:
        await register(node, **changes)
    if isinstance(refusal, Errno):
        assert isinstance(caught.value, Posix)
        assert caught.value.errno is refusal
    assert await shown_by_space(node.files) == {}


@ensureDeferred
async def test_another_file_is_not_replaced_by_a_registered_one(node: ImportingNode) -> None:
    await node.files.replace_content(
        owner, path("a/b/registered"), body(b"mine"), expected_b=4, create=UPDATE
    )
    with pytest.raises(Posix):
        await register(node)
    assert await read(node.files, path("a/b/registered")) == b"mine"


@ensureDeferred
async def test_registering_needs_its_privilege(node: ImportingNode) -> None:
    assert ALICE
    with pytest.raises(Forbidden):
        await node.importing.registering.register(alice, WISH)


@ensureDeferred
async def test_the_mode_of_an_import_stays_and_manual_ones_are_not_scanned(node: ImportingNode) -> None:
    imports = node.importing.imports
    with pytest.raises(BadData):
        await imports.choose(SPACE, ImportMode.AUTO, {})
    with pytest.raises(RequiresAutoStorageImportMode):
        await imports.start_scan(SPACE)


@ensureDeferred
async def test_a_storage_that_is_readonly_is_read_and_refuses_every_change(site: ImportedSite) -> None:
    site.is_readonly = True
    node = await site.node()
    node.start()
    await node.until_scanned()
    before = shown_by_folder(site.folder)
    assert await shown_by_space(node.files) == before
    files = node.files
    for change in (
        lambda: files.replace_content(owner, path("in/f"), body(b"x"), expected_b=1, create=UPDATE),
        lambda: files.replace_content(owner, path("new"), body(b"x"), expected_b=1, create=UPDATE),
        lambda: files.write_content(owner, path("in/f"), 0, body(b"x"), expected_b=1),
        lambda: files.create_directory(owner, path("d"), CreateOptions()),
        lambda: files.create_file(owner, path("new"), CreateOptions()),
        lambda: files.remove(owner, path("in")),
        lambda: files.move(owner, path("in/f"), path("in/g")),
        lambda: files.truncate(owner, path("in/f"), 0),
    ):
        with pytest.raises(Posix) as caught:
            await change()
        assert caught.value.errno is Errno.EROFS
    (site.folder / "in" / "f").unlink()
    (site.folder / "g").write_bytes(b"later")
    await node.scan()
    assert await shown_by_space(node.files) == shown_by_folder(site.folder)
    assert not list(site.folder.glob(".__onedata__*"))
    await node.stop()
