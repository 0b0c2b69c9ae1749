"""Files with several names."""

from __future__ import annotations

from typing import Any, cast

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.runtime.clock import sleep
from onedata.errors import Errno, Forbidden, NotFound
from onedata.ids import FileGuid, FileUuid, link_uuid, space_root_guid, trash_uuid
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, FileStat, FileType, Follow, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.files.stored.hard_links import MAX_NAMES
from op_worker.files.stored.paths import inode_path
from tests.conformance.files.test_file_service import put, refused
from tests.support.spaces import (
    OTHER_SPACE,
    SPACE,
    Site,
    alice,
    at,
    bob,
    body,
    names_in,
    owner,
    path,
    read,
    reader,
    stranger,
    used_b,
)

NEW = CreateOptions()
PARENTS = CreateOptions(create_parents=True)


async def guid(files: FileService, text: str) -> FileGuid:
    return (await files.stat(owner, path(text))).guid


async def link(files: FileService, original: str, name: str, caller: Caller = owner) -> FileStat:
    return await files.create_link(caller, path(name), await guid(files, original), PARENTS)


async def used_bytes(site: Site) -> int:
    return await used_b(site)


async def purged(site: Site) -> None:
    """Return when the trash is empty."""
    while await site.engine.count(Scope(SPACE), Key(trash_uuid(SPACE))):
        await sleep(site.clock, 0.01)


@ensureDeferred
async def test_a_hard_link_is_a_regular_file_with_the_content_of_its_original(files: FileService) -> None:
    await put(files, "f", b"hello")
    original = await guid(files, "f")
    stat = await link(files, "f", "d/g")
    assert stat.type is FileType.REG
    assert (stat.name, stat.path, stat.hardlinks, stat.size_b) == ("g", ("d", "g"), 2, 5)
    assert stat.guid.uuid.startswith("link_") and stat.guid.uuid.endswith(f"_file_{original.uuid}")
    assert stat.parent == await guid(files, "d")
    assert await read(files, path("d/g")) == await read(files, Target(stat.guid)) == b"hello"
    assert await read(files, path("f")) == b"hello"
    assert (await files.stat(owner, path("f"))).hardlinks == 2


@ensureDeferred
async def test_a_link_is_found_by_path_by_listing_and_by_its_id_as_the_same(files: FileService) -> None:
    await put(files, "f", b"1")
    made = await link(files, "f", "d/g")
    by_path = await files.stat(owner, path("d/g"))
    by_id = await files.stat(owner, Target(made.guid))
    listed = (await files.list_children(owner, path("d"), limit=9)).items
    below = (await files.list_recursive(owner, path(""), limit=9, prefix="d/")).items
    assert by_path == by_id == listed[0] == below[0][1]
    assert made == by_id
    assert (await files.locate(owner, ("Science", "d", "g"))) == made.guid


@ensureDeferred
async def test_every_name_shows_and_changes_one_content(files: FileService) -> None:
    await put(files, "f", b"old")
    await link(files, "f", "g")
    await link(files, "g", "d/h")
    await put(files, "g", b"new content")
    assert await read(files, path("f")) == b"new content"
    await files.write_content(owner, path("d/h"), 4, body(b"CONTENT"), expected_b=7)
    assert await read(files, path("f")) == b"new CONTENT"
    await files.truncate(owner, path("f"), 3)
    assert await read(files, path("d/h")) == await read(files, path("g")) == b"new"


@ensureDeferred
async def test_mode_times_and_metadata_belong_to_the_file_and_not_to_a_name(files: FileService) -> None:
    await put(files, "f", b"1")
    await link(files, "f", "g")
    await files.set_mode(owner, path("g"), 0o600)
    await files.set_times(owner, path("f"), 5, 7)
    await files.metadata.change(owner, path("g"), MetadataChange(set_xattrs={"k": "v"}))
    stats = [await files.stat(owner, path(name)) for name in ("f", "g")]
    assert [(one.mode, one.atime_s, one.mtime_s, one.has_metadata) for one in stats] == [
        (0o600, 5, 7, True)
    ] * 2
    assert stats[0].ctime_s == stats[1].ctime_s
    assert await files.metadata.xattrs(owner, path("f")) == {"k": "v"}


