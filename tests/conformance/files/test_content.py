"""Conditions, digests, appends and verification of contents, over every engine and storage."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from cluster_worker.runtime.streams import StreamBroken
from onedata.errors import BadData, ChecksumMismatch, Errno, Posix, PreconditionNotMet
from op_worker.files.acl import Ace, AceKind
from op_worker.files.content.checksums import Verdict
from op_worker.files.model import CreateOptions, Existing, FileStat, MetadataChange
from op_worker.files.rights.permissions import Operation
from op_worker.files.service import FileService
from op_worker.files.stored.conditions import CREATE_ONLY, ContentCondition, Tags
from op_worker.files.stored.digests import Digest
from op_worker.storage.helper import StoragePath
from tests.support.spaces import BOB, SECOND, SPACE, Site, bob, body, owner, path, read, reader

UPDATE = CreateOptions(existing=Existing.UPDATE)


class Broken:
    """A body that breaks off after its first piece."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self) -> bytes:
        data, self._data = self._data, b""
        if not data:
            raise StreamBroken("gone")
        return data


def only(stat: FileStat) -> ContentCondition:
    """The condition that a content is still the one of ``stat``."""
    return ContentCondition(match=Tags(frozenset({stat.content_tag})))


def sha256(data: bytes) -> Digest:
    return Digest("sha-256", hashlib.sha256(data).digest())


async def put(files: FileService, text: str, data: bytes, **more: object) -> FileStat:
    stat, _ = await files.replace_content(
        owner,
        path(text),
        body(data),
        expected_b=len(data),
        create=UPDATE,
        **more,  # type: ignore[arg-type]
    )
    return stat


async def unmet(work: Awaitable[object]) -> None:
    """Demand that work fails for its condition."""
    with pytest.raises(PreconditionNotMet):
        await work


async def verdict_of(files: FileService, text: str) -> Verdict:
    verification = await files.checksums.verify(owner, path(text))
    try:
        while verification.verdict is None:
            await verification.step()
        return verification.verdict
    finally:
        await verification.close()


async def staging_files(site: Site) -> list[str]:
    """What lies in the staging folder of the space."""
    try:
        return list(await site.helper.list_directory(StoragePath(f"{SPACE}/.__onedata__staging")))  # type: ignore[attr-defined]  # both helpers can
    except Exception:  # noqa: BLE001 - nothing was ever staged
        return []


# tags


@ensureDeferred
async def test_every_change_of_content_gives_another_tag_and_no_other_change_does(files: FileService) -> None:
    await files.create_file(owner, path("f"), CreateOptions())
    seen = [(await files.stat(owner, path("f"))).content_tag]

    async def note(work: Awaitable[object]) -> None:
        await work
        seen.append((await files.stat(owner, path("f"))).content_tag)

    await note(put(files, "f", b"one"))
    await note(put(files, "f", b"one"))
    await note(files.write_content(owner, path("f"), 1, body(b"x"), expected_b=1))
    await note(files.append_content(owner, path("f"), body(b"y"), expected_b=1))
    await note(files.truncate(owner, path("f"), 2))
    await note(files.truncate(owner, path("f"), 9))
    with pytest.raises(StreamBroken):
        await note(files.write_content(owner, path("f"), 0, Broken(bytes(300_000)), expected_b=400_000))
    seen.append((await files.stat(owner, path("f"))).content_tag)
    await files.remove(owner, path("f"))
    await note(put(files, "f", b"one"))
    assert len(set(seen)) == len(seen)
    last = seen[-1]
    await files.set_mode(owner, path("f"), 0o600)
    await files.set_times(owner, path("f"), 1.0, 2.0)
    await files.metadata.set_json(owner, path("f"), {"a": 1})
    await files.move(owner, path("f"), path("g"))
    assert (await files.stat(owner, path("g"))).content_tag == last


# conditions


@ensureDeferred
async def test_a_replacement_with_a_condition_meets_the_content_it_was_made_for(files: FileService) -> None:
    first = await put(files, "f", b"one")
    second = await put(files, "f", b"two", condition=only(first))
    await unmet(put(files, "f", b"three", condition=only(first)))
    assert await read(files, path("f")) == b"two"
    await put(files, "f", b"three", condition=only(second))
    until = ContentCondition(unmodified_since_s=int(second.mtime_s) - 100)
    await unmet(put(files, "f", b"four", condition=until))
    await put(files, "f", b"four", condition=evolve(until, unmodified_since_s=int(second.mtime_s) + 100))


