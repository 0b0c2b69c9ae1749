"""How latency and memory grow with the number of files: 10^3 to 10^6, in one directory and spread.

    python -m benchmarks.scale [--files 100000] [--layout directory|spread|both]

The metadata are in a real Redis server; the storage keeps nothing, and the same process is the client, so
that latencies are those of the namespace without HTTP and disks. A space is filled with copies of what one
PUT of 1 KiB left there: the same documents, with size, generation and SHA-256, the same entry, the same place
in the change feed, each with a name and ids of its own, a hundred files in a commit. At each size the memory
that the server uses is compared with what it used when it was empty, and each latency is the tenth percentile
of many calls: what a call takes when nothing else disturbs it. 10^6 files of both layouts take some minutes.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react

from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.engine import Add, Batch, Key, Link, Put, Scope, Step
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.daemon import tune_collector
from cluster_worker.runtime.pool import Inline
from op_worker.files.model import CreateOptions, Existing, Target
from op_worker.files.service import FileService
from op_worker.files.stored.charges import used_counter
from op_worker.files.stored.documents import LOCATION, META, PARENT, EntryValue, Location, encode_parent
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.meta import Meta
from op_worker.storage.helpers.nulldevice.helper import NullHelper
from tests.support.spaces import SPACE, Site, alice, at, body

SCOPE = Scope(SPACE)
BODY = b"x" * 1024
NEW = CreateOptions()
PER_DIRECTORY = 1000
PAGE = 1000
SMALLEST = 1000
BATCH = 100
IN_FLIGHT = 4
CALLS = 40
CREATES = 500


@frozen
class Layout:
    """Where the n-th file is."""

    name: str
    per_directory: int

    def directory(self, number: int) -> Target:
        return at(f"dir-{number // self.per_directory:05}")

    def file(self, number: int) -> Target:
        return at(f"dir-{number // self.per_directory:05}", f"file-{number * 7919 % 10_000_019:08}.dat")


LAYOUTS = {"directory": Layout("one directory", 10**9), "spread": Layout("1000 a directory", PER_DIRECTORY)}


@frozen
class Figures:
    """What was measured at one size: bytes for each file, latencies in milliseconds."""

    files: int
    bytes_per_file: float
    latencies: dict[str, float]


@frozen
class Model:
    """The documents of a file that was put."""

    documents: Mapping[str, bytes]

    def copies(self, directory: Key, names: Sequence[str], source: random.Random) -> Batch:
        """Return the batch that makes files like this one in a directory."""
        meta = Meta.decode(self.documents[META])
        location = Location.decode(self.documents[LOCATION])
        steps: list[Step] = [Add(used_counter(location.storage_id), location.held_b * len(names))]
        keys = []
        for name in names:
            key = Key(source.randbytes(16).hex())
            own = evolve(location, generation=source.randbytes(8), sha256=source.randbytes(32))
            changed = {
                META: evolve(meta, name=name).encode(),
                LOCATION: own.encode(),
                PARENT: encode_parent(directory),
            }
            documents = {**self.documents, **changed}
            steps += [Put(key, field, data, expect=0) for field, data in documents.items()]
            steps.append(Link(directory, name.encode(), EntryValue(key, meta.type).encode()))
            keys.append(key)
        return Batch(steps, [*keys, directory])


class Scale:
    """Fills an empty space and measures it at every power of ten."""

    def __init__(self, clock: Any, files: FileService, engine: RedisEngine, layout: Layout) -> None:
        self._clock, self._files, self._engine, self._layout = clock, files, engine, layout
        self._random = random.Random(0)
        self._model: Model | None = None
        self._count = 0

    async def run(self, most: int) -> Sequence[Figures]:
        """Return the figures of each size up to ``most`` files."""
        found: list[Figures] = []
        empty_b = await self._used_b()
        size = SMALLEST
        while size <= most:
            began, first = time.perf_counter(), self._count
            await self.fill(size)
            rate = (size - first) / (time.perf_counter() - began)
            await self._settled()
            per_file_b = (await self._used_b() - empty_b) / size
            print(f"{self._layout.name}: {size} files, filled with {rate:.0f} a second", flush=True)
            found.append(Figures(size, per_file_b, await self._measure()))
            size *= 10
        return found

    async def fill(self, count: int) -> None:
        """Copy the file until there are ``count``."""
        model = self._model = self._model or await self._put_one()
        firsts = iter(range(self._count, count, BATCH))

        async def worker() -> None:
            for first in firsts:
                directory = await self._directory(first)
                numbers = range(first, min(first + BATCH, count))
                names = [self._layout.file(number).names[-1] for number in numbers]
                await self._engine.commit(SCOPE, model.copies(directory, names, self._random))

        await gatherResults([Deferred.fromCoroutine(worker()) for _ in range(IN_FLIGHT)])
        self._count = count

    async def _put_one(self) -> Model:
        target = at("model")
        stat, _ = await self._files.replace_content(
            alice, target, body(BODY), expected_b=len(BODY), create=NEW
        )
        await self._settled()
        documents = await self._engine.get_all(SCOPE, Key(stat.guid.uuid))
        return Model({field: document.data for field, document in documents.items()})

    async def _directory(self, number: int) -> Key:
        """Return the directory of the n-th file, which is made when it is the first one there."""
        update = CreateOptions(existing=Existing.UPDATE)
        stat = await self._files.create_directory(alice, self._layout.directory(number), update)
        return Key(stat.guid.uuid)

    async def _settled(self) -> None:
        """Wait until no storage operation is pending."""
        while await self._engine.get_all(SCOPE, INTENTS):
            await sleep(self._clock, 0.05)

    async def _used_b(self) -> int:
        info = await self._engine.server_info(b"memory")
        return int(info.partition(b"used_memory:")[2].split()[0])

    async def _measure(self) -> dict[str, float]:
        """Return the latency of each call."""
        files, some = self._files, self._layout.directory(self._random.randrange(self._count))
        inside = await files.count_children(alice, some)
        calls: dict[str, Callable[[int], Awaitable[object]]] = {
            "stat": lambda _: files.stat(alice, self._layout.file(self._random.randrange(self._count))),
            "count": lambda _: files.count_children(alice, some),
        }
        for what, first in (("first", 0), ("middle", inside // 2 - PAGE // 2), ("last", inside - PAGE)):
            (child,) = await files.children_slice(alice, some, first, first)
            calls[f"{what} page"] = lambda _, name=child.name: files.list_children(  # type: ignore[misc]
                alice, some, limit=PAGE, index=name
            )
        middle = (inside - PAGE) // 2
        calls["page by place"] = lambda _: files.children_slice(alice, some, middle, middle + PAGE - 1)
        halfway = "/".join(self._layout.file(self._count // 2 - PAGE).names)
        calls["recursive page"] = lambda _: files.list_recursive(
            alice, at(), limit=PAGE // 2, start_after=halfway
        )
        found = {what: await _undisturbed_ms(call, CALLS) for what, call in calls.items()}
        found["create"] = await _undisturbed_ms(lambda number: self._create(number), CREATES)
        return found

    async def _create(self, number: int) -> None:
        """Put one more file into the directory that is filled now, and count on from it."""
        directory = self._layout.directory(self._count - 1)
        target = at(*directory.names, f"more-{self._count}-{number}")
        await self._files.replace_content(alice, target, body(BODY), expected_b=len(BODY), create=NEW)


async def _undisturbed_ms(call: Callable[[int], Awaitable[object]], times: int) -> float:
    taken = []
    for number in range(times):
        began = time.perf_counter()
        await call(number)
        taken.append(time.perf_counter() - began)
    return statistics.quantiles(taken, n=10)[0] * 1000


def show(layout: Layout, found: Sequence[Figures]) -> None:
    """Print a table: a line for each figure, a column for each size, and the largest to the smallest."""
    print(f"\n{layout.name:20}" + "".join(f"{figures.files:>12}" for figures in found) + "     ratio")
    print(f"{'bytes a file':20}" + "".join(f"{figures.bytes_per_file:12.0f}" for figures in found))
    for what in found[0].latencies:
        times = [figures.latencies[what] for figures in found]
        cells = "".join(f"{one:9.2f} ms" for one in times)
        print(f"{what:20}{cells}{times[-1] / times[0]:10.2f}", flush=True)


async def measured(reactor: Any, layout: Layout, most: int) -> Sequence[Figures]:
    """Start an empty server and measure a layout in it."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedRedis(reactor, folder)
        server.startService()
        engine = RedisEngine(reactor, server.address, RedisConfig())
        engine.startService()
        await engine.wait_ready()
        site = Site(engine, NullHelper(), reactor, Inline(), size_b=1 << 50)
        files = await site.process()
        await files.list_children(alice, at(), limit=1)  # the space is set up
        found = await Scale(reactor, files, engine, layout).run(most)
        await files.stopService()
        await engine.stopService()
        await server.stopService()
        return found


async def run(reactor: Any, options: argparse.Namespace) -> None:
    """Measure the layouts asked for."""
    tune_collector()
    names = LAYOUTS if options.layout == "both" else (options.layout,)
    tables = [(LAYOUTS[name], await measured(reactor, LAYOUTS[name], options.files)) for name in names]
    for layout, found in tables:
        show(layout, found)


def main(reactor: Any, *arguments: str) -> Deferred[None]:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("--files", type=int, default=100_000, help="the largest size, a power of ten")
    parser.add_argument("--layout", choices=("both", *LAYOUTS), default="both")
    return Deferred.fromCoroutine(run(reactor, parser.parse_args(arguments)))


if __name__ == "__main__":
    react(main, sys.argv[1:])
