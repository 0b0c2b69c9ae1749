"""Copies that take the place of a directory, whatever keeps the metadata and the bytes."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.runtime.clock import sleep
from onedata.errors import Errno, PreconditionNotMet
from onedata.ids import copies_uuid, space_root_guid, trash_uuid
from op_worker.files.model import CreateOptions, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.files.stored.conditions import ContentCondition, Tags
from tests.conformance.files.test_file_service import put, refused
from tests.support.spaces import OTHER_SPACE, SPACE, Site, alice, owner, path, read, reader

COPIES = Key(copies_uuid(SPACE))
PARENTS = CreateOptions(create_parents=True)


async def prepare(files: FileService) -> None:
    """``source`` and ``target``, each with a tree of its own."""
    await files.create_directory(owner, path("source/inner"), PARENTS)
    await put(files, "source/inner/x", b"new")
    await put(files, "source/empty", b"")
    await files.create_symlink(owner, path("source/link"), CreateOptions(symlink_target="empty"))
    await files.metadata.change(owner, path("source"), MetadataChange(set_xattrs={"a": 1}))
    await files.create_directory(owner, path("target/old"), PARENTS)
    await put(files, "target/old/y", b"old")


async def tree(files: FileService, text: str) -> list[str]:
    page = await files.list_recursive(owner, path(text), limit=100)
    return [name for name, _ in page.items]


@ensureDeferred
async def test_the_whole_tree_takes_the_place_of_the_old_one(files: FileService, site: Site) -> None:
    await prepare(files)
    before = await files.stat(owner, path("target"))
    stat = await files.tree_replacing.replace(
        owner, path("source"), path("target"), MetadataChange(set_xattrs={"b": 2})
    )
    assert (stat.name, stat.guid != before.guid) == ("target", True)
    assert await tree(files, "target") == ["empty", "inner/x", "link"]
    assert await read(files, path("target/inner/x")) == b"new"
    assert await files.metadata.xattrs(owner, path("target")) == {"a": 1, "b": 2}
    assert await read(files, path("source/inner/x")) == b"new"
    await refused(Errno.ENOENT, files.stat(owner, Target(before.guid)))
    while await site.engine.count(Scope(SPACE), Key(trash_uuid(SPACE))):
        await sleep(site.clock, 0.01)
    assert await site.engine.count(Scope(SPACE), COPIES) == 0
    await put(files, "target/inner/more", b"more")
    await files.move(owner, path("target"), path("moved"))
    assert await read(files, path("moved/inner/x")) == b"new"
    assert await read(files, path("moved/inner/more")) == b"more"


@ensureDeferred
async def test_a_tree_is_replaced_by_a_part_of_it_and_a_part_by_the_whole(files: FileService) -> None:
    await prepare(files)
    await files.tree_replacing.replace(owner, path("source"), path("source/inner"))
    assert await read(files, path("source/inner/inner/x")) == b"new"
    await files.tree_replacing.replace(owner, path("source/inner"), path("source"))
    assert await tree(files, "source") == ["empty", "inner/x", "link"]


@ensureDeferred
async def test_a_tree_of_another_space_takes_the_place(files: FileService) -> None:
    await prepare(files)
    other = Target(space_root_guid(OTHER_SPACE), ("target",))
    await files.create_directory(owner, other, CreateOptions())
    await files.tree_replacing.replace(owner, path("source"), other)
    assert await read(files, Target(other.base, ("target", "inner", "x"))) == b"new"


@ensureDeferred
async def test_refusals_leave_both_trees_and_nothing_else(files: FileService, site: Site) -> None:
    await prepare(files)
    await put(files, "file", b"x")
    replace = files.tree_replacing.replace
    await refused(Errno.ENOENT, replace(owner, path("source"), path("none")))
    await refused(Errno.ENOENT, replace(owner, path("none"), path("target")))
    await refused(Errno.ENOTDIR, replace(owner, path("source"), path("file")))
    await refused(Errno.ENOTDIR, replace(owner, path("file"), path("target")))
    await refused(Errno.EINVAL, replace(owner, path("target"), path("target")))
    await refused(Errno.EPERM, replace(owner, path("source"), path("")))
    await refused(Errno.EACCES, replace(reader, path("source"), path("target")))
    with pytest.raises(PreconditionNotMet):
        await replace(
            owner, path("source"), path("target"), condition=ContentCondition(match=Tags(frozenset({"x"})))
        )
    await files.set_mode(owner, path("source/inner"), 0o700)
    await refused(Errno.EACCES, replace(alice, path("source"), path("target")))
    assert await read(files, path("target/old/y")) == b"old"
    assert await site.engine.count(Scope(SPACE), COPIES) == 0


@ensureDeferred
async def test_what_a_dead_process_left_goes_at_the_next_start(files: FileService, site: Site) -> None:
    await prepare(files)
    visit, _ = await files.context.chain(owner, path("source"))
    place = await files.tree_replacing._unfinished.place(visit)
    await files.create_directory(owner, place, CreateOptions())
    await files.recover(SPACE)
    assert await site.engine.count(Scope(SPACE), COPIES) == 1  # this life of the node may go on with it
    later = await site.process()
    await later.recover(SPACE)
    assert await site.engine.count(Scope(SPACE), COPIES) == 0
    await later.stopService()
