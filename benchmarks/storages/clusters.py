"""Storages on Ceph and Swift: helpers against the clusters' own Python clients, in the same run.

    python -m benchmarks.storages.clusters [cephrados] [ceph] [swift]

Prints, for 512 MiB in pieces of 40 MiB and for 1000 files of 64 KiB, eight at a time and in the way that the
provider takes for small files, seconds by each and the ratio of their speeds. The clients are Ceph's module
``rados``, which writes and reads one block after another (for ``ceph``, which has no module, the command
``rados --striper`` for the large file alone), and ``swiftclient``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from benchmarks.storages.native import (
    LARGE,
    LARGE_B,
    SMALL_B,
    SMALL_FILES,
    all_of,
    seconds,
    seconds_of,
    tell,
)
from op_worker.storage.helpers.ceph.helper import CEPH
from op_worker.storage.helpers.cephrados.helper import CEPHRADOS
from tests.conformance.storage.enrolled import swift
from tests.conformance.storage.enrolled.cephrados import arguments, credentials
from tests.support.storages.ceph import POOL, CephCluster, ceph_cluster
from tests.support.storages.making import made_helper
from tests.support.storages.swift import swift_servers

Work = Callable[[], object]
RADOS_BLOCK_B, SWIFT_BLOCK_B = 4 << 20, 10 << 20
PIECE_B = 40 << 20
"""What the buffer of the provider writes and reads at once."""


@frozen
class Case:
    """A helper, and what the cluster's own client does in its place."""

    helper: Any
    put_large: Work
    get_large: Work
    put_small: Work | None
    get_small: Work | None


def in_objects(cluster: CephCluster, pool: Any, data: bytes, small: bytes) -> Case:
    """Return the case of blocks of the usual size."""
    pieces = {
        f"theirs/{offset_b:012}": data[offset_b : offset_b + RADOS_BLOCK_B]
        for offset_b in range(0, LARGE_B, RADOS_BLOCK_B)
    }
    names = [f"other{number}" for number in range(SMALL_FILES)]
    return Case(
        made_helper(CEPHRADOS, arguments(cluster), credentials(cluster)),
        lambda: [pool.write_full(name, piece) for name, piece in pieces.items()],
        lambda: [pool.read(name, RADOS_BLOCK_B) for name in pieces],
        lambda: [pool.write_full(name, small) for name in names],
        lambda: [pool.read(name, SMALL_B) for name in names],
    )


@contextmanager
def on_cephrados(folder: Path, data: bytes, small: bytes) -> Iterator[Case]:
    with ceph_cluster(folder) as cluster, cluster.client().open_ioctx(POOL) as pool:
        yield in_objects(cluster, pool, data, small)


@contextmanager
def on_ceph(folder: Path, data: bytes, small: bytes) -> Iterator[Case]:
    with ceph_cluster(folder / "cluster") as cluster:
        source, back = folder / "source", folder / "back"
        source.write_bytes(data)
        striper = partial(cluster.run, "rados", "--pool", POOL, "--striper")
        yield Case(
            made_helper(CEPH, arguments(cluster), credentials(cluster)),
            lambda: striper("put", "theirs", str(source)),
            lambda: striper("get", "theirs", str(back)),
            None,
            None,
        )


@contextmanager
def on_swift(folder: Path, data: bytes, small: bytes) -> Iterator[Case]:
    with swift_servers(folder) as servers:
        client = swift.client(servers)
        client.put_container("ours")
        client.put_container("theirs")
        names = [f"other{number}" for number in range(SMALL_FILES)]
        yield Case(
            swift.helper_at(servers.auth_url, "ours", SWIFT_BLOCK_B),
            lambda: client.put_object("theirs", "large", data),
            lambda: client.get_object("theirs", "large"),
            lambda: [client.put_object("theirs", name, small) for name in names],
            lambda: [client.get_object("theirs", name) for name in names],
        )


CASES = {"cephrados": on_cephrados, "ceph": on_ceph, "swift": on_swift}


async def put(case: Case, data: bytes) -> None:
    file = await case.helper.open_write(LARGE)
    for offset_b in range(0, len(data), PIECE_B):
        await file.write(offset_b, data[offset_b : offset_b + PIECE_B])
    await file.close()


async def get(case: Case) -> None:
    file = await case.helper.open_read(LARGE)
    for offset_b in range(0, LARGE_B, PIECE_B):
        await file.read(offset_b, min(PIECE_B, LARGE_B - offset_b))
    await file.close()


async def measure(name: str, case: Case, data: bytes, small: bytes) -> None:
    tell(name, "PUT 512 MiB", await seconds(put(case, data)), seconds_of(case.put_large))
    tell(name, "GET 512 MiB", await seconds(get(case)), seconds_of(case.get_large))
    if case.put_small is None or case.get_small is None:
        return
    ours_s = await seconds(all_of(lambda path: case.helper.write_whole(path, small)))
    tell(name, "PUT 1000x64 KiB", ours_s, seconds_of(case.put_small))
    ours_s = await seconds(all_of(lambda path: case.helper.open_with_first(path, SMALL_B)))
    tell(name, "GET 1000x64 KiB", ours_s, seconds_of(case.get_small))


async def main(_reactor: object, *names: str) -> None:
    data, small = os.urandom(LARGE_B), os.urandom(SMALL_B)
    for name in names or tuple(CASES):
        with tempfile.TemporaryDirectory() as folder, CASES[name](Path(folder), data, small) as case:
            await measure(name, case, data, small)
            await case.helper.close()


if __name__ == "__main__":
    react(lambda reactor, *names: Deferred.fromCoroutine(main(reactor, *names)), sys.argv[1:])