@ensureDeferred
async def test_removing_the_original_name_leaves_the_file_to_its_links(files: FileService) -> None:
    await put(files, "f", b"kept")
    original = await guid(files, "f")
    made = await link(files, "f", "d/g")
    await files.remove(owner, path("f"))
    await refused(Errno.ENOENT, files.stat(owner, Target(original)))
    await refused(Errno.ENOENT, files.stat(owner, path("f")))
    assert await read(files, Target(made.guid)) == await read(files, path("d/g")) == b"kept"
    assert (await files.stat(owner, path("d/g"))).hardlinks == 1
    assert await files.hard_links.names(owner, Target(made.guid)) == [made.guid]
    again = await link(files, "d/g", "f")
    assert again.guid != original
    assert await read(files, path("f")) == b"kept"


@ensureDeferred
async def test_the_last_name_takes_the_file_its_bytes_and_its_room_along(
    files: FileService, site: Site
) -> None:
    before_b = await used_bytes(site)
    await put(files, "f", b"12345")
    original = await guid(files, "f")
    await link(files, "f", "g")
    await link(files, "f", "h")
    assert await used_bytes(site) == before_b + 5
    for name in ("f", "h", "g"):
        assert await used_bytes(site) == before_b + 5
        await files.remove(owner, path(name))
    assert await used_bytes(site) == before_b
    assert await names_in(files, path("")) == []
    with pytest.raises(Exception, match="ENOENT"):
        await site.helper.stat(inode_path(SPACE, original.uuid))
    await put(files, "f", b"new")
    assert (await files.stat(owner, path("f"))).hardlinks == 1


@ensureDeferred
async def test_names_move_freely_and_the_content_stays_behind_them(files: FileService) -> None:
    await put(files, "f", b"content")
    made = await link(files, "f", "a/b/g")
    moved, replaced = await files.move(owner, path("a/b/g"), path("a/h"))
    assert (moved.guid, moved.name, moved.path, replaced) == (made.guid, "h", ("a", "h"), False)
    assert await read(files, path("a/h")) == await read(files, Target(made.guid)) == b"content"
    await files.move(owner, path("a"), path("c"))
    assert (await files.stat(owner, Target(made.guid))).path == ("c", "h")
    assert await read(files, path("c/h")) == b"content"
    await files.move(owner, path("f"), path("c/f"))
    assert await read(files, path("c/f")) == b"content"
    assert await names_in(files, path("c")) == ["b", "f", "h"]


@ensureDeferred
async def test_renaming_a_name_over_another_of_the_same_file_does_nothing(files: FileService) -> None:
    await put(files, "f", b"1")
    await link(files, "f", "g")
    stat, replaced = await files.move(owner, path("f"), path("g"))
    assert not replaced
    assert stat.hardlinks == 2
    assert await names_in(files, path("")) == ["f", "g"]


@ensureDeferred
async def test_a_name_that_is_replaced_leaves_the_file_to_the_others(files: FileService, site: Site) -> None:
    await put(files, "f", b"linked")
    await link(files, "f", "g")
    await put(files, "other", b"plain")
    await files.move(owner, path("other"), path("f"))
    assert await read(files, path("f")) == b"plain"
    assert await read(files, path("g")) == b"linked"
    assert (await files.stat(owner, path("g"))).hardlinks == 1
    inode = (await files.stat(owner, path("g"))).guid.uuid.rpartition("_")[2]
    await files.move(owner, path("f"), path("g"))
    assert await read(files, path("g")) == b"plain"
    with pytest.raises(Exception, match="ENOENT"):
        await site.helper.stat(inode_path(SPACE, inode))


@ensureDeferred
async def test_a_link_moved_over_a_plain_file_takes_its_place(files: FileService, site: Site) -> None:
    before_b = await used_bytes(site)
    await put(files, "f", b"linked")
    await link(files, "f", "g")
    await put(files, "other", b"a plain one")
    assert (await files.move(owner, path("g"), path("other")))[1]
    assert await read(files, path("other")) == b"linked"
    assert (await files.stat(owner, path("other"))).hardlinks == 2
    assert await used_bytes(site) == before_b + 6


