"""Queues: values in order, whoever adds and takes them, at whatever door."""

from __future__ import annotations

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from cluster_worker.persistence.engine import Batch, Delete, Key, Scope
from onedata.errors import BadData, BadValueTooHigh, Errno, OnedataError, Posix
from onedata.ids import SpaceId, space_root_guid
from op_worker.auth.caller import Caller
from op_worker.files.acl import Ace, AceKind
from op_worker.files.model import CreateOptions, Existing, MetadataChange, Target
from op_worker.files.operations import Operation
from op_worker.files.queues.values import NewValue, ValueType
from op_worker.files.rights.protection import Protection
from op_worker.files.service import FileService
from op_worker.files.stored.queues import QUEUE
from op_worker.files.stored.quotas import Quota
from tests.support.spaces import (
    ALICE,
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
)

Q = path("q")
UPDATE = CreateOptions(existing=Existing.UPDATE)


def new(*values: bytes) -> list[NewValue]:
    return [NewValue(body(value), len(value)) for value in values]


async def make(files: FileService, target: Target = Q, caller: Caller = owner) -> None:
    await files.queues.create(caller, target)


async def add(files: FileService, *values: bytes, to: Target = Q, caller: Caller = owner) -> range:
    return await files.queues.enqueue(caller, to, new(*values))


async def values(files: FileService, of: Target = Q, caller: Caller = owner) -> list[bytes]:
    """Return all values, the oldest first."""
    found = []
    for value in (await files.queues.oldest(caller, of, 1000)).values:
        opened = await value.open()
        found.append(await opened.read(0, 1 << 20))
        await opened.close()
    return found


async def numbers(files: FileService, of: Target = Q) -> list[int]:
    return [value.number for value in (await files.queues.oldest(owner, of, 1000)).values]


async def put(files: FileService, name: str, data: bytes, caller: Caller = owner) -> None:
    await files.replace_content(caller, path(name), body(data), expected_b=len(data), create=UPDATE)


async def refusal(work: object) -> Errno:
    with pytest.raises(Posix) as raised:
        await work  # type: ignore[misc]  # any awaitable
    return raised.value.errno


