"""Storages on NFS, GlusterFS and XRootD: helpers against the storages' own clients, in the same run.

    python -m benchmarks.storages.native [nfs] [glusterfs] [xrootd]

Prints, for 512 MiB in pieces of 4 MiB and for 1000 files of 64 KiB, seconds by each and the ratio of their
speeds. The clients are ``nfs-cp``, the system's mount of the volume, and ``xrdcp``; programs are started anew
for each small file, which is most of what they take.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.task import react

from op_worker.storage.helper import StorageHelper, StoragePath
from tests.conformance.storage.enrolled import glusterfs, nfs, xrootd
from tests.support.storages.ganesha import ganesha
from tests.support.storages.xrootd import xrootd as xrootd_server

LARGE_B, PIECE_B = 512 << 20, 4 << 20
SMALL_B, SMALL_FILES = 64 << 10, 1000
AT_ONCE = 8
LARGE = StoragePath("large")


@frozen
class Case:
    """A storage: a place with a helper, and its client, which copies between local files and the place."""

    helper: StorageHelper
    put: Callable[[Path, str], object]
    get: Callable[[str, Path], object]


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextmanager
def on_nfs(folder: Path) -> Iterator[Case]:
    with ganesha(folder) as server:
        helper = nfs.make(server, "place")

        def url(name: str) -> str:
            return server.url(server.export / "place" / name)

        def get(name: str, target: Path) -> None:
            target.unlink(missing_ok=True)  # the program does not replace a file
            run("nfs-cp", url(name), str(target))

        yield Case(
            helper,
            lambda source, name: run("nfs-cp", str(source), url(name)),
            get,
        )


@contextmanager
def on_glusterfs(folder: Path) -> Iterator[Case]:
    with glusterfs.mounted_volume(folder) as volume:
        place = volume.mount / "place"
        helper = glusterfs.make(volume, "place")
        yield Case(
            helper,
            lambda source, name: copyfile(source, place / name),
            lambda name, target: copyfile(place / name, target),
        )


@contextmanager
def on_xrootd(folder: Path) -> Iterator[Case]:
    with xrootd_server(folder) as server:
        helper = xrootd.make(server, "place")

        def url(name: str) -> str:
            return f"{server.url}/place/{name}"

        yield Case(
            helper,
            lambda source, name: run("xrdcp", "--silent", "--force", str(source), url(name)),
            lambda name, target: run("xrdcp", "--silent", "--force", url(name), str(target)),
        )


CASES = {"nfs": on_nfs, "glusterfs": on_glusterfs, "xrootd": on_xrootd}


async def put(helper: StorageHelper, path: StoragePath, data: bytes) -> None:
    file = await helper.open_write(path)
    for offset_b in range(0, len(data), PIECE_B):
        await file.write(offset_b, data[offset_b : offset_b + PIECE_B])
    await file.close()


async def get(helper: StorageHelper, path: StoragePath) -> int:
    file, size_b = await helper.open_read(path), 0
    while piece := await file.read(size_b, PIECE_B):
        size_b += len(piece)
    await file.close()
    return size_b


async def all_of(work: Callable[[StoragePath], Coroutine[Any, Any, object]]) -> None:
    """Do something with every small file, several at once."""
    turns = DeferredSemaphore(AT_ONCE)

    async def one(path: StoragePath) -> None:
        await turns.run(lambda: Deferred.fromCoroutine(work(path)))

    await gatherResults(
        [Deferred.fromCoroutine(one(StoragePath(f"small{number}"))) for number in range(SMALL_FILES)]
    )


async def seconds(work: Coroutine[Any, Any, object]) -> float:
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def tell(name: str, what: str, ours_s: float, theirs_s: float) -> None:
    print(
        f"{name:10} {what:16} {ours_s:8.2f} s {theirs_s:8.2f} s by its client  ratio {theirs_s / ours_s:.2f}",
        flush=True,
    )


async def measure(name: str, case: Case, folder: Path) -> None:
    data, small, back = os.urandom(LARGE_B), os.urandom(SMALL_B), folder / "back"
    (folder / "large").write_bytes(data)
    (folder / "small").write_bytes(small)
    ours_s = await seconds(put(case.helper, LARGE, data))
    tell(name, "PUT 512 MiB", ours_s, seconds_of(lambda: case.put(folder / "large", "theirs")))
    ours_s = await seconds(get(case.helper, LARGE))
    tell(name, "GET 512 MiB", ours_s, seconds_of(lambda: case.get("theirs", back)))
    ours_s = await seconds(all_of(lambda path: put(case.helper, path, small)))
    theirs_s = seconds_of(
        lambda: [case.put(folder / "small", f"other{number}") for number in range(SMALL_FILES)]
    )
    tell(name, "PUT 1000x64 KiB", ours_s, theirs_s)
    ours_s = await seconds(all_of(lambda path: get(case.helper, path)))
    theirs_s = seconds_of(lambda: [case.get(f"other{number}", back) for number in range(SMALL_FILES)])
    tell(name, "GET 1000x64 KiB", ours_s, theirs_s)


async def main(_reactor: object, *names: str) -> None:
    for name in names or tuple(CASES):
        with tempfile.TemporaryDirectory() as folder:
            served, local = Path(folder) / "served", Path(folder) / "local"
            served.mkdir()
            local.mkdir()
            with CASES[name](served) as case:
                await measure(name, case, local)


if __name__ == "__main__":
    react(lambda reactor, *names: Deferred.fromCoroutine(main(reactor, *names)), sys.argv[1:])
