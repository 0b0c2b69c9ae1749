"""What quotas and statistics cost.

``python -m benchmarks.usage [--files 20000] [--per-directory 100]``

Puts files of 1 KiB through the file service over the embedded Redis and a storage in memory, 16 at once:
without optional quotas, then charged to a quota of a user and one of a directory. Then switches statistics
on and reads the whole feed. Also compares small reads that are counted for metrics with reads that are not,
and walks the space as metrics do to sum up what each user holds, without pauses.
Prints rates and what each takes of the store's memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from statistics import median
from typing import Any

from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.task import react

from benchmarks.persistence import used_memory
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.engine import Scope, Seq
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.runtime.clock import sleep, system_wall_clock
from cluster_worker.tenure.tenure import Tenure
from onedata.ids import SpaceId, UserId
from op_worker.files.model import CreateOptions, Existing
from op_worker.files.service import FileService
from op_worker.files.stored.quotas import Quota
from op_worker.files.tallies import Tallies
from op_worker.metrics.usage_walk import WALK_PAGE, Turn, UsageWalk
from op_worker.statistics.service import make_statistics
from tests.support.spaces import OWNER, SPACE, Site, body, owner, path, read

SCOPE = Scope(SPACE)
UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)
IN_FLIGHT = 16
CONTENT = bytes(1024)


async def put(files: FileService, name: str) -> None:
    """Put one file."""
    await files.replace_content(owner, path(name), body(CONTENT), expected_b=len(CONTENT), create=UPDATE)


async def put_all(files: FileService, folder: str, count: int, per_directory: int) -> float:
    """Put files, so many in each directory; return how many in a second."""
    for number in range(0, count, per_directory):
        await put(files, f"{folder}/{number // per_directory:05}/first")
    turns = DeferredSemaphore(IN_FLIGHT)

    def one(number: int) -> Deferred[Any]:
        return Deferred.fromCoroutine(put(files, f"{folder}/{number // per_directory:05}/{number}"))

    began = time.perf_counter()
    await gatherResults([turns.run(one, number) for number in range(count)])
    return count / (time.perf_counter() - began)


class Silent(Tallies):
    """Counts nothing."""

    def seen(self, space_id: SpaceId, user_id: UserId) -> None:
        """Forget it."""

    def read(self, space_id: SpaceId, user_id: UserId | None, size_b: int) -> None:
        """Forget it."""


async def processor_s(files: FileService, tallies: Tallies, count: int) -> float:
    """Return the processor time of a small read, while its bytes are told to ``tallies``."""
    object.__setattr__(files.context.access, "tallies", tallies)
    began = time.process_time()
    for _ in range(count):
        await read(files, path("plain/00000/first"))
    return (time.process_time() - began) / count


async def print_cost_of_tallies(files: FileService) -> None:
    """Compare reads that are counted with reads that are not, the best of several turns of each."""
    counted, silent = Tallies(), Silent()
    turns = [
        (await processor_s(files, counted, 500), await processor_s(files, silent, 500)) for _ in range(9)
    ]
    with_s, without_s = min(turn[0] for turn in turns), min(turn[1] for turn in turns)
    print(f"small read, counted for metrics {with_s * 1e6:7.1f} µs of processor", flush=True)
    print(
        f"small read, not counted         {without_s * 1e6:7.1f} µs, ratio {with_s / without_s:.3f}",
        flush=True,
    )


async def print_cost_of_walk(engine: RedisEngine) -> None:
    """Tell what a page of a walk over the space takes."""
    fence = await Tenure("metrics:benchmark", "n", 1, engine).fence(SCOPE)
    walk = UsageWalk(engine, fence, Turn(), system_wall_clock)
    walls_s, processors_s = [], []
    is_walking = True
    while is_walking:
        began = time.perf_counter(), time.process_time()
        is_walking = await walk.step()
        walls_s.append(time.perf_counter() - began[0])
        processors_s.append(time.process_time() - began[1])
    print(
        f"page of a walk over {WALK_PAGE} files  {median(walls_s) * 1e3:7.1f} ms,"
        f" {median(processors_s) * 1e3:.1f} ms of processor, {len(walls_s)} pages",
        flush=True,
    )


async def measure(reactor: Any, options: argparse.Namespace, engine: RedisEngine) -> None:
    """Print every figure."""
    site = Site(engine=engine, clock=reactor)
    files = await site.process()
    statistics = make_statistics(
        engine,
        files,
        files._context.storages,
        clock=reactor,
        wall_clock=system_wall_clock,
    )
    rate = await put_all(files, "plain", options.files, options.per_directory)
    print(f"PUT without optional quotas    {rate:8.0f} a second", flush=True)
    await print_cost_of_tallies(files)
    await print_cost_of_walk(engine)
    await files.create_directory(owner, path("charged"), CreateOptions())
    await files.quotas.set_directory_quota(owner, path("charged"), Quota(size_b=1 << 40))
    await files.quotas.set_user_quota(owner, SPACE, OWNER, Quota(size_b=1 << 40))
    rate = await put_all(files, "charged", options.files, options.per_directory)
    print(f"PUT charged to two quotas      {rate:8.0f} a second", flush=True)
    changes = len(await engine.changes(SCOPE, Seq(0), 1 << 30))
    before_b = await used_memory(engine)
    await files.space_settings.change_settings(owner, SPACE, statistics=True)
    began = time.perf_counter()
    statistics.startService()
    while statistics.reader.feed.reached.get(SCOPE, 0) < await engine.last_seq(SCOPE):
        await sleep(reactor, 0.01)
    took_s = time.perf_counter() - began
    grown_b = await used_memory(engine) - before_b
    print(f"statistics                     {changes / took_s:8.0f} changes a second", flush=True)
    print(f"statistics                     {grown_b / changes:8.0f} bytes a file", flush=True)
    await statistics.stopService()
    await files.stopService()


async def main(reactor: Any, options: argparse.Namespace) -> None:
    """Start a server of its own, measure, stop it."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedRedis(reactor, folder)
        server.startService()
        engine = RedisEngine(reactor, server.address, RedisConfig())
        engine.startService()
        await engine.wait_ready()
        await measure(reactor, options, engine)
        await engine.stopService()
        await server.stopService()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.usage")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--per-directory", type=int, default=100)
    chosen = parser.parse_args(sys.argv[1:])
    react(lambda reactor: Deferred.fromCoroutine(main(reactor, chosen)))