class TestOrder:
    @ensureDeferred
    async def test_a_new_queue_is_empty(self, files: FileService) -> None:
        stat = await files.queues.create(owner, Q)
        view = await files.queues.view(owner, Q)
        assert stat.is_queue
        assert view.stat.guid == stat.guid
        assert (view.lowest, view.highest) == (None, None)
        assert (await files.queues.oldest(owner, Q)).values == []

    @ensureDeferred
    async def test_values_come_out_in_the_order_they_went_in(self, files: FileService) -> None:
        await make(files)
        assert await add(files, b"a") == range(0, 1)
        assert await add(files, b"b", b"", b"c") == range(1, 4)
        assert await values(files) == [b"a", b"b", b"", b"c"]
        assert await files.queues.dequeue(owner, Q) == 1
        assert await values(files) == [b"b", b"", b"c"]
        assert await files.queues.dequeue(owner, Q, 2) == 2
        assert await values(files) == [b"c"]

    @ensureDeferred
    async def test_numbers_are_never_used_again(self, files: FileService) -> None:
        await make(files)
        await add(files, b"a", b"b")
        assert await files.queues.dequeue(owner, Q, 9) == 2
        assert await files.queues.dequeue(owner, Q, 9) == 0
        assert await add(files, b"c") == range(2, 3)
        view = await files.queues.view(owner, Q)
        assert (view.lowest, view.highest) == (2, 2)

    @ensureDeferred
    async def test_a_range_is_taken_once_however_often_it_is_asked_for(self, files: FileService) -> None:
        await make(files)
        await add(files, b"a", b"b", b"c", b"d")
        assert await files.queues.dequeue_range(owner, Q, 0, 1) == 2
        assert await files.queues.dequeue_range(owner, Q, 0, 1) == 0
        with pytest.raises(BadData):
            await files.queues.dequeue_range(owner, Q, 3, 3)
        assert await values(files) == [b"c", b"d"]
        assert await files.queues.dequeue_range(owner, Q, 1, 99) == 2
        assert await values(files) == []

    @ensureDeferred
    async def test_values_keep_their_mimetype_and_encoding(self, files: FileService) -> None:
        await make(files)
        value = evolve(new(b"{}")[0], type=ValueType("application/json", "base64"))
        await files.queues.enqueue(owner, Q, [value, *new(b"text")])
        first, second = (await files.queues.oldest(owner, Q, 2)).values
        assert first.xattrs == {
            "cdmi_mimetype": "application/json",
            "cdmi_valuetransferencoding": "base64",
        }
        assert second.xattrs == {"cdmi_mimetype": "text/plain", "cdmi_valuetransferencoding": "utf-8"}

    @ensureDeferred
    async def test_a_large_value_is_kept_whole(self, files: FileService) -> None:
        await make(files)
        large = bytes(range(256)) * 8192
        await files.queues.enqueue(owner, Q, [NewValue(body(large)), *new(b"small")])
        [value] = (await files.queues.oldest(owner, Q)).values
        opened = await value.open()
        assert value.stat.size_b == len(large)
        assert await opened.read(1 << 20, 1 << 20) == large[1 << 20 :]
        await opened.close()

    @ensureDeferred
    async def test_more_values_than_one_request_may_have_are_refused(self, files: FileService) -> None:
        await make(files)
        with pytest.raises(BadValueTooHigh):
            await add(files, *[b"x"] * 1001)
        assert await values(files) == []
        await add(files, *[b"%d" % number for number in range(1000)])
        await add(files, b"1000")
        with pytest.raises(BadValueTooHigh):
            await files.queues.oldest(owner, Q, 1001)
        with pytest.raises(BadValueTooHigh):
            await files.queues.dequeue(owner, Q, 1001)
        with pytest.raises(BadValueTooHigh):
            await files.queues.dequeue_range(owner, Q, 0, 1000)
        assert await files.queues.dequeue(owner, Q, 1000) == 1000
        assert await values(files) == [b"1000"]

    @ensureDeferred
    async def test_a_value_that_breaks_off_leaves_nothing(self, files: FileService) -> None:
        await make(files)
        with pytest.raises(Exception, match="instead of"):
            await files.queues.enqueue(owner, Q, [*new(b"good"), NewValue(body(b"short"), 99)])
        assert await values(files) == []
        assert await add(files, b"next") == range(0, 1)


class TestMaking:
    @ensureDeferred
    async def test_a_queue_is_made_with_its_metadata_and_its_list(self, files: FileService) -> None:
        acl = (Ace(AceKind.ALLOW, "EVERYONE@", 0, 0x10009),)
        change = MetadataChange(set_xattrs={"colour": "red"}, json={"a": 1}, acl=acl)
        stat = await files.queues.create(owner, Q, metadata=change)
        assert stat.acl == acl
        assert stat.has_metadata
        assert await files.metadata.xattrs(owner, Q) == {"colour": "red"}
        assert await files.metadata.json(owner, Q) == {"a": 1}

    @ensureDeferred
    async def test_a_taken_name_and_a_missing_directory_are_refused(self, files: FileService) -> None:
        await put(files, "q", b"")
        assert await refusal(make(files)) is Errno.EEXIST
        assert await refusal(make(files, path("no/q"))) is Errno.ENOENT
        assert await refusal(make(files, path("q/q"))) is Errno.ENOTDIR

    @ensureDeferred
    async def test_a_directory_is_no_queue(self, files: FileService) -> None:
        await files.create_directory(owner, path("d"), CreateOptions())
        await put(files, "f", b"x")
        for name in ("d", "f"):
            assert await refusal(add(files, b"x", to=path(name))) is Errno.EINVAL
            assert await refusal(files.queues.oldest(owner, path(name))) is Errno.EINVAL
            assert await refusal(files.queues.dequeue(owner, path(name))) is Errno.EINVAL
        assert await refusal(add(files, b"x", to=path("no"))) is Errno.ENOENT


