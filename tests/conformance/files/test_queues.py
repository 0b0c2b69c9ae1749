"""Queues: values in order, whoever adds and takes them, at whatever door."""

from __future__ import annotations

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from onedata.errors import BadData, BadValueTooHigh, Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.acl import Ace, AceKind
from op_worker.files.model import CreateOptions, Existing, MetadataChange, Target
from op_worker.files.queues.values import NewValue, ValueType
from op_worker.files.service import FileService
from tests.support.spaces import (
    body,
    owner,
    path,
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
