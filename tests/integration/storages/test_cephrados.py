"""What is peculiar to files in a pool of Ceph, against a real cluster: both kinds of them."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from cluster_worker.runtime.together import together
from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.ceph.helper import CEPH
from op_worker.storage.helpers.ceph.library import StriperLibrary
from op_worker.storage.helpers.ceph.store import StripedStore
from op_worker.storage.helpers.ceph.striped_pool import StripedPool
from op_worker.storage.helpers.cephrados.helper import CEPHRADOS
from op_worker.storage.helpers.cephrados.library import load_rados
from op_worker.storage.helpers.cephrados.place import CephPlace
from op_worker.storage.helpers.cephrados.pool import OPERATIONS_AT_ONCE, RadosPool
from op_worker.storage.helpers.cephrados.store import RadosStore
from op_worker.storage.objects.helper import object_helper
from op_worker.storage.objects.store import ObjectKey
from op_worker.storage.types import StorageType
from tests.support.storages.ceph import POOL, CephCluster, ceph_cluster
from tests.support.storages.making import made_helper

FILE, KEY = StoragePath("d/file"), ObjectKey("key")
BLOCK_B = 1 << 18
SHORT_S = 1.0
REACTOR: Any = reactor


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CephCluster]:
    with ceph_cluster(tmp_path_factory.mktemp("ceph")) as running:
        yield running


def place(cluster: CephCluster, user: str = "test", pool: str = POOL) -> CephPlace:
    return CephPlace(
        monitors=cluster.monitors,
        cluster="ceph",
        pool=pool,
        user=f"client.{user}",
        key=cluster.key(user),
        timeout_s=SHORT_S,
    )


def in_objects(place: CephPlace) -> RadosStore:
    return RadosStore(RadosPool(load_rados(), place, REACTOR))


def striped(place: CephPlace) -> StripedStore:
    return StripedStore(StripedPool(StriperLibrary.load(), place), REACTOR)


STORES: Mapping[str, Callable[[CephPlace], Any]] = {"cephrados": in_objects, "ceph": striped}
TYPES = {"cephrados": CEPHRADOS, "ceph": CEPH}


@pytest.fixture(params=list(STORES))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@async_yield_fixture
async def store(cluster: CephCluster, kind: str) -> AsyncIterator[Any]:
    cluster.empty(POOL)
    made = STORES[kind](place(cluster))
    yield made
    await made.close()


async def refused(work: Any) -> StorageError:
    with pytest.raises(StorageError) as caught:
        await work
    return caught.value


def helper_of(cluster: CephCluster, type_: StorageType, *, pool: str = POOL, **credentials: str) -> Any:
    arguments = {"monitorHostname": cluster.monitors, "clusterName": "ceph", "poolName": pool}
    return made_helper(type_, arguments, {"username": "test", "key": cluster.key(), **credentials})


@ensureDeferred
async def test_a_wrong_key_is_no_access_in_the_words_of_the_cluster(cluster: CephCluster, kind: str) -> None:
    helper = helper_of(cluster, TYPES[kind], key=cluster.key("reader"))
    error = await refused(helper.check())
    assert error.errno == errno.EACCES
    assert not isinstance(error, StorageUnavailable)
    assert "permission denied" in str(error).lower()
    await helper.close()


@ensureDeferred
async def test_a_user_who_may_only_read_is_refused_when_he_writes(cluster: CephCluster, kind: str) -> None:
    reader = STORES[kind](place(cluster, "reader"))
    assert (await refused(reader.put(KEY, b"x"))).errno == errno.EACCES
    await reader.close()


@ensureDeferred
async def test_a_pool_that_is_not_there_makes_the_storage_unavailable(
    cluster: CephCluster, kind: str
) -> None:
    helper = helper_of(cluster, TYPES[kind], pool="nowhere")
    for work in (helper.check(), helper.open_read(FILE), helper.open_write(FILE)):
        error = await refused(work)
        assert isinstance(error, StorageUnavailable)
        assert "no pool nowhere" in str(error)
    await helper.close()


@ensureDeferred
async def test_a_pool_that_vanishes_is_no_missing_file_and_one_made_anew_is_used(
    cluster: CephCluster, kind: str
) -> None:
    cluster.make_pool("passing")
    store = STORES[kind](place(cluster, "admin", "passing"))
    await store.put(KEY, b"x")
    cluster.remove_pool("passing")
    for work in (store.get(KEY, 0, 1), store.put(KEY, b"y"), store.stat(KEY), store.delete([KEY])):
        assert isinstance(await refused(work), StorageUnavailable)
    cluster.make_pool("passing")
    assert (await refused(_twice(store))).errno == errno.ENOENT
    await store.put(KEY, b"z")
    assert (await store.get(KEY, 0, 9)).data == b"z"
    await store.close()
    cluster.remove_pool("passing")


async def _twice(store: Any) -> None:
    """Ask for an object; once more where the pool that was known is found to be gone."""
    try:
        await store.stat(KEY)
    except StorageUnavailable:
        await store.stat(KEY)


@ensureDeferred
async def test_nobody_answers_is_a_timeout_and_passes_when_somebody_does(
    cluster: CephCluster, store: Any
) -> None:
    await store.put(KEY, b"before")
    with cluster.objects.paused():
        error = await refused(store.get(KEY, 0, 9))
    assert isinstance(error, StorageUnavailable)
    assert error.errno == errno.ETIMEDOUT
    assert (await store.get(KEY, 0, 9)).data == b"before"


@ensureDeferred
async def test_a_monitor_that_does_not_answer_is_a_timeout_and_is_asked_again(
    cluster: CephCluster, kind: str
) -> None:
    store = STORES[kind](place(cluster))
    with cluster.monitor.paused():
        error = await refused(store.check())
    assert isinstance(error, StorageUnavailable)
    assert error.errno == errno.ETIMEDOUT
    await store.check()
    await store.close()


@ensureDeferred
async def test_a_full_cluster_refuses_at_once_and_lets_remove(cluster: CephCluster, store: Any) -> None:
    await store.put(KEY, b"x")
    with cluster.full():
        assert (await refused(store.put(ObjectKey("more"), b"y" * 1000))).errno == errno.ENOSPC
        assert (await store.get(KEY, 0, 9)).data == b"x"
        await store.delete([KEY])
    await store.put(ObjectKey("more"), b"y")


@ensureDeferred
async def test_a_client_that_the_cluster_shut_out_comes_back_as_a_new_one(
    cluster: CephCluster, store: Any
) -> None:
    await store.put(KEY, b"x")
    cluster.shut_out("test")
    error = await refused(store.put(KEY, b"y"))
    assert isinstance(error, StorageUnavailable)
    assert error.errno == errno.ESHUTDOWN
    await store.put(KEY, b"z")


@ensureDeferred
async def test_nothing_read_past_the_end_is_nothing(store: Any) -> None:
    await store.put(KEY, b"abc")
    assert [(await store.get(KEY, offset_b, 100)).data for offset_b in (3, 4, 1000)] == [b"", b"", b""]


@ensureDeferred
async def test_an_object_that_is_missing_is_not_cut_in_silence(store: Any) -> None:
    assert (await refused(store.truncate(KEY, 5))).errno == errno.ENOENT


@ensureDeferred
async def test_the_time_of_change_is_told_in_seconds_since_the_epoch(
    store: Any, cluster: CephCluster
) -> None:
    await store.put(KEY, b"abc")
    (cluster.folder / "now").touch()
    assert abs((await store.stat(KEY)).mtime_s - (cluster.folder / "now").stat().st_mtime) < 60


@ensureDeferred
async def test_more_operations_than_may_run_at_once_wait_for_their_turn(store: Any) -> None:
    keys = [ObjectKey(f"k{number}") for number in range(3 * OPERATIONS_AT_ONCE)]
    await together(store.put(key, key.encode()) for key in keys)
    found = await together(store.get(key, 0, 9) for key in keys)
    assert [piece.data for piece in found] == [key.encode() for key in keys]
    await store.delete(keys)
    assert (await refused(store.stat(keys[0]))).errno == errno.ENOENT


@ensureDeferred
async def test_an_object_that_is_too_large_for_the_cluster_is_refused(cluster: CephCluster) -> None:
    store = in_objects(place(cluster))
    assert (await refused(store.write(KEY, 1 << 30, b"x"))).errno == errno.EFBIG
    await store.close()


@ensureDeferred
async def test_nothing_is_asked_of_a_storage_that_was_closed(cluster: CephCluster, kind: str) -> None:
    store = STORES[kind](place(cluster))
    await store.check()
    await store.close()
    await store.close()
    assert isinstance(await refused(store.check()), StorageUnavailable)


@ensureDeferred
async def test_blocks_lie_under_keys_that_count_down(cluster: CephCluster) -> None:
    cluster.empty(POOL)
    helper = helper_of(cluster, CEPHRADOS)
    file = await helper.open_write(FILE)
    await file.write(0, b"a" * (4 << 20) + b"b")
    await file.close()
    found = cluster.objects_of(POOL)
    assert {name: (data[:1], len(data)) for name, data in found.items()} == {
        "d/file/999999": (b"a", 4 << 20),
        "d/file/999998": (b"b", 1),
    }
    await helper.close()


@ensureDeferred
async def test_files_that_others_put_there_are_read(cluster: CephCluster) -> None:
    cluster.empty(POOL)
    with cluster.client().open_ioctx(POOL) as pool:
        for index in range(5):
            pool.write_full(f"d/file/{999999 - index}", bytes([index]) * (4 << 20))
        pool.write_full("d/file/999994", b"end")
    helper = helper_of(cluster, CEPHRADOS)
    assert (await helper.stat(FILE)).size_b == 5 * (4 << 20) + 3
    file = await helper.open_read(FILE)
    assert await file.read(5 * (4 << 20) - 2, 10) == b"\4\4end"
    await file.close()
    await helper.remove(FILE)
    assert cluster.objects_of(POOL) == {}
    await helper.close()


@ensureDeferred
async def test_what_another_client_cuts_while_a_file_is_open_is_stale_and_not_zeros(
    cluster: CephCluster,
) -> None:
    cluster.empty(POOL)
    helper = helper_of(cluster, CEPHRADOS)
    file = await helper.open_write(FILE)
    await file.write(0, b"a" * 1000)
    with cluster.client().open_ioctx(POOL) as pool:
        pool.trunc("d/file/999999", 10)
    assert (await refused(file.read(5, 100))).errno == errno.ESTALE
    await file.close()
    await helper.close()


@ensureDeferred
async def test_a_striped_file_is_cut_into_objects_by_the_library(cluster: CephCluster) -> None:
    cluster.empty(POOL)
    helper = helper_of(cluster, CEPH)
    file = await helper.open_write(FILE)
    await file.write(9 << 20, b"x")
    await file.close()
    names = cluster.objects_of(POOL)
    assert set(names) == {f"d/file.{number:016x}" for number in (0, 2)}
    assert cluster.read_striped(POOL, FILE) == bytes(9 << 20) + b"x"
    await helper.close()


@ensureDeferred
async def test_a_striped_file_made_by_ceph_s_own_command_is_read_and_changed(cluster: CephCluster) -> None:
    cluster.empty(POOL)
    source = cluster.folder / "source"
    source.write_bytes(b"old data" * 1000)
    cluster.run("rados", "--pool", POOL, "--striper", "put", FILE, str(source))
    helper = helper_of(cluster, CEPH)
    file = await helper.open_update(FILE)
    assert await file.size() == 8000
    await file.write(0, b"new")
    await file.truncate(4000)
    await file.close()
    assert cluster.read_striped(POOL, FILE) == b"new" + (b"old data" * 500)[3:]
    await helper.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(STORES), indirect=True)
@ensureDeferred
async def test_no_acknowledged_byte_is_lost_when_the_server_is_killed_while_writing(
    tmp_path: Path, kind: str
) -> None:
    with ceph_cluster(tmp_path / "ceph", "bluestore") as cluster:
        helper = object_helper(STORES[kind](place(cluster)), BLOCK_B if kind == "cephrados" else 0)
        file = await helper.open_write(FILE)
        expected, again = bytearray(), None
        for number in range(60):
            if number == 20:
                cluster.objects.kill()
            data = Random(number).randbytes(BLOCK_B // 2)
            while True:
                try:
                    await file.write(len(expected), data)
                    break
                except StorageUnavailable:
                    again = again or deferToThread(cluster.objects.start)
            expected += data
        assert again is not None
        await again
        assert await file.read(0, len(expected)) == expected
        await file.close()
        await helper.close()
