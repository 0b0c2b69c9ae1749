"""What S3 servers do besides working: refuse, lose, fill up, die, and be written to by others."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from tests.conformance.storage.enrolled.s3 import BLOCK_B, helper_at
from tests.conformance.storage.places import given_up
from tests.support.storages.radosgw import GUEST_KEY, GUEST_SECRET, Radosgw, radosgw

pytestmark = pytest.mark.slow

A, B = StoragePath("space/a"), StoragePath("space/b")
MIB = 1 << 20
LARGE_B = int(os.environ.get("LARGE_OBJECT_MIB", "128")) * MIB
"""Of the large object; ``LARGE_OBJECT_MIB=5120`` makes it 5 GiB."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radosgw]:
    with radosgw(tmp_path_factory.mktemp("radosgw")) as running:
        yield running


@pytest.fixture
def bucket(gateway: Radosgw, request: pytest.FixtureRequest) -> str:
    """An empty bucket of the test's own."""
    name = f"bucket{abs(hash(request.node.name)):x}"
    gateway.make_bucket(name)
    return name


async def put(helper: Any, path: StoragePath, data: bytes) -> None:
    file = await helper.open_write(path)
    await file.write(0, data)
    await file.close()


async def get(helper: Any, path: StoragePath, size_b: int = 1 << 30) -> bytes:
    file = await helper.open_read(path)
    try:
        found: bytes = await file.read(0, size_b)
        return found
    finally:
        await file.close()


async def refused(work: Any) -> StorageError:
    with pytest.raises(StorageError) as caught:
        await work
    return caught.value


async def together(*works: Any) -> Any:
    return await gatherResults([Deferred.fromCoroutine(each) for each in works], consumeErrors=True)


def keys_in(gateway: Radosgw, bucket: str) -> list[str]:
    return [row["Key"] for row in gateway.client().list_objects_v2(Bucket=bucket).get("Contents", [])]


@ensureDeferred
async def test_blocks_lie_under_keys_that_count_down_below_the_prefix(gateway: Radosgw, bucket: str) -> None:
    helper = helper_at(gateway.url, f"{bucket}/some/prefix")
    await put(helper, A, b"1" * BLOCK_B + b"2" * BLOCK_B + b"3")
    assert keys_in(gateway, bucket) == [
        f"some/prefix/space/a/{number}" for number in (999997, 999998, 999999)
    ]
    last = gateway.client().get_object(Bucket=bucket, Key="some/prefix/space/a/999997")
    assert last["Body"].read() == b"3"


@ensureDeferred
async def test_blocks_that_another_program_put_are_one_file(gateway: Radosgw, bucket: str) -> None:
    for number, data in ((999999, b"1" * 10), (999997, b"3")):
        gateway.client().put_object(Bucket=bucket, Key=f"space/a/{number}", Body=data)
    helper = helper_at(gateway.url, bucket)
    assert (await helper.stat(A)).size_b == 2 * BLOCK_B + 1
    assert await get(helper, A) == b"1" * 10 + bytes(2 * BLOCK_B - 10) + b"3"


@ensureDeferred
async def test_removing_a_file_of_many_blocks_leaves_nothing(gateway: Radosgw, bucket: str) -> None:
    helper = helper_at(gateway.url, bucket, 1024)
    await put(helper, A, b"x" * 1024 * 1200)
    await put(helper, B, b"y")
    await helper.remove(A)
    assert keys_in(gateway, bucket) == ["space/b/999999"]


@ensureDeferred
async def test_a_wrong_secret_is_refused_in_the_server_s_words(gateway: Radosgw, bucket: str) -> None:
    helper = helper_at(gateway.url, bucket, keys={"accessKey": GUEST_KEY, "secretKey": "wrong"})
    for work in (helper.check(), put(helper, A, b"x"), get(helper, A), helper.stat(A)):
        error = await refused(work)
        assert error.errno == errno.EACCES
        assert "SignatureDoesNotMatch" in str(error)


@ensureDeferred
async def test_an_unknown_key_is_refused_in_the_server_s_words(gateway: Radosgw, bucket: str) -> None:
    helper = helper_at(gateway.url, bucket, keys={"accessKey": "nobody", "secretKey": "x"})
    error = await refused(helper.check())
    assert error.errno == errno.EACCES
    assert "InvalidAccessKeyId" in str(error)


@pytest.mark.parametrize("block_b", [BLOCK_B, 0])
@ensureDeferred
async def test_a_vanished_bucket_is_unavailable_and_no_missing_file(
    gateway: Radosgw, bucket: str, block_b: int
) -> None:
    helper = helper_at(gateway.url, bucket, block_b)
    await put(helper, A, b"hello")
    file = await helper.open_read(A)
    await helper.remove(B)
    for key in keys_in(gateway, bucket):
        gateway.client().delete_object(Bucket=bucket, Key=key)
    gateway.client().delete_bucket(Bucket=bucket)
    for work in (helper.check(), helper.stat(A), helper.open_read(A), file.read(0, 5), put(helper, B, b"x")):
        error = await refused(work)
        assert isinstance(error, StorageUnavailable)
        assert "NoSuchBucket" in str(error)
    await file.close()


