"""Resumable uploads: at any node, through crashes, beside others, to their end or their expiry."""

from __future__ import annotations

import hashlib

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from cluster_worker.persistence.engine import Scope
from cluster_worker.persistence.lives import SHOWN_S
from cluster_worker.runtime.pool import Inline
from cluster_worker.runtime.streams import ByteStream, StreamBroken
from onedata.errors import (
    BadValueTooHigh,
    ChecksumMismatch,
    Errno,
    NotFound,
    OnedataError,
    Posix,
    UploadBusy,
    UploadOffsetMismatch,
)
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, Existing, Target
from op_worker.files.service import FileService
from op_worker.files.stored.digests import Digest
from op_worker.storage.helper import StorageError, StoragePath
from op_worker.uploads.hashes import RunningHash, RunningHashes
from op_worker.uploads.records import UPLOADS, Upload, UploadTarget
from op_worker.uploads.service import Uploads
from op_worker.uploads.writing import COMMIT_B, LIFETIME_S
from tests.support.immediate import now
from tests.support.power_cuts import Fuse, FusedEngine, FusedHelper, Trouble, bury
from tests.support.spaces import (
    ROOT,
    SPACE,
    Site,
    alice,
    bob,
    body,
    die,
    live,
    living_site,
    owner,
    path,
    read,
    reader,
)

DATA = bytes(range(256)) * 40


