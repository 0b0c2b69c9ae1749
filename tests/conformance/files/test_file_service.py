"""What users can rely on, whatever keeps the metadata and the bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from cluster_worker.runtime.streams import StreamBroken
from onedata.errors import (
    BadData,
    Errno,
    Forbidden,
    Posix,
    ServiceUnavailable,
    SpaceNotSupportedBy,
    Unauthorized,
)
from onedata.ids import FileGuid, FileUuid, space_root_guid, trash_uuid, user_root_guid
from op_worker.auth.caller import Caller
from op_worker.files.model import (
    NAMES,
    CreateOptions,
    Existing,
    FileType,
    Follow,
    MetadataChange,
    Shown,
    Target,
)
from op_worker.files.service import FileService
from op_worker.files.stored.paths import flat_path
from op_worker.storage.helpers.posix.helper import PosixHelper
from op_worker.storage.types import PathType
from tests.support.spaces import (
    ALICE,
    FOREIGN,
    OTHER_SPACE,
    OWNER,
    PROVIDER,
    ROOT,
    SECOND,
    SPACE,
    UNSUPPORTED,
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
UPDATE = CreateOptions(existing=Existing.UPDATE)


class Pieces:
    """A body of many pieces that may break off."""

    def __init__(self, data: bytes, size_b: int, *, breaks: bool = False) -> None:
        self._data, self._size_b, self._breaks = data, size_b, breaks

    async def read(self) -> bytes:
        if not self._data and self._breaks:
            raise StreamBroken("gone")
        piece, self._data = self._data[: self._size_b], self._data[self._size_b :]
        return piece


async def refused(errno: Errno, work: Awaitable[object]) -> None:
    """Demand that work fails with this errno."""
    with pytest.raises(Posix) as caught:
        await work
    assert caught.value.errno is errno


async def put(files: FileService, text: str, data: bytes, caller: Caller = owner) -> None:
    """Make or replace a file."""
    await files.replace_content(caller, path(text), body(data), expected_b=len(data), create=UPDATE)


async def paths_in(files: FileService, **more: object) -> list[str]:
    """List the space recursively, two items at a time."""
    found: list[str] = []
    token: str | None = None
    while True:
        page = await files.list_recursive(owner, path(""), limit=2, token=token, **more)  # type: ignore[arg-type]
        found += [name for name, _ in page.items]
        token = page.next_token
        if token is None:
            return found


# creating and reading


@ensureDeferred
async def test_a_file_made_with_content_is_read_back_with_its_checksum(files: FileService) -> None:
    stat, created = await files.replace_content(
        alice, path("f"), body(b"hello"), expected_b=5, create=CreateOptions(mode=0o640)
    )
    assert created
    assert (stat.name, stat.type, stat.mode, stat.owner) == ("f", FileType.REG, 0o640, ALICE)
    assert (stat.size_b, stat.local_b, stat.provider_id) == (5, 5, PROVIDER)
    assert stat.checksum_sha256 == hashlib.sha256(b"hello").hexdigest()
    assert await read(files, path("f")) == b"hello"
    assert await files.stat(alice, path("f")) == stat
    assert await files.stat(alice, Target(stat.guid)) == stat


@pytest.mark.parametrize("size_b", [0, 1, 262144, 262145, 3 * 1024 * 1024 + 7])
@ensureDeferred
async def test_contents_of_any_size_come_back_byte_by_byte(files: FileService, size_b: int) -> None:
    data = (hashlib.sha256(b"%d" % size_b).digest() * (size_b // 32 + 1))[:size_b]
    stat, _ = await files.replace_content(alice, path("f"), Pieces(data, 50_000), expected_b=None, create=NEW)
    assert stat.checksum_sha256 == hashlib.sha256(data).hexdigest()
    assert await read(files, path("f")) == data
    reader_ = await files.open_content(alice, path("f"))
    assert await reader_.read(size_b // 2, 10) == data[size_b // 2 : size_b // 2 + 10]
    assert await reader_.read(size_b, 10) == b""
    await reader_.close()


@ensureDeferred
async def test_replacing_keeps_mode_and_owner_and_counts_the_version(files: FileService) -> None:
    await files.create_file(alice, path("f"), CreateOptions(mode=0o660))
    _, created = await files.replace_content(bob, path("f"), body(b"one"), expected_b=3, create=UPDATE)
    stat, _ = await files.replace_content(bob, path("f"), body(b"second"), expected_b=6)
    assert not created
    assert (stat.owner, stat.mode, stat.size_b, stat.content_version) == (ALICE, 0o660, 6, 2)
    assert await read(files, path("f")) == b"second"
    await put(files, "f", b"")
    assert await read(files, path("f")) == b""


@ensureDeferred
async def test_an_open_reader_keeps_the_content_it_was_opened_on(files: FileService) -> None:
    old = bytes(200_000)
    await put(files, "f", old)
    opened = await files.open_content(alice, path("f"))
    await put(files, "f", b"new")
    assert await opened.read(0, 1 << 20) == old
    await opened.close()
    await opened.close()


@ensureDeferred
async def test_a_body_that_breaks_off_leaves_the_old_content(files: FileService) -> None:
    await put(files, "f", b"old")
    for target, create in (("f", None), ("g", NEW)):
        with pytest.raises(StreamBroken):
            await files.replace_content(
                alice,
                path(target),
                Pieces(b"n" * 600_000, 9999, breaks=True),
                expected_b=700_000,
                create=create,
            )
    with pytest.raises(StreamBroken):
        await files.replace_content(alice, path("f"), body(b"short"), expected_b=9)
    assert await read(files, path("f")) == b"old"
    assert await names_in(files, path("")) == ["f"]


@ensureDeferred
async def test_creating_refuses_taken_names_and_missing_parents(files: FileService) -> None:
    await files.create_file(alice, path("f"), NEW)
    await refused(Errno.EEXIST, files.create_file(alice, path("f"), NEW))
    await refused(Errno.EEXIST, files.create_directory(alice, path("f"), NEW))
    await refused(Errno.EEXIST, files.create_directory(alice, path("f"), UPDATE))
    await refused(Errno.EEXIST, files.replace_content(alice, path("f"), body(b""), expected_b=0, create=NEW))
    await refused(Errno.ENOENT, files.create_file(alice, path("no/f"), NEW))
    await refused(Errno.ENOTDIR, files.create_file(alice, path("f/g"), NEW))
    await refused(Errno.ENOENT, files.replace_content(alice, path("x"), body(b""), expected_b=0))


@ensureDeferred
async def test_missing_parents_are_made_with_the_mode_asked_for(files: FileService) -> None:
    options = CreateOptions(mode=0o755, create_parents=True)
    await files.create_directory(alice, path("a/b/c"), options)
    await files.create_file(alice, path("a/b/f"), CreateOptions(create_parents=True))
    assert (await files.stat(alice, path("a"))).mode == 0o755
    assert (await files.stat(alice, path("a/b/f"))).mode == 0o664
    assert await paths_in(files, include_directories=True) == ["a", "a/b", "a/b/c", "a/b/f"]


@ensureDeferred
async def test_updating_an_existing_file_sets_its_mode(files: FileService) -> None:
    await files.create_file(alice, path("f"), CreateOptions(mode=0o600))
    stat = await files.create_file(alice, path("f"), CreateOptions(mode=0o640, existing=Existing.UPDATE))
    assert stat.mode == 0o640
    assert (await files.create_file(alice, path("f"), UPDATE)).mode == 0o664


@pytest.mark.parametrize(
    "name", ["żółw", "e\u0301", "\u00e9", "🦆" * 63, " ", "a\\b", "...", "a\nb", "%2F", "-"]
)
@ensureDeferred
async def test_any_unicode_name_is_kept_untouched(files: FileService, name: str) -> None:
    await files.create_directory(alice, path("d"), NEW)
    await files.replace_content(alice, at("d", name), body(b"1"), expected_b=1, create=NEW)
    assert await names_in(files, path("d")) == [name]
    assert await read(files, at("d", name)) == b"1"


@pytest.mark.parametrize(
    ("names", "errno"),
    [
        (("x" * 256,), Errno.ENAMETOOLONG),
        (("🦆" * 64,), Errno.ENAMETOOLONG),
        (("..",), Errno.EINVAL),
        (("a/b",), Errno.EINVAL),
        (("a\0b",), Errno.EINVAL),
        (("\ud800",), Errno.EINVAL),
        ((".__onedata__tmp",), Errno.EPERM),
        (tuple(["x" * 255] * 17), Errno.ENAMETOOLONG),
    ],
)
@ensureDeferred
async def test_names_that_are_none_are_refused(
    files: FileService, names: tuple[str, ...], errno: Errno
) -> None:
    await refused(errno, files.create_file(alice, at(*names), CreateOptions(create_parents=True)))
    assert await names_in(files, path("")) == []


# in place


@ensureDeferred
async def test_writing_beyond_the_end_leaves_a_hole_of_zeros(files: FileService) -> None:
    await files.create_file(alice, path("f"), NEW)
    stat = await files.write_content(alice, path("f"), 5, body(b"xy"), expected_b=2)
    assert (stat.size_b, stat.local_b) == (7, 2)
    assert await read(files, path("f")) == b"\0" * 5 + b"xy"


@ensureDeferred
async def test_writing_inside_changes_those_bytes_only_and_drops_the_checksum(files: FileService) -> None:
    await put(files, "f", b"hello world")
    stat = await files.write_content(alice, path("f"), 6, Pieces(b"there, you", 3), expected_b=None)
    assert (stat.size_b, stat.checksum_sha256) == (16, None)
    assert await read(files, path("f")) == b"hello there, you"


@ensureDeferred
async def test_a_broken_write_changes_neither_size_nor_holes(files: FileService) -> None:
    await put(files, "f", b"abc")
    with pytest.raises(StreamBroken):
        await files.write_content(alice, path("f"), 3, Pieces(b"xyz", 3, breaks=True), expected_b=9)
    assert await read(files, path("f")) == b"abc"
    await files.write_content(alice, path("f"), 5, body(b"!"), expected_b=1)
    assert await read(files, path("f")) == b"abc\0\0!"


@ensureDeferred
async def test_truncating_cuts_and_extends_with_zeros_not_old_bytes(files: FileService) -> None:
    await put(files, "f", b"hello")
    assert (await files.truncate(alice, path("f"), 2)).size_b == 2
    assert (await files.truncate(alice, path("f"), 4)).size_b == 4
    assert await read(files, path("f")) == b"he\0\0"
    await refused(Errno.EINVAL, files.truncate(alice, path("f"), -1))
    await refused(Errno.EFBIG, files.truncate(alice, path("f"), 2**60))


@ensureDeferred
async def test_directories_have_no_content(files: FileService) -> None:
    await files.create_directory(alice, path("d"), NEW)
    await refused(Errno.EISDIR, files.open_content(alice, path("d")))
    await refused(Errno.EISDIR, files.replace_content(alice, path("d"), body(b""), expected_b=0))
    await refused(Errno.EISDIR, files.write_content(alice, path("d"), 0, body(b"1"), expected_b=1))
    await refused(Errno.EISDIR, files.truncate(alice, path("d"), 0))


# moving


@ensureDeferred
async def test_a_moved_file_keeps_its_id_and_content(files: FileService) -> None:
    await put(files, "a", b"1")
    await files.create_directory(alice, path("d"), NEW)
    before = await files.stat(alice, path("a"))
    stat, replaced = await files.move(alice, path("a"), path("d/b"))
    assert (stat.guid, stat.path, replaced) == (before.guid, ("d", "b"), False)
    assert await read(files, Target(before.guid)) == b"1"
    await refused(Errno.ENOENT, files.stat(alice, path("a")))


@ensureDeferred
async def test_a_moved_directory_takes_everything_along(files: FileService) -> None:
    await files.create_directory(alice, path("d/e"), CreateOptions(create_parents=True))
    await put(files, "d/e/f", b"1")
    await put(files, "d/g", b"2")
    guid = (await files.stat(alice, path("d/e/f"))).guid
    await files.move(alice, path("d"), path("h"))
    assert await paths_in(files) == ["h/e/f", "h/g"]
    assert await read(files, path("h/e/f")) == b"1"
    assert (await files.stat(alice, Target(guid))).path == ("h", "e", "f")
    await put(files, "h/e/f", b"3")
    await files.create_directory(alice, path("d"), NEW)
    assert await names_in(files, path("d")) == []


@ensureDeferred
async def test_moving_replaces_files_and_empty_directories(files: FileService) -> None:
    await put(files, "a", b"new")
    await put(files, "b", b"old")
    _, replaced = await files.move(alice, path("a"), path("b"))
    assert replaced
    assert await read(files, path("b")) == b"new"
    await files.create_directory(alice, path("d"), NEW)
    await files.create_directory(alice, path("e"), NEW)
    await put(files, "d/f", b"1")
    await files.move(alice, path("d"), path("e"))
    assert await paths_in(files, include_directories=True) == ["b", "e", "e/f"]


@ensureDeferred
async def test_moving_refuses_what_cannot_be(files: FileService) -> None:
    await put(files, "f", b"1")
    await files.create_directory(alice, path("d/e"), CreateOptions(create_parents=True))
    await refused(Errno.EINVAL, files.move(alice, path("d"), path("d/e/x")))
    await refused(Errno.EINVAL, files.move(alice, path("d"), path("d/e")))
    await refused(Errno.EISDIR, files.move(alice, path("f"), path("d")))
    await refused(Errno.ENOTDIR, files.move(alice, path("d"), path("f")))
    await refused(Errno.ENOENT, files.move(alice, path("no"), path("x")))
    await refused(Errno.ENOENT, files.move(alice, path("f"), path("no/x")))
    await refused(Errno.ENOTDIR, files.move(alice, path("d"), path("f/x")))
    await files.create_directory(alice, path("g"), NEW)
    await refused(Errno.ENOTEMPTY, files.move(alice, path("g"), path("d")))
    await refused(Errno.EPERM, files.move(owner, path(""), path("x")))
    await refused(Errno.EPERM, files.move(owner, path("f"), path(".__onedata__x")))
    assert await paths_in(files, include_directories=True) == ["d", "d/e", "f", "g"]


@ensureDeferred
async def test_moving_a_file_onto_itself_changes_nothing(files: FileService) -> None:
    await put(files, "f", b"1")
    _, replaced = await files.move(alice, path("f"), path("f"))
    assert not replaced
    assert await read(files, path("f")) == b"1"


@ensureDeferred
async def test_moving_between_spaces_copies_and_removes(files: FileService) -> None:
    await files.create_directory(alice, path("d"), NEW)
    await put(files, "d/f", b"1", alice)
    other = space_root_guid(OTHER_SPACE)
    await files.move(alice, path("d"), Target(other, ("e",)))
    assert await read(files, Target(other, ("e", "f"))) == b"1"
    assert await names_in(files, path("")) == []


# copying


@ensureDeferred
async def test_copying_a_tree_copies_contents_modes_links_and_metadata(files: FileService) -> None:
    await files.create_directory(alice, path("d"), CreateOptions(mode=0o750))
    await put(files, "d/f", b"1", alice)
    await files.metadata.change(alice, path("d/f"), MetadataChange(set_xattrs={"k": 1}, rdf=b"<r/>"))
    await files.create_symlink(alice, path("d/l"), CreateOptions(symlink_target="f"))
    stat, replaced = await files.copy(alice, path("d"), path("e"), MetadataChange(set_xattrs={"top": True}))
    assert (stat.mode, replaced) == (0o750, False)
    assert await paths_in(files) == ["d/f", "d/l", "e/f", "e/l"]
    assert await read(files, path("e/l")) == b"1"
    assert await files.metadata.xattrs(alice, path("e/f")) == {"k": 1}
    assert await files.metadata.rdf(alice, path("e/f")) == b"<r/>"
    assert await files.metadata.xattrs(alice, path("e")) == {"top": True}
    await put(files, "d/f", b"2", alice)
    assert await read(files, path("e/f")) == b"1"


@ensureDeferred
async def test_copying_over_a_file_replaces_it_and_refuses_the_rest(files: FileService) -> None:
    await put(files, "a", b"new")
    await put(files, "b", b"old")
    await files.create_directory(alice, path("d"), NEW)
    _, replaced = await files.copy(alice, path("a"), path("b"))
    assert replaced
    assert await read(files, path("b")) == b"new"
    await refused(Errno.EINVAL, files.copy(alice, path("d"), path("d/x")))
    await refused(Errno.EINVAL, files.copy(alice, path("a"), path("a")))
    await refused(Errno.EEXIST, files.copy(alice, path("d"), path("a")))
    await refused(Errno.EISDIR, files.copy(alice, path("a"), path("d")))


# removing


@ensureDeferred
async def test_removed_files_are_gone_by_path_and_by_id(files: FileService, site: Site) -> None:
    await put(files, "d", b"1")
    guid = (await files.stat(alice, path("d"))).guid
    await files.remove(alice, path("d"))
    for target in (path("d"), Target(guid)):
        await refused(Errno.ENOENT, files.stat(alice, target))
    await put(files, "d", b"again")
    assert (await files.stat(alice, path("d"))).guid != guid
    assert await used_b(site) == 5


@ensureDeferred
async def test_a_removed_tree_vanishes_at_once_also_by_id(files: FileService) -> None:
    await files.create_directory(alice, path("d/e"), CreateOptions(create_parents=True))
    for number in range(5):
        await put(files, f"d/e/{number}", b"1")
    deep = (await files.stat(alice, path("d/e/3"))).guid
    await files.remove(alice, path("d"))
    await refused(Errno.ENOENT, files.stat(alice, Target(deep)))
    await refused(Errno.ENOENT, files.stat(owner, path("d")))
    await files.create_directory(alice, path("d"), NEW)
    assert await names_in(files, path("d")) == []


@ensureDeferred
async def test_removing_only_the_empty_refuses_a_full_directory(files: FileService) -> None:
    await files.create_directory(alice, path("d"), NEW)
    await put(files, "d/f", b"1")
    await refused(Errno.ENOTEMPTY, files.remove_empty(alice, path("d")))
    await files.remove_empty(alice, path("d/f"))
    await files.remove_empty(alice, path("d"))
    assert await names_in(files, path("")) == []


@ensureDeferred
async def test_roots_and_trash_cannot_be_removed(files: FileService) -> None:
    await refused(Errno.EPERM, files.remove(owner, path("")))
    await refused(Errno.EPERM, files.remove(owner, Target(user_root_guid(OWNER))))
    trash = Target(FileGuid(FileUuid(trash_uuid(SPACE)), SPACE))
    await refused(Errno.ENOENT, files.remove(owner, trash))


# links


@ensureDeferred
async def test_links_in_the_middle_are_followed_and_at_the_end_on_demand(files: FileService) -> None:
    await files.create_directory(alice, path("d/e"), CreateOptions(create_parents=True))
    await put(files, "d/e/f", b"1")
    await files.create_symlink(alice, path("l"), CreateOptions(symlink_target="d/e"))
    await files.create_symlink(
        alice, path("d/up"), CreateOptions(symlink_target=f"<__onedata_space_id:{SPACE}>/l/f")
    )
    stat = await files.stat(alice, path("l"))
    assert (stat.type, stat.symlink_target, stat.size_b) == (FileType.SYMLNK, "d/e", 3)
    assert (await files.stat(alice, path("l"), Follow.YES)).type is FileType.DIR
    assert (await files.stat(alice, path("l/f"))).path == ("d", "e", "f")
    assert await read(files, path("d/up")) == b"1"
    assert (await files.locate(alice, ("Science", "l", "f"))) == (await files.stat(alice, path("d/e/f"))).guid


@ensureDeferred
async def test_dangling_looping_and_escaping_links_are_refused(files: FileService) -> None:
    for name, target in (("dangling", "no"), ("loop", "loop"), ("out", "../../x"), ("abs", "/etc")):
        await files.create_symlink(alice, path(name), CreateOptions(symlink_target=target))
    for name in ("dangling", "out", "abs"):
        await refused(Errno.ENOENT, files.open_content(alice, path(name)))
    await refused(Errno.ELOOP, files.open_content(alice, path("loop")))
    await refused(Errno.EINVAL, files.open_content(alice, path("dangling"), Follow.NO))
    await refused(Errno.EINVAL, files.create_symlink(alice, path("x"), NEW))


@ensureDeferred
async def test_links_are_moved_replaced_and_removed_like_files(files: FileService) -> None:
    await put(files, "f", b"1")
    await files.create_symlink(alice, path("l"), CreateOptions(symlink_target="x"))
    await files.move(alice, path("l"), path("f"))
    assert (await files.stat(alice, path("f"))).symlink_target == "x"
    await files.create_symlink(alice, path("f"), CreateOptions(symlink_target="y", existing=Existing.UPDATE))
    assert (await files.stat(alice, path("f"))).symlink_target == "y"
    await put(files, "g", b"2")
    await files.move(alice, path("g"), path("f"))
    assert await read(files, path("f")) == b"2"


# listing


@ensureDeferred
async def test_listing_is_in_byte_order_from_any_place(files: FileService) -> None:
    names = ["B", "a", "a.b", "b", "ż", "z"]
    for name in names:
        await files.create_file(alice, path(name), NEW)
    ordered = sorted(names, key=str.encode)
    assert await names_in(files, path("")) == ordered

    async def listed(**more: object) -> list[str]:
        page = await files.list_children(alice, path(""), limit=2, **more)  # type: ignore[arg-type]
        return [stat.name for stat in page.items]

    assert await listed(index="a.b") == ["a.b", "b"]
    assert await listed(index="a.b", inclusive=False) == ["b", "z"]
    assert await listed(index="a.b", offset=-1) == ["a", "a.b"]
    assert await listed(index="a.b", offset=-9) == ["B", "a"]
    assert await listed(index="a.b", offset=2) == ["z", "ż"]
    assert await listed(index="aa") == ["b", "z"]
    assert await listed(index="z", inclusive=False, offset=-3) == ["a.b", "b"]
    assert await listed(offset=4) == ["z", "ż"]
    assert await listed(offset=500) == []
    await refused(Errno.EINVAL, files.list_children(alice, path(""), limit=2, offset=-1))
    await refused(Errno.EINVAL, files.list_children(alice, path(""), limit=2, token="!!"))
    assert await files.count_children(alice, path("")) == 6
    assert [stat.name for stat in await files.children_slice(alice, path(""), 1, 3)] == ["a", "a.b", "b"]


@ensureDeferred
async def test_a_token_stays_good_while_entries_come_and_go(files: FileService) -> None:
    for name in "abcdef":
        await files.create_file(alice, path(name), NEW)
    page = await files.list_children(alice, path(""), limit=2)
    await files.remove(alice, path("b"))
    await files.create_file(alice, path("a2"), NEW)
    await files.create_file(alice, path("c2"), NEW)
    rest = await files.list_children(alice, path(""), limit=9, token=page.next_token)
    assert [stat.name for stat in rest.items] == ["c", "c2", "d", "e", "f"]
    assert rest.is_last


@ensureDeferred
async def test_a_file_is_its_own_sole_child(files: FileService) -> None:
    await put(files, "f", b"1")
    page = await files.list_children(alice, path("f"), limit=9)
    assert ([stat.name for stat in page.items], page.is_last) == (["f"], True)
    assert (await files.list_recursive(alice, path("f"), limit=9)).items[0][0] == "."
    await refused(Errno.ENOTDIR, files.count_children(alice, path("f")))


@ensureDeferred
async def test_recursive_listing_goes_by_components_and_resumes_anywhere(files: FileService) -> None:
    for text in ("a/x", "a/y/z", "a.b", "b"):
        await files.create_file(alice, path(text), CreateOptions(create_parents=True))
    assert await paths_in(files) == ["a/x", "a/y/z", "a.b", "b"]
    assert await paths_in(files, include_directories=True) == ["a", "a/x", "a/y", "a/y/z", "a.b", "b"]

    async def listed(**more: object) -> list[str]:
        page = await files.list_recursive(alice, path(""), limit=99, **more)  # type: ignore[arg-type]
        return [name for name, _ in page.items]

    assert await listed(start_after="a/x") == ["a/y/z", "a.b", "b"]
    assert await listed(start_after="a/y") == ["a/y/z", "a.b", "b"]
    assert await listed(start_after="a/zz/no") == ["a.b", "b"]
    assert await listed(prefix="a") == ["a/x", "a/y/z", "a.b"]
    assert await listed(prefix="a/") == ["a/x", "a/y/z"]
    assert await listed(prefix="a/y") == ["a/y/z"]
    assert await listed(prefix="a/", start_after="a/x") == ["a/y/z"]
    assert await listed(prefix="a/", start_after="a.b") == []
    assert await listed(prefix="no/") == []
    assert await paths_in(files, glob="**/[xz]") == ["a/x", "a/y/z"]
    assert await paths_in(files, glob="a*", include_directories=True) == ["a", "a.b"]
    assert await paths_in(files, glob="a/*", prefix="a/y", include_directories=True) == ["a/y"]
    with pytest.raises(BadData):
        await listed(glob="a/[x")


@ensureDeferred
async def test_tokens_of_another_listing_are_refused(files: FileService) -> None:
    for text in ("a/x", "a/y", "b/x", "b/y"):
        await files.create_file(alice, path(text), CreateOptions(create_parents=True))
    token = (await files.list_children(alice, path("a"), limit=1)).next_token
    assert [
        stat.name for stat in (await files.list_children(alice, path("a"), limit=1, token=token)).items
    ] == ["y"]
    await refused(Errno.EINVAL, files.list_children(alice, path("b"), limit=1, token=token))
    await refused(Errno.EINVAL, files.list_children(alice, path("a/x"), limit=1, token=token))
    await refused(
        Errno.EINVAL, files.list_children(alice, Target(user_root_guid(ALICE)), limit=1, token=token)
    )
    await refused(Errno.EINVAL, files.list_recursive(alice, path("a"), limit=1, token=token))
    deep = (await files.list_recursive(alice, path(""), limit=1, glob="**")).next_token
    await refused(Errno.EINVAL, files.list_recursive(alice, path("a"), limit=1, token=deep, glob="**"))
    await refused(Errno.EINVAL, files.list_recursive(alice, path(""), limit=1, token=deep, glob="*/x"))
    await refused(Errno.EINVAL, files.list_recursive(alice, path(""), limit=1, token=deep))


@ensureDeferred
async def test_pages_bring_the_extended_attributes_that_the_caller_may_read(files: FileService) -> None:
    await files.create_directory(alice, path("d/e"), CreateOptions(create_parents=True))
    for text, mode in (("d/a", 0o644), ("d/b", 0o600), ("d/c", 0o644), ("d/e/f", 0o644)):
        await files.create_file(alice, path(text), CreateOptions(mode=mode))
        await files.metadata.change(alice, path(text), MetadataChange(set_xattrs={"n": text, "m": 1}))
    await files.create_file(alice, path("d/d"), NEW)
    shown = Shown(xattrs=frozenset({"n", "none"}))
    page = await files.list_children(bob, path("d"), limit=9, shown=shown)
    assert [(stat.name, stat.xattrs) for stat in page.items] == [
        ("a", {"n": "d/a"}),
        ("b", {}),
        ("c", {"n": "d/c"}),
        ("d", {}),
        ("e", {}),
    ]
    tree = await files.list_recursive(bob, path("d"), limit=9, shown=shown)
    assert [name for name, stat in tree.items if stat.xattrs] == ["a", "c", "e/f"]
    own = await files.list_children(alice, path("d/b"), limit=1, shown=shown)
    assert own.items[0].xattrs == {"n": "d/b"}


@ensureDeferred
async def test_a_page_ends_early_when_attributes_are_very_large(files: FileService) -> None:
    for name in "abcdefghijkl":
        await put(files, name, b"")
        large = {f"n{number}": "x" * 62_000 for number in range(16)}
        await files.metadata.change(alice, path(name), MetadataChange(set_xattrs={"n": name, **large}))
    shown = Shown(xattrs=frozenset({"n"}))
    found: list[str] = []
    token: str | None = None
    sizes = []
    for _ in range(2):
        page = await files.list_children(alice, path(""), limit=99, token=token, shown=shown)
        found += [str(stat.xattrs["n"])[0] for stat in page.items]
        sizes.append((len(page.items), page.is_last))
        token = page.next_token
    assert ("".join(found), sizes) == ("abcdefghijkl", [(9, False), (3, True)])
    tree = await files.list_recursive(alice, path(""), limit=99, shown=shown)
    more = await files.list_recursive(alice, path(""), limit=99, shown=shown, token=tree.next_token)
    assert [name for name, _ in [*tree.items, *more.items]] == found


@ensureDeferred
async def test_seeing_more_than_names_needs_traversal_too(files: FileService) -> None:
    await files.create_file(alice, path("d/f"), CreateOptions(create_parents=True))
    await files.set_mode(alice, path("d"), 0o740)
    page = await files.list_children(bob, path("d"), limit=9, shown=NAMES)
    assert [stat.name for stat in page.items] == ["f"]
    await refused(Errno.EACCES, files.list_children(bob, path("d"), limit=9))


@ensureDeferred
async def test_spaces_are_listed_as_directories_of_the_user_root(files: FileService) -> None:
    root = Target(user_root_guid(ALICE))
    assert await names_in(files, root, alice) == ["Other", "Science"]
    assert (await files.stat(alice, root)).type is FileType.DIR
    assert [space.name for space in await files.spaces(alice)] == ["Other", "Science"]
    with pytest.raises(Forbidden):
        await files.stat(bob, root)


@ensureDeferred
async def test_spaces_are_found_by_name_and_by_id(files: FileService) -> None:
    for name in ("Science", f"Science@{SPACE}", SPACE):
        assert await files.find_space(alice, name) == ROOT
    await refused(Errno.ENOENT, files.find_space(alice, "Nowhere"))
    await refused(Errno.ENOENT, files.find_space(alice, "foreign"))
    with pytest.raises(SpaceNotSupportedBy):
        await files.find_space(alice, UNSUPPORTED)
    assert await files.locate(alice, ()) == user_root_guid(ALICE)
    stat = await files.stat(alice, Target(ROOT))
    assert (stat.name, stat.mode, stat.owner, stat.parent) == (
        "Science",
        0o775,
        f"space_owner_{SPACE}",
        user_root_guid(ALICE),
    )


# permissions


@ensureDeferred
async def test_strangers_and_guests_are_kept_out(files: FileService) -> None:
    with pytest.raises(Forbidden):
        await files.stat(stranger, path(""))
    with pytest.raises(Unauthorized):
        await files.stat(Caller.guest(), path(""))
    with pytest.raises(Forbidden):
        await files.stat(alice, Target(space_root_guid(FOREIGN)))
    with pytest.raises(SpaceNotSupportedBy):
        await files.stat(alice, Target(space_root_guid(UNSUPPORTED)))


@ensureDeferred
async def test_modes_and_privileges_decide_for_members(files: FileService) -> None:
    await files.create_directory(alice, path("d"), CreateOptions(mode=0o750))
    await put(files, "d/f", b"1", alice)
    await files.set_mode(alice, path("d/f"), 0o600)
    await refused(Errno.EACCES, files.open_content(bob, path("d/f")))
    await refused(Errno.EACCES, files.create_file(bob, path("d/g"), NEW))
    await refused(Errno.EACCES, files.remove(bob, path("d/f")))
    await refused(Errno.EACCES, files.move(bob, path("d/f"), path("g")))
    await refused(Errno.EACCES, files.set_mode(bob, path("d/f"), 0o666))
    assert await read(files, path("d/f"), owner) == b"1"
    await files.set_mode(alice, path("d"), 0o700)
    await refused(Errno.EACCES, files.stat(bob, path("d/f")))
    await refused(Errno.EACCES, files.list_children(bob, path("d"), limit=9))
    await put(files, "open", b"1", alice)
    await refused(Errno.EACCES, files.create_file(reader, path("x"), NEW))
    await refused(Errno.EACCES, files.write_content(reader, path("open"), 0, body(b"2"), expected_b=1))
    assert await read(files, path("open"), reader) == b"1"
    page = await files.list_recursive(bob, path(""), limit=9)
    assert ([name for name, _ in page.items], page.inaccessible) == (["open"], ["d"])


@ensureDeferred
async def test_the_sticky_bit_protects_files_of_others(files: FileService) -> None:
    await files.create_directory(alice, path("d"), CreateOptions(mode=0o1777))
    await put(files, "d/f", b"1", alice)
    await refused(Errno.EACCES, files.remove(bob, path("d/f")))
    await files.remove(alice, path("d/f"))


@ensureDeferred
async def test_modes_and_times_are_set_and_shown(files: FileService) -> None:
    await put(files, "f", b"1", alice)
    assert (await files.set_mode(alice, path("f"), 0o1755)).mode == 0o1755
    stat = await files.set_times(alice, path("f"), 12.5, None)
    assert stat.atime_s == 12.5
    assert await files.stat(alice, path("f")) == stat
    await refused(Errno.EPERM, files.set_mode(owner, path(""), 0o777))


# metadata


@ensureDeferred
async def test_extended_attributes_are_set_merged_and_removed(files: FileService) -> None:
    await files.create_directory(alice, path("d"), NEW)
    await put(files, "d/f", b"1", alice)
    await files.metadata.change(alice, path("d"), MetadataChange(set_xattrs={"a": 1, "b": "dir"}))
    await files.metadata.change(alice, path("d/f"), MetadataChange(set_xattrs={"b": [None, {"x": 2**70}]}))
    await files.metadata.change(alice, path("d/f"), MetadataChange(set_xattrs={"c": "\u017c"}))
    assert (await files.stat(alice, path("d/f"))).has_metadata
    await files.metadata.change(alice, path("d/f"), MetadataChange(remove_xattrs=["c", "none"]))
    assert await files.metadata.xattrs(alice, path("d/f")) == {"b": [None, {"x": 2**70}]}
    assert await files.metadata.xattrs(alice, path("d/f"), inherited=True) == {
        "a": 1,
        "b": [None, {"x": 2**70}],
    }
    change = MetadataChange(set_xattrs={"cdmi_mimetype": "text/plain", "onedata_json": {"j": 1}})
    await files.metadata.change(alice, path("d/f"), change)
    await files.metadata.change(alice, path("d/f"), MetadataChange(replace_user_xattrs={"n": 0}))
    assert await files.metadata.xattrs(alice, path("d/f")) == {"n": 0}
    internal = await files.metadata.xattrs(alice, path("d/f"), internal=True)
    assert internal == {"n": 0, "cdmi_mimetype": "text/plain", "onedata_json": {"j": 1}}
    for change in (
        MetadataChange(set_xattrs={"onedata_x": 1}),
        MetadataChange(remove_xattrs=["cdmi_mimetype"]),
    ):
        await refused(Errno.EPERM, files.metadata.change(alice, path("d/f"), change))
    await refused(Errno.EACCES, files.metadata.change(reader, path("d/f"), MetadataChange(rdf=b"<r/>")))
    await files.metadata.change(
        alice, path("d/f"), MetadataChange(replace_user_xattrs={}, remove_xattrs=["onedata_json"])
    )
    await files.remove(alice, path("d"))


@ensureDeferred
async def test_json_is_filtered_inserted_inherited_and_removed(files: FileService) -> None:
    await files.create_directory(alice, path("d"), NEW)
    await put(files, "d/f", b"1", alice)
    await refused(Errno.ENODATA, files.metadata.json(alice, path("d/f")))
    await files.metadata.set_json(alice, path("d"), {"a": {"x": 1, "y": 2}})
    await files.metadata.set_json(alice, path("d/f"), {"a": {"y": 3}})
    await files.metadata.set_json(alice, path("d/f"), "deep", "a.l.[2].c")
    assert await files.metadata.json(alice, path("d/f")) == {"a": {"y": 3, "l": [None, None, {"c": "deep"}]}}
    assert await files.metadata.json(alice, path("d/f"), filter="a.l.[2].c") == "deep"
    assert await files.metadata.json(alice, path("d/f"), inherited=True, filter="a.x") == 1
    await refused(Errno.ENODATA, files.metadata.json(alice, path("d/f"), filter="a.no"))
    await refused(Errno.ENODATA, files.metadata.set_json(alice, path("d/f"), 1, "a.y.z"))
    await files.metadata.remove_json(alice, path("d/f"))
    await files.metadata.remove_json(alice, path("d/f"))
    await files.metadata.set_json(alice, path("d/f"), None)
    assert await files.metadata.json(alice, path("d/f")) is None


@ensureDeferred
async def test_rdf_is_kept_verbatim(files: FileService) -> None:
    await put(files, "f", b"1", alice)
    await refused(Errno.ENODATA, files.metadata.rdf(alice, path("f")))
    await files.metadata.set_rdf(alice, path("f"), b"<rdf>\r\n \xc4\x8d</rdf >\n")
    assert await files.metadata.rdf(alice, path("f")) == b"<rdf>\r\n \xc4\x8d</rdf >\n"
    await files.metadata.remove_rdf(alice, path("f"))
    assert not (await files.stat(alice, path("f"))).has_metadata
    await refused(Errno.E2BIG, files.metadata.set_rdf(alice, path("f"), b"<r>%b</r>" % (b"x" * (1 << 20))))


@ensureDeferred
async def test_metadata_comes_with_the_content_in_one_step(files: FileService) -> None:
    change = MetadataChange(set_xattrs={"cdmi_mimetype": "a/b", "k": 1})
    stat, _ = await files.replace_content(
        alice, path("f"), body(b"1"), expected_b=1, create=NEW, metadata=change
    )
    assert stat.has_metadata
    change = MetadataChange(replace_user_xattrs={"n": 2})
    await files.replace_content(alice, path("f"), body(b"2"), expected_b=1, metadata=change)
    assert await files.metadata.xattrs(alice, path("f"), internal=True) == {"cdmi_mimetype": "a/b", "n": 2}


# where things are


@ensureDeferred
async def test_distribution_tells_blocks_and_paths(files: FileService, site: Site) -> None:
    uuid = (await files.create_file(alice, path("f"), NEW)).guid.uuid
    await files.write_content(alice, path("f"), 2, body(b"xy"), expected_b=2)
    told = await files.distribution.blocks(alice, path("f"))
    [storage] = json.loads(json.dumps(told))["distributionPerProvider"][PROVIDER]["distributionPerStorage"]
    is_flat = site.path_type is PathType.FLAT or storage == SECOND
    place = flat_path(SPACE, uuid) if is_flat else f"{SPACE}/f"
    assert told == {
        "type": "REG",
        "distributionPerProvider": {
            PROVIDER: {
                "success": True,
                "virtualSize": 4,
                "distributionPerStorage": {storage: {"physicalSize": 2, "blocks": [[2, 2]]}},
                "locationsPerStorage": {storage: f"/{place}"},
            }
        },
    }
    assert (await files.distribution.locations(alice, path("f")))["locationsPerProvider"]


@ensureDeferred
async def test_room_is_given_and_taken_to_the_byte(files: FileService, site: Site) -> None:
    await put(files, "f", bytes(1000))
    await files.truncate(alice, path("f"), 600)
    await files.write_content(alice, path("f"), 1000, body(bytes(50)), expected_b=50)
    await files.create_directory(alice, path("d"), NEW)
    await put(files, "d/g", bytes(70))
    await files.move(alice, path("d/g"), path("f"))
    await put(files, "d/h", bytes(5))
    assert await used_b(site) == 75


@ensureDeferred
async def test_storage_that_is_away_is_a_temporary_failure(tmp_path: Path) -> None:
    site = Site(helper=PosixHelper(str(tmp_path / "missing"), Site().blocking))
    folder = tmp_path / "missing"
    folder.mkdir()
    files = await site.process()
    await put(files, "f", b"1")
    folder.rename(tmp_path / "gone")
    with pytest.raises(ServiceUnavailable):
        await read(files, path("f"))
    with pytest.raises(ServiceUnavailable):
        await put(files, "f", b"2")
    (tmp_path / "gone").rename(folder)
    assert await read(files, path("f")) == b"1"