@ensureDeferred
async def test_who_may_only_read_reads_and_is_refused_to_write(gateway: Radosgw, bucket: str) -> None:
    await put(helper_at(gateway.url, bucket), A, b"hello")
    gateway.let_guest_read(bucket)
    guest = helper_at(gateway.url, bucket, keys={"accessKey": GUEST_KEY, "secretKey": GUEST_SECRET})
    await guest.check()
    assert await get(guest, A) == b"hello"
    assert (await refused(guest.remove(A))).errno == errno.EACCES
    file = await guest.open_update(A)
    for work in (file.write(0, b"x"), put(guest, B, b"x"), guest.write_whole(A, b"x")):
        assert (await refused(work)).errno == errno.EACCES
    await file.close()
    assert await get(guest, A) == b"hello"


@ensureDeferred
async def test_a_full_bucket_takes_nothing_more_and_keeps_what_it_has(gateway: Radosgw, bucket: str) -> None:
    helper = helper_at(gateway.url, bucket)
    await put(helper, A, b"hello")
    gateway.limit_bucket(bucket, 4096)
    assert (await refused(put(helper, B, b"x" * BLOCK_B))).errno == errno.EDQUOT
    assert await get(helper, A) == b"hello"


@ensureDeferred
async def test_an_object_replaced_by_another_program_is_stale_to_who_has_it_open(
    gateway: Radosgw, bucket: str
) -> None:
    helper = helper_at(gateway.url, bucket, 0)
    await put(helper, A, b"the one opened")
    file = await helper.open_update(A)
    gateway.client().put_object(Bucket=bucket, Key=A, Body=b"another object")
    assert (await refused(file.read(0, 3))).errno == errno.ESTALE
    assert (await refused(file.write(0, b"x"))).errno == errno.ESTALE
    assert (await refused(file.truncate(3))).errno == errno.ESTALE
    assert await get(helper, A) == b"another object"
    assert (await refused(file.size())).errno == errno.ESTALE
    await file.close()


@ensureDeferred
async def test_blocks_removed_by_another_program_are_no_holes(gateway: Radosgw, bucket: str) -> None:
    ours, theirs = helper_at(gateway.url, bucket), helper_at(gateway.url, bucket)
    await put(ours, A, b"x" * (2 * BLOCK_B + 9))
    file = await ours.open_read(A)
    await theirs.remove(A)
    assert (await refused(file.read(0, 10))).errno == errno.ESTALE
    assert (await refused(file.size())).errno == errno.ESTALE
    await file.close()


@ensureDeferred
async def test_two_nodes_that_write_into_one_block_lose_nothing(gateway: Radosgw, bucket: str) -> None:
    nodes = [helper_at(gateway.url, bucket), helper_at(gateway.url, bucket)]
    data = Random(1).randbytes(24 * 1000)
    await put(nodes[0], A, b"")

    async def write(number: int) -> None:
        file = await nodes[number % 2].open_update(A)
        await file.write(number * 1000, data[number * 1000 :][:1000])
        await file.close()

    await together(*map(write, range(24)))
    assert await get(nodes[0], A) == data


@ensureDeferred
async def test_a_server_that_dies_and_comes_back_has_all_that_was_acknowledged(
    gateway: Radosgw, bucket: str
) -> None:
    helper = helper_at(gateway.url, bucket, timeout="5000")
    data = Random(2).randbytes(3 * BLOCK_B)
    file = await helper.open_write(A)
    await file.write(0, data)
    writing = Deferred.fromCoroutine(file.write(0, b"y" * len(data)))
    gateway.process.kill()
    assert isinstance(await refused(writing), StorageUnavailable)
    assert isinstance(await refused(helper.check()), StorageUnavailable)
    gateway.process.start()
    await file.write(0, data)
    assert await get(helper, A) == data
    await file.close()


@ensureDeferred
async def test_a_server_that_stands_still_is_waited_for_no_longer_than_the_timeout(
    gateway: Radosgw, bucket: str
) -> None:
    helper = helper_at(gateway.url, bucket, timeout="500")
    await put(helper, A, b"hello")
    with gateway.process.paused():
        error = await refused(get(helper, A))
    assert isinstance(error, StorageUnavailable)
    assert error.errno == errno.ETIMEDOUT
    assert await get(helper, A) == b"hello"