class TestOtherDoors:
    @ensureDeferred
    async def test_a_queue_is_a_directory_of_numbered_files(self, files: FileService) -> None:
        await make(files)
        await add(files, b"a", b"b")
        assert await names_in(files, Q) == ["0000000000000000", "0000000000000001"]
        assert await read(files, path("q/0000000000000001")) == b"b"
        assert (await files.stat(owner, Q)).is_queue
        assert not (await files.stat(owner, path("q/0000000000000001"))).is_queue

    @ensureDeferred
    async def test_nothing_is_put_into_a_queue_past_the_end(self, files: FileService) -> None:
        await make(files)
        await add(files, b"a")
        await put(files, "f", b"x")
        await files.create_directory(owner, path("d"), CreateOptions())
        original = (await files.stat(owner, path("f"))).guid
        value = path("q/0000000000000000")
        inside = path("q/x")
        for work in (
            files.create_file(owner, inside, CreateOptions()),
            files.create_directory(owner, path("q/x/y"), CreateOptions(create_parents=True)),
            files.create_symlink(owner, inside, CreateOptions(symlink_target="f")),
            files.create_link(owner, inside, original, CreateOptions()),
            files.replace_content(owner, inside, body(b"x"), expected_b=1, create=UPDATE),
            files.move(owner, path("f"), inside),
            files.move(owner, path("f"), value),
            files.move(owner, path("d"), inside),
            files.move(owner, value, inside),
            files.copy(owner, path("f"), inside),
            files.copy(owner, path("d"), inside),
            files.queues.create(owner, inside),
            files.growing.begin(owner, inside, CreateOptions(), 1),
        ):
            assert await refusal(work) is Errno.EPERM
        assert await values(files) == [b"a"]
        assert await read(files, path("f")) == b"x"

    @ensureDeferred
    async def test_a_value_removed_elsewhere_leaves_a_gap(self, files: FileService) -> None:
        await make(files)
        await add(files, b"a", b"b", b"c", b"d")
        await files.remove(owner, path("q/0000000000000001"))
        await files.move(owner, path("q/0000000000000003"), path("out"))
        assert await numbers(files) == [0, 2]
        assert (await files.queues.view(owner, Q)).highest == 2
        assert await add(files, b"e") == range(4, 5)
        assert await files.queues.dequeue(owner, Q, 2) == 2
        assert await values(files) == [b"e"]
        assert await read(files, path("out")) == b"d"

    @ensureDeferred
    async def test_a_queue_moves_and_goes_with_all_its_values(self, files: FileService) -> None:
        await make(files)
        await add(files, b"a", b"b")
        await files.create_directory(owner, path("d"), CreateOptions())
        await files.move(owner, Q, path("d/p"))
        moved = path("d/p")
        assert await values(files, moved) == [b"a", b"b"]
        assert await add(files, b"c", to=moved) == range(2, 3)
        await files.remove(owner, moved)
        assert await refusal(files.queues.view(owner, moved)) is Errno.ENOENT

    @ensureDeferred
    async def test_a_copy_of_a_queue_is_a_queue_numbered_anew(self, files: FileService) -> None:
        await files.create_directory(owner, path("d"), CreateOptions())
        await files.queues.create(owner, path("d/q"), metadata=MetadataChange(set_xattrs={"colour": "red"}))
        inner = path("d/q")
        await add(files, b"a", b"b", b"c", to=inner)
        await files.queues.dequeue(owner, inner)
        await files.copy(owner, inner, path("copy"))
        await files.copy(owner, path("d"), at("d", base=space_root_guid(OTHER_SPACE)))
        for copied in (path("copy"), at("d", "q", base=space_root_guid(OTHER_SPACE))):
            assert (await files.stat(owner, copied)).is_queue
            assert await files.metadata.xattrs(owner, copied) == {"colour": "red"}
            assert await values(files, copied) == [b"b", b"c"]
            assert await numbers(files, copied) == [0, 1]
            assert await add(files, b"d", to=copied) == range(2, 3)
        assert await values(files, inner) == [b"b", b"c"]

    @ensureDeferred
    async def test_queues_come_along_when_a_tree_replaces_another(self, files: FileService) -> None:
        for name in ("d", "e"):
            await files.create_directory(owner, path(name), CreateOptions())
        await make(files, path("d/q"))
        await add(files, b"a", b"b", to=path("d/q"))
        await files.tree_replacing.replace(owner, path("d"), path("e"))
        assert await values(files, path("e/q")) == [b"a", b"b"]
        assert await add(files, b"c", to=path("e/q")) == range(2, 3)
        assert await files.queues.dequeue(owner, path("e/q"), 3) == 3

    @ensureDeferred
    async def test_a_queue_of_many_values_is_copied_in_parts(self, files: FileService) -> None:
        await make(files)
        await add(files, *[b"%d" % number for number in range(1000)])
        await add(files, b"1000", b"1001")
        await files.copy(owner, Q, path("copy"))
        view = await files.queues.view(owner, path("copy"))
        assert (view.lowest, view.highest) == (0, 1001)
        await files.queues.dequeue(owner, path("copy"), 999)
        assert await values(files, path("copy")) == [b"999", b"1000", b"1001"]

    @ensureDeferred
    async def test_a_queue_moves_to_another_space(self, files: FileService) -> None:
        await make(files)
        await add(files, b"a", b"b")
        target = at("q", base=space_root_guid(OTHER_SPACE))
        await files.move(owner, Q, target)
        assert await values(files, target) == [b"a", b"b"]
        assert await refusal(files.stat(owner, Q)) is Errno.ENOENT

    @ensureDeferred
    async def test_a_queue_comes_back_from_the_recycle_bin(self, files: FileService) -> None:
        await files.space_settings.change_settings(owner, SPACE, recycle_days=7)
        try:
            await make(files)
            await add(files, b"a", b"b")
            await files.queues.dequeue(owner, Q)
            await files.remove(owner, Q)
            page = await files.recycle_bin.items(owner, SPACE, limit=9)
            [item] = [item for item in page.items if item.path == ("q",)]  # values passed by the bin
            await files.recycle_bin.restore(owner, SPACE, item.item_id)
            assert await values(files) == [b"b"]
            assert await add(files, b"c") == range(2, 3)
        finally:
            await files.space_settings.change_settings(owner, SPACE, recycle_days=0)

    @ensureDeferred
    async def test_a_queue_that_lost_count_goes_on_after_its_last_value(
        self, site: Site, files: FileService
    ) -> None:
        await make(files)
        await add(files, b"a", b"b")
        key = Key((await files.stat(owner, Q)).guid.uuid)
        await site.engine.commit(Scope(SPACE), Batch([Delete(key, QUEUE)]))
        assert await add(files, b"c") == range(2, 3)
        assert await values(files) == [b"a", b"b", b"c"]

    @ensureDeferred
    async def test_values_count_in_quotas(self, files: FileService) -> None:
        await make(files)
        await files.quotas.set_directory_quota(owner, Q, Quota(size_b=4, files=3))
        await add(files, b"abc")
        assert await refusal(add(files, b"d", b"ef")) is Errno.EDQUOT
        assert await values(files) == [b"abc"]
        assert await add(files, b"d") == range(1, 2)
        await files.queues.dequeue(owner, Q, 2)
        assert await add(files, b"efgh") == range(2, 3)
        await files.quotas.remove_directory_quota(owner, Q)