@ensureDeferred
async def test_create_only_makes_a_file_once(files: FileService, site: Site) -> None:
    await put(files, "f", b"one", condition=CREATE_ONLY)
    await unmet(put(files, "f", b"two", condition=CREATE_ONLY))
    await unmet(put(files, "g", b"x", condition=ContentCondition(match=Tags(is_any=True))))
    assert await read(files, path("f")) == b"one"
    assert await staging_files(site) == []


@ensureDeferred
async def test_of_several_writers_with_one_condition_one_gets_through(site: Site, files: FileService) -> None:
    other = await site.process("worker@other")
    first = await put(files, "f", b"0123456789")
    nodes = [files, other] * 3
    works = [
        node.write_content(owner, path("f"), at, body(b"X"), expected_b=1, condition=only(first))
        if at % 2
        else node.replace_content(owner, path("f"), body(b"whole"), expected_b=5, condition=only(first))
        for at, node in enumerate(nodes)
    ]
    outcomes: list[object] = await gatherResults(
        [Deferred.fromCoroutine(work).addErrback(lambda failure: failure.value) for work in works]
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, PreconditionNotMet)]
    assert len(refused) == len(nodes) - 1
    await other.stopService()


@ensureDeferred
async def test_writing_in_place_appending_and_cutting_ask_their_condition(files: FileService) -> None:
    first = await put(files, "f", b"0123456789")
    second = await files.write_content(owner, path("f"), 0, body(b"a"), expected_b=1, condition=only(first))
    stale = only(first)
    await unmet(files.write_content(owner, path("f"), 0, body(b"b"), expected_b=1, condition=stale))
    await unmet(files.append_content(owner, path("f"), body(b"b"), expected_b=1, condition=stale))
    await unmet(files.truncate(owner, path("f"), 3, stale))
    assert await read(files, path("f")) == b"a123456789"
    third = await files.append_content(owner, path("f"), body(b"+"), expected_b=1, condition=only(second))
    await files.truncate(owner, path("f"), 3, only(third))
    assert await read(files, path("f")) == b"a12"


# digests


@pytest.mark.parametrize("size_b", [10, 400_000])
@ensureDeferred
async def test_a_body_with_another_digest_changes_nothing(
    files: FileService, site: Site, size_b: int
) -> None:
    old = bytes(500_000)
    await put(files, "f", old)
    data, wrong = b"x" * size_b, [sha256(b"other")]
    works = [
        files.replace_content(owner, path("f"), body(data), expected_b=size_b, digests=wrong),
        files.write_content(owner, path("f"), 3, body(data), expected_b=size_b, digests=wrong),
        files.append_content(owner, path("f"), body(data), expected_b=size_b, digests=wrong),
        files.replace_content(
            owner, path("new"), body(data), expected_b=size_b, create=UPDATE, digests=wrong
        ),
    ]
    for work in works:
        with pytest.raises(ChecksumMismatch):
            await work
    assert await read(files, path("f")) == old
    with pytest.raises(Posix):
        await files.stat(owner, path("new"))
    assert await staging_files(site) == []


@pytest.mark.parametrize("size_b", [0, 10, 400_000])
@ensureDeferred
async def test_a_body_with_its_digest_is_taken(files: FileService, size_b: int) -> None:
    data = b"x" * size_b
    right = [sha256(data), Digest("md5", hashlib.md5(data).digest())]
    await files.replace_content(owner, path("f"), body(data), expected_b=size_b, create=UPDATE, digests=right)
    await files.append_content(owner, path("f"), body(data), expected_b=None, digests=right)
    await files.write_content(owner, path("f"), 2 * size_b, body(data), expected_b=size_b, digests=right)
    assert await read(files, path("f")) == data * 3


# appending