@ensureDeferred
async def test_hard_links_of_a_symbolic_link_are_symbolic_links(files: FileService) -> None:
    await put(files, "f", b"1")
    await files.create_symlink(owner, path("l"), CreateOptions(symlink_target="f"))
    made = await link(files, "l", "m")
    assert (made.type, made.symlink_target, made.hardlinks) == (FileType.SYMLNK, "f", 2)
    assert (await files.stat(owner, path("m"), Follow.YES)).name == "f"
    await files.move(owner, path("m"), path("n"))
    await files.remove(owner, path("l"))
    assert (await files.stat(owner, path("n"))).hardlinks == 1
    await files.remove(owner, path("n"))
    assert await names_in(files, path("")) == ["f"]


@ensureDeferred
async def test_a_directory_has_one_name(files: FileService) -> None:
    await files.create_directory(owner, path("d"), NEW)
    await refused(Errno.EPERM, link(files, "d", "e"))
    await refused(Errno.EPERM, files.create_link(owner, path("e"), space_root_guid(SPACE), NEW))


@ensureDeferred
async def test_links_do_not_leave_their_space_nor_lead_to_what_is_gone(files: FileService) -> None:
    await put(files, "f", b"1")
    original = await guid(files, "f")
    other_space = Target(space_root_guid(OTHER_SPACE), ("g",))
    await refused(Errno.EXDEV, files.create_link(owner, other_space, original, NEW))
    await refused(Errno.EEXIST, link(files, "f", "f"))
    await refused(Errno.ENOENT, files.create_link(owner, path("no/g"), original, NEW))
    await refused(Errno.ENOTDIR, files.create_link(owner, path("f/g"), original, NEW))
    await refused(Errno.EPERM, files.create_link(owner, path(".__onedata__x"), original, NEW))
    await files.remove(owner, path("f"))
    await refused(Errno.ENOENT, files.create_link(owner, path("g"), original, NEW))
    forged = FileGuid(FileUuid(link_uuid("0" * 32, original.uuid)), SPACE)
    await refused(Errno.ENOENT, files.create_link(owner, path("g"), forged, NEW))
    assert await names_in(files, path("")) == []


@ensureDeferred
async def test_linking_needs_adding_to_the_directory_and_the_way_to_the_original(files: FileService) -> None:
    await files.create_directory(alice, path("private"), CreateOptions(mode=0o700))
    await put(files, "private/f", b"1", alice)
    await put(files, "f", b"1", alice)
    await files.create_directory(alice, path("closed"), CreateOptions(mode=0o755))
    secret, plain = await guid(files, "private/f"), await guid(files, "f")
    await refused(Errno.EACCES, files.create_link(bob, path("g"), secret, NEW))
    await refused(Errno.EACCES, files.create_link(bob, path("closed/g"), plain, NEW))
    await refused(Errno.EACCES, files.create_link(reader, path("g"), plain, NEW))
    with pytest.raises(Forbidden):
        await files.create_link(stranger, path("g"), plain, NEW)
    assert (await files.create_link(bob, path("g"), plain, NEW)).owner == alice.user_id


@ensureDeferred
async def test_removing_a_tree_drops_only_the_names_in_it(files: FileService, site: Site) -> None:
    before_b = await used_bytes(site)
    await put(files, "keep", b"kept")
    for name in ("d/a", "d/b", "d/sub/c"):
        await link(files, "keep", name)
    await files.create_file(owner, path("d/x"), NEW)
    await put(files, "d/x", b"only here")
    await link(files, "d/x", "d/sub/y")
    assert (await files.stat(owner, path("keep"))).hardlinks == 4
    await files.remove(owner, path("d"))
    await purged(site)
    assert await read(files, path("keep")) == b"kept"
    stat = await files.stat(owner, path("keep"))
    assert stat.hardlinks == 1
    assert await files.hard_links.names(owner, path("keep")) == [stat.guid]
    assert await used_bytes(site) == before_b + 4