class TestPermissions:
    async def open_to(self, files: FileService, mask: Operation) -> None:
        """Make a queue of the owner with two values, on which Alice may do what ``mask`` says."""
        acl = (Ace(AceKind.ALLOW, ALICE, 0, int(mask)),)
        await files.queues.create(owner, Q, metadata=MetadataChange(acl=acl))
        await add(files, b"a", b"b")

    @pytest.mark.parametrize(
        ("mask", "may"),
        [
            (Operation.READ_OBJECT, "read"),
            (Operation.WRITE_OBJECT, "add take"),
            (Operation.ADD_SUBCONTAINER, "add"),
            (Operation.DELETE_CHILD, "take"),
            (Operation.READ_OBJECT | Operation.WRITE_OBJECT, "read add take"),
            (Operation.READ_METADATA, ""),
        ],
    )
    @ensureDeferred
    async def test_the_list_of_the_queue_decides(self, files: FileService, mask: Operation, may: str) -> None:
        await self.open_to(files, mask)
        works = {
            "read": lambda: files.queues.oldest(alice, Q),
            "view": lambda: files.queues.view(alice, Q),
            "add": lambda: add(files, b"c", caller=alice),
            "take": lambda: files.queues.dequeue(alice, Q),
        }
        for name, work in works.items():
            if name.replace("view", "read") in may.split():
                await work()
            else:
                assert await refusal(work()) is Errno.EACCES

    @ensureDeferred
    async def test_values_are_read_whatever_their_own_mode_is(self, files: FileService) -> None:
        await make(files)
        await add(files, b"a", caller=alice)
        await files.set_mode(alice, path("q/0000000000000000"), 0o600)
        assert await values(files, caller=bob) == [b"a"]
        assert await files.queues.dequeue(bob, Q) == 1

    @ensureDeferred
    async def test_whoever_may_not_write_to_the_space_only_reads(self, files: FileService) -> None:
        await make(files)
        await add(files, b"a")
        assert await values(files, caller=reader) == [b"a"]
        assert await refusal(add(files, b"b", caller=reader)) is Errno.EACCES
        assert await refusal(files.queues.dequeue(reader, Q)) is Errno.EACCES
        assert await refusal(files.queues.create(reader, path("mine"))) is Errno.EACCES

    @ensureDeferred
    async def test_a_protected_queue_stays_as_it_is(self, files: FileService) -> None:
        await make(files)
        await add(files, b"a")
        await put(files, "f", b"x")
        await files.protection.change(owner, Q, Protection.DATA, 0)
        assert await refusal(add(files, b"b")) is Errno.EPERM
        assert await refusal(files.queues.dequeue(owner, Q)) is Errno.EPERM
        assert await refusal(files.queues.move_object(owner, path("f"), Q)) is Errno.EPERM
        assert await values(files) == [b"a"]
        await files.protection.change(owner, Q, 0, Protection.DATA)

    @ensureDeferred
    async def test_a_queue_inherits_as_data_objects_do(self, files: FileService) -> None:
        everything = int(Operation.READ_OBJECT | Operation.WRITE_OBJECT)
        acl = (
            Ace(AceKind.ALLOW, "OWNER@", 0x2, 0x701FF),
            Ace(AceKind.ALLOW, "EVERYONE@", 0x1, everything),
            Ace(AceKind.ALLOW, "EVERYONE@", 0, int(Operation.ADD_OBJECT | Operation.TRAVERSE)),
        )
        await files.create_directory(owner, path("d"), CreateOptions(acl=acl))
        stat = await files.queues.create(alice, path("d/q"))
        assert stat.acl == (Ace(AceKind.ALLOW, "EVERYONE@", 0x80, everything),)
        await add(files, b"a", to=path("d/q"), caller=bob)
        assert await files.queues.dequeue(alice, path("d/q")) == 1

    @ensureDeferred
    async def test_a_token_confined_to_reading_takes_nothing(self, files: FileService) -> None:
        await make(files)
        await add(files, b"a")
        readonly = evolve(owner, limits=evolve(owner.limits, readonly=True))
        assert await values(files, caller=readonly) == [b"a"]
        assert await refusal(files.queues.dequeue(readonly, Q)) is Errno.EACCES