class Broken:
    """A body that breaks off after some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self) -> bytes:
        data, self._data = self._data, b""
        if not data:
            raise StreamBroken("gone")
        return data


class Stuck:
    """A body whose first piece does not come until it is told to."""

    def __init__(self, data: bytes) -> None:
        self.come: Deferred[None] = Deferred()
        self._data = data

    async def read(self) -> bytes:
        await self.come
        data, self._data = self._data, b""
        return data


class Node:
    """One life of a node."""

    def __init__(self, site: Site, name: str = "worker@test") -> None:
        self.site = site
        self.files: FileService = now(site.process(name))
        self.uploads = Uploads(
            self.files,
            site.engine,
            wall_clock=site.wall_clock,
            random_bytes=site.random.randbytes,
            blocking=Inline(),
        )

    def create(
        self, name: str = "f", size_b: int = len(DATA), caller: Caller = owner, *, overwrites: bool = False
    ) -> Upload:
        becomes = UploadTarget(parent=ROOT, name=name, overwrites=overwrites)
        return now(self.uploads.create(caller, becomes, size_b, ""))

    def write(
        self,
        upload: Upload,
        offset_b: int,
        data: bytes | ByteStream,
        *digests: Digest,
        length_b: int | None = None,
        caller: Caller = owner,
    ) -> Upload:
        stream = body(data) if isinstance(data, bytes) else data
        return now(self._write(upload, offset_b, stream, digests, length_b, caller))

    async def _write(
        self,
        upload: Upload,
        offset_b: int,
        stream: ByteStream,
        digests: tuple[Digest, ...] = (),
        length_b: int | None = None,
        caller: Caller = owner,
    ) -> Upload:
        return await self.uploads.write(
            caller, SPACE, upload.upload_id, offset_b, stream, length_b=length_b, digests=digests
        )

    def offset(self, upload: Upload) -> int:
        return now(self.uploads.get(owner, SPACE, upload.upload_id)).offset_b

    def content(self, name: str = "f") -> bytes:
        return now(read(self.files, path(name)))

    def staged(self) -> list[str]:
        """What lies in the staging folder."""
        try:
            return list(now(self.site.helper.list_directory(StoragePath(f"{SPACE}/.__onedata__staging"))))  # type: ignore[attr-defined]  # the memory helper can
        except StorageError:
            return []


@pytest.fixture
def site() -> Site:
    return living_site()


@pytest.fixture
def node(site: Site) -> Node:
    return Node(site)


def test_an_upload_in_parts_becomes_a_file_with_its_checksum(node: Node) -> None:
    upload = node.create()
    with pytest.raises(Posix):
        node.content()
    assert node.write(upload, 0, DATA[:100]).offset_b == 100
    assert node.write(upload, 100, b"").offset_b == 100
    assert not node.write(upload, 100, DATA[100:5000]).is_finished
    done = node.write(upload, 5000, DATA[5000:])
    assert (done.offset_b, done.is_finished) == (len(DATA), True)
    assert node.content() == DATA
    stat = now(node.files.stat(owner, path("f")))
    assert stat.checksum_sha256 == hashlib.sha256(DATA).hexdigest()
    assert node.staged() == []
    assert node.offset(upload) == len(DATA)
    assert node.write(upload, len(DATA), b"").is_finished


def test_parts_may_go_to_different_nodes_and_lives(site: Site) -> None:
    upload = Node(site, "one").create()
    Node(site, "two").write(upload, 0, DATA[:100])
    Node(site, "one").write(upload, 100, DATA[100:200])
    last = Node(site, "three")
    last.write(upload, 200, DATA[200:])
    assert last.content() == DATA
    stat = now(last.files.stat(owner, path("f")))
    assert stat.checksum_sha256 == hashlib.sha256(DATA).hexdigest()


def test_an_upload_of_nothing_is_finished_at_once(node: Node) -> None:
    assert node.create(size_b=0).is_finished
    assert node.content() == b""


def test_what_came_before_a_break_counts(node: Node) -> None:
    upload = node.create()
    with pytest.raises(StreamBroken):
        node.write(upload, 0, Broken(DATA[:1000]))
    assert node.offset(upload) == 1000
    node.write(upload, 1000, DATA[1000:])
    assert node.content() == DATA


def test_another_offset_is_refused_and_the_right_one_told(node: Node) -> None:
    upload = node.create()
    node.write(upload, 0, DATA[:10])
    for offset_b in (0, 9, 11, 10**9):
        with pytest.raises(UploadOffsetMismatch) as caught:
            node.write(upload, offset_b, b"x")
        assert caught.value.offset == 10


@pytest.mark.parametrize("length_b", [None, len(DATA) + 1])
def test_more_than_was_announced_is_refused_and_the_upload_goes_on(node: Node, length_b: int | None) -> None:
    upload = node.create()
    with pytest.raises(BadValueTooHigh):
        node.write(upload, 0, DATA + b"+", length_b=length_b)
    offset_b = node.offset(upload)
    node.write(upload, offset_b, DATA[offset_b:])
    assert node.content() == DATA


def test_a_part_with_a_wrong_checksum_adds_nothing(node: Node) -> None:
    upload = node.create()
    wrong = Digest("md5", hashlib.md5(b"other").digest())
    with pytest.raises(ChecksumMismatch):
        node.write(upload, 0, DATA[:100], wrong)
    with pytest.raises(StreamBroken):
        node.write(upload, 0, Broken(DATA[:100]), wrong)
    assert node.offset(upload) == 0
    right = Digest("sha", hashlib.sha1(DATA[:100]).digest())
    node.write(upload, 0, DATA[:100], right)
    node.write(upload, 100, DATA[100:])
    assert node.content() == DATA


def test_an_upload_is_its_owners_alone(node: Node) -> None:
    upload = node.create(caller=alice)
    for caller in (bob, owner):
        with pytest.raises(NotFound):
            node.write(upload, 0, b"x", caller=caller)
        with pytest.raises(NotFound):
            now(node.uploads.get(caller, SPACE, upload.upload_id))
        with pytest.raises(NotFound):
            now(node.uploads.remove(caller, SPACE, upload.upload_id))
    with pytest.raises(NotFound):
        now(node.uploads.get(alice, SPACE, "0" * 32))
    assert now(node.uploads.get(alice, SPACE, upload.upload_id)) == upload


def test_who_may_not_write_begins_no_upload(node: Node) -> None:
    with pytest.raises(Posix) as caught:
        node.create(caller=reader)
    assert caught.value.errno is Errno.EACCES


def test_of_two_uploads_to_one_name_the_first_to_finish_makes_the_file(node: Node) -> None:
    first, second = node.create(), node.create()
    node.write(second, 0, DATA)
    with pytest.raises(Posix) as caught:
        node.write(first, 0, DATA[::-1])
    assert caught.value.errno is Errno.EEXIST
    assert node.content() == DATA
    assert node.offset(first) == len(DATA)
    with pytest.raises(Posix):
        node.write(first, len(DATA), b"")
    now(node.files.move(owner, path("f"), path("g")))
    assert node.write(first, len(DATA), b"").is_finished
    assert (node.content("f"), node.content("g")) == (DATA[::-1], DATA)
    with pytest.raises(Posix):
        node.create()


def test_an_upload_that_may_overwrite_replaces_the_whole(node: Node) -> None:
    first, second = node.create(overwrites=True), node.create(overwrites=True)
    node.write(first, 0, DATA)
    node.write(second, 0, DATA[::-1])
    assert node.content() == DATA[::-1]
    assert node.staged() == []


def test_an_upload_beyond_the_room_is_refused_or_stays_complete(site: Site) -> None:
    node = Node(evolve(site, size_b=len(DATA) + 100))
    with pytest.raises(Posix) as caught:
        node.create(size_b=len(DATA) + 101)
    assert caught.value.errno is Errno.ENOSPC
    upload = node.create()
    now(node.files.replace_content(owner, path("g"), body(DATA), expected_b=None, create=CreateOptions()))
    with pytest.raises(Posix) as caught:
        node.write(upload, 0, DATA)
    assert caught.value.errno is Errno.ENOSPC
    assert node.offset(upload) == len(DATA)
    now(node.files.remove(owner, path("g")))
    assert node.write(upload, len(DATA), b"").is_finished
    assert node.content() == DATA


def test_a_full_storage_leaves_an_upload_that_goes_on(site: Site) -> None:
    fuse = Fuse(Trouble.FAIL, errno=28)
    node = Node(evolve(site, helper=FusedHelper(site.helper, fuse)))
    upload = node.create()
    node.write(upload, 0, DATA[:100])
    fuse.at = fuse.calls + 1  # the write after the open
    with pytest.raises(Posix) as caught:
        node.write(upload, 100, DATA[100:])
    assert caught.value.errno is Errno.ENOSPC
    assert node.offset(upload) == 100
    node.write(upload, 100, DATA[100:])
    assert node.content() == DATA


def test_two_writers_at_once_are_kept_apart_also_between_nodes(site: Site) -> None:
    one, two = Node(site, "one"), Node(site, "two")
    live(one.files)
    upload = one.create()
    stuck = Stuck(DATA)
    first: list[object] = []
    Deferred.fromCoroutine(one._write(upload, 0, stuck)).addBoth(first.append)
    for node in (one, two):
        with pytest.raises(UploadBusy):
            node.write(upload, 0, b"x")
        with pytest.raises(UploadBusy):
            now(node.uploads.remove(owner, SPACE, upload.upload_id))
    stuck.come.callback(None)
    assert not isinstance(first[0], Failure)
    assert one.content() == DATA


def test_a_writer_that_was_taken_over_counts_no_byte_any_more(site: Site) -> None:
    one, two = Node(site, "one"), Node(site, "two")
    live(one.files)
    upload = one.create()
    stuck = Stuck(b"late")
    first: list[object] = []
    Deferred.fromCoroutine(one._write(upload, 0, stuck)).addBoth(first.append)
    with pytest.raises(UploadBusy):
        two.write(upload, 0, DATA[:100])
    die(one.files)
    assert isinstance(site.clock, Clock)
    site.clock.advance(SHOWN_S)
    two.write(upload, 0, DATA[:100])
    stuck.come.callback(None)
    failure = first[0]
    assert isinstance(failure, Failure)
    failure.trap(UploadBusy, OnedataError)
    two.write(upload, 100, DATA[100:])
    assert two.content() == DATA


def test_a_writer_that_slept_and_shows_itself_again_writes_no_byte_into_what_another_one_finished(
    site: Site,
) -> None:
    one, two = Node(site, "one"), Node(site, "two")
    live(one.files)
    upload = one.create()
    stuck = Stuck(b"late")
    first: list[object] = []
    Deferred.fromCoroutine(one._write(upload, 0, stuck)).addBoth(first.append)
    die(one.files)
    assert isinstance(site.clock, Clock)
    site.clock.advance(SHOWN_S)
    two.write(upload, 0, DATA)
    live(one.files)  # before anything else, as a process that goes on may do
    assert one.files.context.lives.is_sure
    stuck.come.callback(None)
    assert isinstance(first[0], Failure)
    first[0].trap(UploadBusy, OnedataError)
    assert two.content() == DATA


def test_a_removed_upload_leaves_nothing(node: Node) -> None:
    upload = node.create()
    node.write(upload, 0, DATA[:100])
    now(node.uploads.remove(owner, SPACE, upload.upload_id))
    assert node.staged() == []
    assert now(node.site.engine.count(Scope(SPACE), UPLOADS)) == 0
    with pytest.raises(NotFound):
        node.write(upload, 100, b"x")


def test_an_upload_expires_a_while_after_its_last_byte(node: Node) -> None:
    upload, other = node.create(), node.create("g")
    node.site.now_s += LIFETIME_S - 100
    node.write(upload, 0, DATA[:100])
    node.site.now_s += 200
    now(node.uploads.sweep(SPACE))
    with pytest.raises(NotFound):
        now(node.uploads.get(owner, SPACE, other.upload_id))
    assert node.offset(upload) == 100
    node.site.now_s += LIFETIME_S
    with pytest.raises(NotFound):
        node.write(upload, 100, b"x")
    now(node.uploads.sweep(SPACE))
    assert node.staged() == []
    assert now(node.site.engine.count(Scope(SPACE), UPLOADS)) == 0


def test_a_file_outlives_the_record_of_its_upload(node: Node) -> None:
    upload = node.create()
    node.write(upload, 0, DATA)
    node.site.now_s += 2 * LIFETIME_S
    now(node.uploads.sweep(SPACE))
    assert node.content() == DATA
    with pytest.raises(NotFound):
        node.offset(upload)


def test_recovery_after_a_restart_leaves_uploads_alone(site: Site) -> None:
    upload = Node(site).create()
    Node(site).write(upload, 0, DATA[:100])
    again = Node(site)
    now(again.files.recover(SPACE))
    now(again.uploads.sweep(SPACE))
    again.write(upload, 100, DATA[100:])
    assert again.content() == DATA


def test_the_offset_is_committed_on_the_way(node: Node) -> None:
    upload = node.create(size_b=3 * COMMIT_B)
    seen: list[int] = []

    class Watching:
        def __init__(self) -> None:
            self.left = 6

        async def read(self) -> bytes:
            seen.append((await node.uploads.get(owner, SPACE, upload.upload_id)).offset_b)
            self.left -= 1
            return bytes(COMMIT_B // 2) if self.left >= 0 else b""

    node.write(upload, 0, Watching())
    assert seen == [0, 0, COMMIT_B, COMMIT_B, 2 * COMMIT_B, 2 * COMMIT_B, 3 * COMMIT_B]


@pytest.mark.parametrize("trouble", list(Trouble))
def test_whatever_step_fails_or_dies_the_client_resumes_to_the_whole_file(trouble: Trouble) -> None:
    for at in range(100):
        site, fuse = Site(), Fuse(trouble)
        upload = Node(site).create()
        fused = evolve(site, engine=FusedEngine(site.engine, fuse), helper=FusedHelper(site.helper, fuse))
        first = Node(fused)
        fuse.calls, fuse.at = 0, at
        results: list[object] = []
        work = Deferred.fromCoroutine(first._write(upload, 0, body(DATA)))
        work.addBoth(results.append)
        if not fuse.has_blown:
            assert at > 10, "nothing was tried"
            break
        bury(first, work)
        site.clock.advance(60)  # type: ignore[attr-defined]  # a test's clock
        second = Node(site)
        now(second.files.recover(SPACE))
        offset_b = second.offset(upload)
        assert second.write(upload, offset_b, DATA[offset_b:]).is_finished
        assert second.content() == DATA
        now(second.files.recover(SPACE))
        now(second.uploads.sweep(SPACE))
        assert second.staged() == []
    else:
        pytest.fail("the upload has no end")


def test_running_hashes_are_bounded_and_fit_exactly() -> None:
    hashes = RunningHashes(most=2)
    for name in ("a", "b", "c"):
        hashes.keep(name, RunningHash(5))
    assert hashes.take("a", 5) is None
    assert hashes.take("b", 4) is None
    assert hashes.take("c", 5) is not None
    assert hashes.take("c", 5) is None


def test_records_are_read_back_as_they_were_kept() -> None:
    becomes = UploadTarget(parent=ROOT, name="ż", mode=0o640, overwrites=True)
    upload = Upload(
        upload_id="u",
        owner=alice.user_id or owner.user_id,  # type: ignore[arg-type]  # alice is no guest
        becomes=becomes,
        size_b=9,
        storage_id="s",
        metadata="a YQ==",
        expires_s=7.5,
        offset_b=3,
        is_finished=True,
        writer="w",
        written_s=1.5,
    )
    assert Upload.decode(upload.encode()) == upload
    assert becomes.options == CreateOptions(mode=0o640, existing=Existing.UPDATE)
    assert becomes.target == Target(ROOT, ("ż",))