@ensureDeferred
async def test_a_large_block_goes_in_parts_and_comes_back(gateway: Radosgw, bucket: str) -> None:
    helper = helper_at(gateway.url, bucket, 64 * MIB)
    data = Random(3).randbytes(20 * MIB + 3)
    await helper.write_whole(A, data)
    found = gateway.client().head_object(Bucket=bucket, Key="space/a/999999")
    assert found["ETag"].endswith('-3"')
    assert await get(helper, A) == data


@ensureDeferred
async def test_parts_of_an_upload_that_is_given_up_do_not_stay(gateway: Radosgw, bucket: str) -> None:
    helper = helper_at(gateway.url, bucket, 256 * MIB)
    await given_up(helper.write_whole(A, b"x" * 96 * MIB), 0.15)
    assert not gateway.client().list_multipart_uploads(Bucket=bucket).get("Uploads")
    assert not keys_in(gateway, bucket)
    await put(helper, A, b"hello")
    assert await get(helper, A) == b"hello"


@ensureDeferred
async def test_folders_are_seen_in_the_keys_of_a_canonical_storage(gateway: Radosgw, bucket: str) -> None:
    for key in ("d/a", "d/b/c", "d/b/d", "d/b-", "d/b", "d//x", "e"):
        gateway.client().put_object(Bucket=bucket, Key=key, Body=b"12")
    helper = helper_at(gateway.url, bucket, 0)
    found = {each.name: each.stat async for page in helper.scan(StoragePath("d")) for each in page}
    assert {name: stat.is_directory for name, stat in found.items()} == {"a": False, "b": False, "b-": False}
    assert (found["a"].size_b, found["a"].mode) == (2, 0o664)
    assert found["a"].tag == (await helper.stat(StoragePath("d/a"))).tag
    assert (await helper.stat(StoragePath("d"))).is_directory
    assert (await refused(_scanned(helper, "nowhere"))).errno == errno.ENOENT
    assert (await refused(_scanned(helper, "e"))).errno == errno.ENOTDIR


@ensureDeferred
async def test_listings_of_many_pages_are_whole(gateway: Radosgw, bucket: str) -> None:
    names = [f"{number:03}" for number in range(25)]
    for name in names:
        gateway.client().put_object(Bucket=bucket, Key=f"d/{name}/x", Body=b"")
        gateway.client().put_object(Bucket=bucket, Key=f"d/{name}-", Body=b"")
    store = helper_at(gateway.url, f"{bucket}/d", 0)._access.store
    objects, prefixes, start = [], [], ""
    while True:
        page = await store.list("", start, 7, "/")
        objects += [each.key for each in page.objects]
        prefixes += page.prefixes
        if not (start := page.follows):
            break
    assert objects == [f"{name}-" for name in names]
    assert prefixes == [f"{name}/" for name in names]


@pytest.mark.timeout(3600)
@ensureDeferred
async def test_a_large_file_is_written_and_read_in_memory_that_does_not_grow_with_it(
    gateway: Radosgw, bucket: str
) -> None:
    helper = helper_at(gateway.url, bucket, 10 * MIB)
    piece = Random(4).randbytes(20 * MIB)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    file = await helper.open_write(A)
    for offset_b in range(0, LARGE_B, len(piece)):
        await file.write(offset_b, piece)
    for offset_b in range(0, LARGE_B, len(piece)):
        assert await file.read(offset_b, len(piece)) == piece
    await file.close()
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    assert grown_kib < 160 * 1024
    await helper.remove(A)
    assert not keys_in(gateway, bucket)


@pytest.mark.timeout(3600)
@ensureDeferred
async def test_a_large_object_that_another_program_put_in_parts_is_read(
    gateway: Radosgw, bucket: str
) -> None:
    helper = helper_at(gateway.url, bucket, 0)
    piece = Random(5).randbytes(16 * MIB)
    client, parts = gateway.client(), []
    upload = client.create_multipart_upload(Bucket=bucket, Key=A)["UploadId"]
    for number in range(1, LARGE_B // len(piece) + 1):
        made = client.upload_part(Bucket=bucket, Key=A, UploadId=upload, PartNumber=number, Body=piece)
        parts.append({"PartNumber": number, "ETag": made["ETag"]})
    whole = {"Parts": parts}
    client.complete_multipart_upload(Bucket=bucket, Key=A, UploadId=upload, MultipartUpload=whole)
    file = await helper.open_update(A)
    assert await file.size() == LARGE_B
    for offset_b in range(0, LARGE_B, len(piece)):
        assert await file.read(offset_b, len(piece)) == piece
    assert (await refused(file.write(0, b"x"))).errno == errno.ERANGE
    assert (await refused(file.truncate(5))).errno == errno.ERANGE
    await file.close()


async def _scanned(helper: Any, path: str) -> None:
    async for _ in helper.scan(StoragePath(path)):
        pass