class TestTransfers:
    @ensureDeferred
    async def test_a_copied_object_is_enqueued_with_its_type(self, files: FileService) -> None:
        await make(files)
        change = MetadataChange(
            set_xattrs={"cdmi_mimetype": "image/png", "cdmi_valuetransferencoding": "base64", "colour": "red"}
        )
        await files.replace_content(
            owner, path("f"), body(b"png"), expected_b=3, create=UPDATE, metadata=change
        )
        assert await files.queues.copy_object(owner, path("f"), Q) == range(0, 1)
        [value] = (await files.queues.oldest(owner, Q)).values
        assert value.xattrs == {"cdmi_mimetype": "image/png", "cdmi_valuetransferencoding": "base64"}
        assert await values(files) == [b"png"]
        assert await read(files, path("f")) == b"png"

    @ensureDeferred
    async def test_a_moved_object_becomes_the_value(self, files: FileService) -> None:
        await make(files)
        await put(files, "f", b"content")
        await put(files, "g", b"")
        assert await files.queues.move_object(owner, path("f"), Q) == range(0, 1)
        assert await files.queues.move_object(owner, path("g"), Q) == range(1, 2)
        assert await values(files) == [b"content", b""]
        assert await refusal(files.stat(owner, path("f"))) is Errno.ENOENT

    @ensureDeferred
    async def test_one_of_several_names_of_a_file_is_moved_as_a_copy(self, files: FileService) -> None:
        await make(files)
        await put(files, "f", b"content")
        original = (await files.stat(owner, path("f"))).guid
        await files.create_link(owner, path("g"), original, CreateOptions())
        await files.queues.move_object(owner, path("f"), Q)
        await put(files, "g", b"changed")
        assert await values(files) == [b"content"]
        assert (await files.stat(owner, path("g"))).hardlinks == 1
        assert await refusal(files.stat(owner, path("f"))) is Errno.ENOENT

    @ensureDeferred
    async def test_an_object_of_another_space_is_copied_then_removed(self, files: FileService) -> None:
        await make(files)
        source = at("f", base=space_root_guid(OTHER_SPACE))
        await files.replace_content(owner, source, body(b"far"), expected_b=3, create=UPDATE)
        await files.queues.move_object(owner, source, Q)
        assert await values(files) == [b"far"]
        assert await refusal(files.stat(owner, source)) is Errno.ENOENT

    @ensureDeferred
    async def test_only_regular_files_are_enqueued(self, files: FileService) -> None:
        await make(files)
        await files.create_directory(owner, path("d"), CreateOptions())
        await files.create_symlink(owner, path("l"), CreateOptions(symlink_target="d"))
        for work in (files.queues.copy_object, files.queues.move_object):
            assert await refusal(work(owner, path("d"), Q)) is Errno.EISDIR
            assert await refusal(work(owner, path("l"), Q)) is Errno.EINVAL
            assert await refusal(work(owner, path("no"), Q)) is Errno.ENOENT

    @ensureDeferred
    async def test_moving_needs_reading_so_that_no_queue_reveals_a_content(self, files: FileService) -> None:
        await make(files)
        await put(files, "secret", b"x")
        await files.set_mode(owner, path("secret"), 0o600)
        assert await refusal(files.queues.move_object(alice, path("secret"), Q)) is Errno.EACCES
        assert await refusal(files.queues.copy_object(alice, path("secret"), Q)) is Errno.EACCES

    @pytest.mark.parametrize("space", [SPACE, OTHER_SPACE])
    @ensureDeferred
    async def test_values_move_to_another_queue_in_their_order(
        self, files: FileService, space: SpaceId
    ) -> None:
        other = at("other", base=space_root_guid(space))
        await make(files)
        await make(files, other)
        await add(files, b"a", b"b", b"c")
        await add(files, b"first", to=other)
        assert await files.queues.move_values(owner, Q, 2, other) == range(1, 3)
        assert await values(files) == [b"c"]
        assert await values(files, other) == [b"first", b"a", b"b"]
        assert await files.queues.move_values(owner, Q, 9, other) == range(3, 4)
        assert await files.queues.move_values(owner, Q, 9, other) == range(0)
        assert await values(files, other) == [b"first", b"a", b"b", b"c"]

    @ensureDeferred
    async def test_values_move_to_the_end_of_their_own_queue(self, files: FileService) -> None:
        await make(files)
        await add(files, b"a", b"b", b"c")
        await files.queues.move_values(owner, Q, 2, Q)
        assert await values(files) == [b"c", b"a", b"b"]
        assert await numbers(files) == [2, 3, 4]

    @ensureDeferred
    async def test_values_are_copied_to_another_queue(self, files: FileService) -> None:
        other = path("other")
        await make(files)
        await make(files, other)
        await add(files, b"a", b"b", b"c")
        await files.queues.copy_values(owner, Q, 2, other)
        assert await values(files) == [b"a", b"b", b"c"]
        assert await values(files, other) == [b"a", b"b"]

    @ensureDeferred
    async def test_values_are_joined_in_a_file(self, files: FileService) -> None:
        await make(files)
        large = bytes(range(256)) * 4096
        await add(files, b"a", large, b"", b"z")
        stat, created = await files.queues.join(owner, Q, path("f"), create=UPDATE)
        assert created
        assert stat.size_b == len(large) + 2
        assert await read(files, path("f")) == b"a" + large + b"z"
        _, created = await files.queues.join(owner, Q, path("f"), count=1, create=UPDATE)
        assert not created
        assert await read(files, path("f")) == b"a"