@pytest.mark.parametrize("size_b", [1, 262_144, 262_145, 3_000_001])
@ensureDeferred
async def test_what_is_appended_stands_at_the_end(files: FileService, site: Site, size_b: int) -> None:
    await put(files, "f", b"begin")
    data = hashlib.sha256(b"%d" % size_b).digest() * (size_b // 32 + 1)
    stat = await files.append_content(owner, path("f"), body(data[:size_b]), expected_b=size_b)
    assert (stat.size_b, stat.local_b, stat.checksum_sha256) == (5 + size_b, 5 + size_b, None)
    assert await read(files, path("f")) == b"begin" + data[:size_b]
    assert await staging_files(site) == []


@ensureDeferred
async def test_nothing_appended_changes_nothing(files: FileService) -> None:
    before = await put(files, "f", b"begin")
    assert await files.append_content(owner, path("f"), body(b""), expected_b=0) == before


@ensureDeferred
async def test_an_append_that_breaks_off_adds_nothing(files: FileService, site: Site) -> None:
    before = await put(files, "f", b"begin")
    for size_b in (10, 300_000):
        with pytest.raises(StreamBroken):
            await files.append_content(owner, path("f"), Broken(bytes(size_b)), expected_b=400_000)
    with pytest.raises(StreamBroken):
        await files.append_content(owner, path("f"), body(b"abc"), expected_b=7)
    assert await files.stat(owner, path("f")) == before
    assert await staging_files(site) == []


@ensureDeferred
async def test_appends_of_several_nodes_at_once_are_all_there_in_one_piece(
    files: FileService, site: Site
) -> None:
    nodes = [files, await site.process("worker@two"), await site.process("worker@three")]
    await files.create_file(owner, path("f"), CreateOptions())
    records = [bytes([number]) * (100 + 7 * number) for number in range(1, 31)]
    await gatherResults(
        [
            Deferred.fromCoroutine(
                nodes[number % 3].append_content(owner, path("f"), body(record), expected_b=None)
            )
            for number, record in enumerate(records)
        ]
    )
    content = await read(files, path("f"))
    assert len(content) == sum(map(len, records))
    for record in records:
        assert content.count(record) == 1
    for node in nodes[1:]:
        await node.stopService()


@ensureDeferred
async def test_who_may_not_write_may_not_append(files: FileService) -> None:
    await put(files, "f", b"begin")
    with pytest.raises(Posix) as caught:
        await files.append_content(reader, path("f"), body(b"x"), expected_b=1)
    assert caught.value.errno is Errno.EACCES
    with pytest.raises(Posix) as caught:
        await files.append_content(owner, path(""), body(b"x"), expected_b=1)
    assert caught.value.errno is Errno.EISDIR


@ensureDeferred
async def test_holes_read_as_zeros_whatever_the_storage_had_there(files: FileService) -> None:
    await put(files, "f", b"0123456789")
    await files.truncate(owner, path("f"), 3)
    await files.truncate(owner, path("f"), 8)
    await files.append_content(owner, path("f"), body(b"end"), expected_b=3)
    await files.write_content(owner, path("f"), 14, body(b"."), expected_b=1)
    assert await read(files, path("f")) == b"012\0\0\0\0\0end\0\0\0."
    with pytest.raises(Posix) as caught:
        await files.truncate(owner, path("f"), 2**53)
    assert caught.value.errno is Errno.EFBIG
    with pytest.raises(Posix) as caught:
        await files.write_content(owner, path("f"), 2**53 - 2, body(b"xx"), expected_b=2)
    assert caught.value.errno is Errno.EFBIG


# verification


@ensureDeferred
async def test_content_written_whole_is_verified_against_its_checksum(files: FileService) -> None:
    data = bytes(range(256)) * 8000
    await put(files, "f", data)
    expected = hashlib.sha256(data).digest()
    assert await verdict_of(files, "f") == Verdict(expected, expected, 1)


@ensureDeferred
async def test_corruption_of_the_storage_is_found(files: FileService, site: Site) -> None:
    await put(files, "f", b"0123456789")
    assert await read(files, path("f")) == b"0123456789"  # and it is remembered
    locations = await files.distribution.locations(owner, path("f"))
    [at] = re.findall(rf"/({SPACE}[^']*)'", str(locations))
    helper = site.second if site.second is not None and SECOND in str(locations) else site.helper
    file = await helper.open_update(StoragePath(at))
    await file.write(3, b"X")
    await file.close()
    verdict = await verdict_of(files, "f")
    assert not verdict.is_verified
    assert verdict.sha256 == hashlib.sha256(b"012X456789").digest()


@ensureDeferred
async def test_a_checksum_that_was_not_known_is_kept_until_the_content_changes(files: FileService) -> None:
    await put(files, "f", b"0123456789")
    stat = await files.write_content(owner, path("f"), 12, body(b"x"), expected_b=1)
    content = b"0123456789\0\0x"
    tag = stat.content_tag
    assert await files.checksums.known(owner, path("f"), tag) == b""
    verdict = await verdict_of(files, "f")
    assert (verdict.sha256, verdict.known) == (hashlib.sha256(content).digest(), b"")
    assert verdict.content_version == stat.content_version
    assert await files.checksums.known(owner, path("f"), tag) == verdict.sha256
    assert await files.checksums.known(owner, path("f"), "another") == b""
    assert (await verdict_of(files, "f")).known == verdict.sha256
    assert (await files.stat(owner, path("f"))).content_tag == stat.content_tag
    later = await files.append_content(owner, path("f"), body(b"y"), expected_b=1)
    assert await files.checksums.known(owner, path("f"), later.content_tag) == b""


@ensureDeferred
async def test_a_content_that_changes_while_it_is_verified_gets_no_verdict(files: FileService) -> None:
    await put(files, "f", b"one")
    verification = await files.checksums.verify(owner, path("f"))
    await put(files, "f", b"two")
    with pytest.raises(Posix) as caught:
        await verification.step()
    assert caught.value.errno is Errno.EAGAIN
    await verification.close()
    with pytest.raises(Posix) as caught:
        await files.checksums.verify(owner, path(""))
    assert caught.value.errno is Errno.EISDIR


class Watched:
    """A body that tells when it was read to its end."""

    def __init__(self, data: bytes) -> None:
        self._data, self.is_over = data, False

    async def read(self) -> bytes:
        data, self._data = self._data, b""
        self.is_over = not data
        return data


@ensureDeferred
async def test_metadata_may_be_known_when_the_body_ended_only(files: FileService) -> None:
    sent = Watched(b"new")

    async def late() -> MetadataChange:
        assert sent.is_over
        return MetadataChange(set_xattrs={"k": 1})

    await files.replace_content(owner, path("f"), sent, expected_b=None, create=UPDATE, metadata=late)
    assert await files.metadata.xattrs(owner, path("f")) == {"k": 1}
    sent = Watched(b"newer")
    await files.replace_content(owner, path("f"), sent, expected_b=None, metadata=late)
    assert await read(files, path("f")) == b"newer"


@ensureDeferred
async def test_refusal_of_late_metadata_leaves_the_old_content_and_no_staging_file(
    files: FileService, site: Site
) -> None:
    await put(files, "f", b"old")

    async def refused() -> MetadataChange:
        raise BadData("metadata")

    async def too_long() -> MetadataChange:
        return MetadataChange(set_xattrs={"k": "x" * (1 << 17)})

    for late in (refused, too_long):
        for target in ("f", "new"):
            with pytest.raises((BadData, Posix)):
                await files.replace_content(
                    owner, path(target), body(b"n" * 300000), expected_b=None, create=UPDATE, metadata=late
                )
    assert await read(files, path("f")) == b"old"
    with pytest.raises(Posix):
        await files.stat(owner, path("new"))
    assert await staging_files(site) == []


@ensureDeferred
async def test_right_that_late_metadata_need_is_asked_before_the_commit(files: FileService) -> None:
    await put(files, "f", b"old")
    words = Operation.READ_OBJECT | Operation.WRITE_OBJECT | Operation.READ_ATTRIBUTES
    await files.acls.set(owner, path("f"), (Ace(AceKind.ALLOW, BOB, 0, int(words)),))

    async def late() -> MetadataChange:
        return MetadataChange(set_xattrs={"k": 1})

    with pytest.raises(Posix) as refusal:
        await files.replace_content(bob, path("f"), body(b"new"), expected_b=None, metadata=late)
    assert refusal.value.errno is Errno.EACCES
    await files.replace_content(bob, path("f"), body(b"newer"), expected_b=None)
    assert await read(files, path("f")) == b"newer"


@ensureDeferred
async def test_right_to_write_can_be_asked_before_there_is_a_body(files: FileService) -> None:
    await put(files, "f", b"old")
    await files.create_directory(owner, path("d"), CreateOptions(mode=0o755))
    await files.acls.set(owner, path("f"), (Ace(AceKind.ALLOW, BOB, 0, int(Operation.READ_OBJECT)),))
    for target in ("f", "new"):
        await files.require_writable(owner, path(target))
    for target, errno in (
        ("f", Errno.EACCES),
        ("d/new", Errno.EACCES),
        ("d", Errno.EISDIR),
        ("x/y", Errno.ENOENT),
    ):
        with pytest.raises(Posix) as refusal:
            await files.require_writable(bob, path(target))
        assert refusal.value.errno is errno
    with pytest.raises(Posix):
        await files.stat(owner, path("new"))