@ensureDeferred
async def test_the_names_of_a_file_are_listed_by_id(files: FileService) -> None:
    await put(files, "f", b"1")
    first = await guid(files, "f")
    assert await files.hard_links.names(owner, path("f")) == [first]
    made = {(await link(files, "f", f"g{number}")).guid for number in range(3)}
    names = await files.hard_links.names(owner, path("g1"))
    assert names[0] == first
    assert set(names[1:]) == made
    assert await files.hard_links.names(owner, path("g1"), 2) == names[:2]
    for other in names:
        await files.hard_links.require_same(owner, path("f"), other)
    await put(files, "other", b"1")
    for other in (
        await guid(files, "other"),
        space_root_guid(OTHER_SPACE),
        FileGuid(FileUuid("9" * 32), SPACE),
    ):
        with pytest.raises(NotFound):
            await files.hard_links.require_same(owner, path("f"), other)


@ensureDeferred
async def test_a_file_has_a_thousand_names_and_no_more(files: FileService) -> None:
    await put(files, "f", b"1")
    original = await guid(files, "f")
    for number in range(MAX_NAMES - 1):
        await files.create_link(owner, path(f"g{number}"), original, NEW)
    await refused(Errno.EMLINK, files.create_link(owner, path("one more"), original, NEW))
    assert len(await files.hard_links.names(owner, path("f"))) == MAX_NAMES
    await files.remove(owner, path("g500"))
    await files.create_link(owner, path("one more"), original, NEW)


@ensureDeferred
async def test_a_copy_of_a_linked_file_is_a_file_of_its_own(files: FileService) -> None:
    await put(files, "d-f", b"1")
    await link(files, "d-f", "d/g")
    await link(files, "d-f", "d/h")
    await files.copy(owner, path("d"), path("e"))
    assert (await files.stat(owner, path("e/g"))).hardlinks == 1
    await put(files, "e/g", b"changed")
    assert await read(files, path("e/h")) == await read(files, path("d/g")) == b"1"
    await refused(Errno.EINVAL, files.copy(owner, path("d/g"), path("d/h")))


@ensureDeferred
async def test_copying_onto_a_link_changes_the_file_behind_it(files: FileService) -> None:
    await put(files, "f", b"old")
    await link(files, "f", "g")
    await put(files, "new", b"new")
    await files.copy(owner, path("new"), path("g"))
    assert await read(files, path("f")) == b"new"
    assert (await files.stat(owner, path("f"))).hardlinks == 2


@ensureDeferred
async def test_one_of_many_links_to_a_name_wins_and_the_count_is_right(files: FileService) -> None:
    await put(files, "f", b"1")
    original = await guid(files, "f")
    works = [
        Deferred.fromCoroutine(files.create_link(owner, path(f"g{number % 4}"), original, NEW))
        for number in range(12)
    ]
    results = await DeferredList(works, consumeErrors=True)
    assert sum(success for success, _ in results) == 4
    losers: list[Any] = [
        result.value for _, result in cast(list[Any], results) if isinstance(result, Failure)
    ]
    assert [error.errno for error in losers] == [Errno.EEXIST] * 8
    assert (await files.stat(owner, path("f"))).hardlinks == 5
    assert await names_in(files, path("")) == ["f", "g0", "g1", "g2", "g3"]


@ensureDeferred
async def test_parents_made_for_a_link_are_not_made_behind_symbolic_links(files: FileService) -> None:
    await put(files, "f", b"1")
    await files.create_directory(owner, path("d"), NEW)
    await files.create_symlink(owner, path("l"), CreateOptions(symlink_target="d"))
    await refused(Errno.ENOTDIR, link(files, "f", "l/x/g"))
    await refused(Errno.ENOTDIR, files.create_file(owner, path("l/x/g"), PARENTS))
    await refused(
        Errno.ENOTDIR, files.replace_content(owner, path("l/x/g"), body(b"1"), expected_b=1, create=PARENTS)
    )
    assert await names_in(files, path("d")) == []
    await files.create_file(owner, path("l/x"), NEW)  # without asking for parents the link is followed
    assert await names_in(files, path("d")) == ["x"]
    assert (await files.stat(owner, at("l"))).type is FileType.SYMLNK