class TestAtTheSameTime:
    @ensureDeferred
    async def test_many_producers_on_two_nodes_lose_nothing_and_keep_their_order(
        self, site: Site, files: FileService
    ) -> None:
        second = await site.process("worker2@test")
        await make(files)

        async def produce(node: FileService, name: int) -> None:
            for step in range(8):
                pair = [b"%d.%d" % (name, 2 * step), b"%d.%d" % (name, 2 * step + 1)]
                given = await add(node, *pair)
                assert len(given) == 2

        nodes = [files, second] * 4
        await gatherResults(
            [Deferred.fromCoroutine(produce(node, name)) for name, node in enumerate(nodes)],
            consumeErrors=True,
        )
        found = await values(files)
        assert await numbers(files) == list(range(128))
        assert all(found[i].partition(b".")[0] == found[i + 1].partition(b".")[0] for i in range(0, 128, 2))
        for name in range(8):
            mine = [value for value in found if value.startswith(b"%d." % name)]
            assert mine == [b"%d.%d" % (name, step) for step in range(16)]
        await second.stopService()

    @ensureDeferred
    async def test_consumers_on_two_nodes_get_every_value_once_while_it_is_produced(
        self, site: Site, files: FileService
    ) -> None:
        second = await site.process("worker2@test")
        await make(files)
        mine = [path(f"consumer{number}") for number in range(4)]
        for target in mine:
            await make(files, target)
        total, taken = 60, 0

        async def produce(node: FileService, first: int) -> None:
            for number in range(first, total, 2):
                await add(node, b"%03d" % number)

        async def consume(node: FileService, target: Target) -> None:
            nonlocal taken
            while taken < total:
                moved = await node.queues.move_values(owner, Q, 3, target)
                taken += len(moved)

        works = [produce(files, 0), produce(second, 1)]
        works += [consume(node, target) for node, target in zip([files, second] * 2, mine, strict=True)]
        await gatherResults([Deferred.fromCoroutine(work) for work in works], consumeErrors=True)
        found = [await values(files, target) for target in mine]
        assert sorted(value for each in found for value in each) == [b"%03d" % n for n in range(total)]
        for each in found:  # what one consumer got of one producer is in that one's order
            for parity in (0, 1):
                own = [value for value in each if int(value) % 2 == parity]
                assert own == sorted(own)
        assert await values(files) == []
        await second.stopService()

    @ensureDeferred
    async def test_dequeuing_at_once_takes_as_many_as_were_acknowledged(
        self, site: Site, files: FileService
    ) -> None:
        second = await site.process("worker2@test")
        await make(files)
        await add(files, *[b"%d" % number for number in range(40)])
        works = [
            node.queues.dequeue(owner, Q, count) for node in (files, second) for count in (1, 2, 3, 4, 5)
        ]
        taken = await gatherResults([Deferred.fromCoroutine(work) for work in works], consumeErrors=True)
        assert sum(taken) == 30
        assert await numbers(files) == list(range(30, 40))
        await second.stopService()

    @ensureDeferred
    async def test_a_value_that_is_being_read_is_read_to_its_end(self, files: FileService) -> None:
        await make(files)
        large = bytes(range(256)) * 8192
        await add(files, large)
        [value] = (await files.queues.oldest(owner, Q)).values
        opened = await value.open()
        assert await opened.read(0, 256) == large[:256]
        await files.queues.dequeue(owner, Q)
        assert await opened.read(1 << 20, 1 << 20) == large[1 << 20 :]
        await opened.close()
        with pytest.raises(OnedataError):
            await value.open()
