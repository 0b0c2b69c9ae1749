"""How fast a tree of files that is on a storage already appears in a space.

``python -m benchmarks.importing [FILES]``: FILES (100 000) empty files in folders of 100 are made below
``/var/tmp``, scanned for the first time, and again unchanged, over a Redis of its own.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.runtime.pool import BlockingPool
from tests.support.imported_sites import ImportedSite, ImportingNode

IN_FOLDER = 100
FOLDERS_IN_FOLDER = 100


def grow(folder: Path, files: int) -> None:
    """Make a tree of so many files."""
    for number in range(-(-files // IN_FOLDER)):
        inner = folder / f"{number // FOLDERS_IN_FOLDER:04d}" / f"{number % FOLDERS_IN_FOLDER:04d}"
        inner.mkdir(parents=True)
        for name in range(min(IN_FOLDER, files - number * IN_FOLDER)):
            os.close(os.open(inner / f"file-{name:06d}.dat", os.O_CREAT | os.O_WRONLY, 0o644))


async def scan(node: ImportingNode, what: str, files: int) -> None:
    """Scan once, and print how fast."""
    began = time.perf_counter()
    used = time.process_time()
    status = await node.scan()
    took_s = time.perf_counter() - began
    cpu_s = time.process_time() - used
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what}: {files / took_s:8.0f} files/s, {took_s:6.1f} s ({cpu_s:.1f} s of this process), "
        f"peak {peak_mib:.0f} MiB, {status.state.value} {status.reason} {status.counts}",
        flush=True,
    )


async def measure(folder: Path, files: int) -> None:
    """Make, scan, scan again."""
    server = EmbeddedRedis(reactor, str(folder / "redis"))
    server.startService()
    engine = RedisEngine(reactor, server.address, RedisConfig())
    engine.startService()
    await engine.wait_ready()
    pool = BlockingPool(cast(Any, reactor), 4)
    pool.startService()
    site = ImportedSite(engine, folder / "storage", cast(Any, reactor), pool, time.time)
    node = await site.node()
    grow(site.folder, files)
    time.sleep(2.1)
    node.start()
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{files} files; this process had {peak_mib:.0f} MiB", flush=True)
    await scan(node, "first scan", files)
    await scan(node, "unchanged ", files)
    await scan(node, "unchanged ", files)
    await node.stop()
    pool.stopService()
    await engine.stopService()
    await server.stopService()


async def measured(folder: Path, files: int) -> None:
    """Measure, and leave nothing behind."""
    try:
        await measure(folder, files)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(_reactor: object, *arguments: str) -> Deferred[None]:
    """Measure in a folder of its own."""
    files = int(arguments[0]) if arguments else 100_000
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    return Deferred.fromCoroutine(measured(folder, files))


if __name__ == "__main__":
    react(main, sys.argv[1:])
