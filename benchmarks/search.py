"""How fast the search index takes files in, and how fast it answers, over an embedded Redis.

Prints files per second, bytes of the index per file, and milliseconds of typical queries.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.engine import Batch, Engine, Key, Put, Scope, Step
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.runtime.pool import BlockingPool
from op_worker.files.model import FileType
from op_worker.files.settings import Settings
from op_worker.files.stored.documents import (
    JSON,
    LOCATION,
    META,
    PARENT,
    TIMES,
    XATTRS,
    Location,
    Times,
    encode_json,
)
from op_worker.files.stored.meta import Meta
from op_worker.search.compiling import Order, statement
from op_worker.search.grammar import parse_query
from op_worker.search.index import Index
from op_worker.search.indexing import Indexing

FILES = int(os.environ.get("BENCH_SEARCH_FILES", "100000"))
DIRECTORIES = 1000
SPACE = Scope("5" * 32)
ROOT = f"space_{SPACE}"
QUERIES = (
    'name = "f50000.tif"',
    'xattr.project = "p7" and size > 1K',
    "json.run.number >= 990 and json.run.number < 995",
    'name ~ "*99.tif" and mtime > 2020-01-01',
    'path ~ "/d77/*"',
    'path ~ "*/f1234?.tif"',
    'not has(json) and xattr.project != "p1"',
)


def documents(number: int) -> list[Step]:
    """A file as the namespace stores it; one of ten has custom metadata."""
    key, is_rich = Key(f"{number:032x}"), number % 10 == 0
    meta = Meta(f"f{number}.tif", FileType.REG, 0o664, "1" * 32, "b" * 32, 1_600_000_000, None, is_rich)
    steps: list[Step] = [
        Put(key, META, meta.encode()),
        Put(key, TIMES, Times.at(1_600_000_000 + number).encode()),
        Put(key, PARENT, f"d{number % DIRECTORIES}".encode()),
        Put(key, LOCATION, Location("a" * 32, number % 5000).encode()),
    ]
    if is_rich:
        steps.append(Put(key, XATTRS, encode_json({"project": f"p{number // 10 % 100}", "n": number})))
        steps.append(
            Put(key, JSON, encode_json({"run": {"number": number // 10 % 1000}, "tags": ["a", "b"]}))
        )
    return steps


async def fill(engine: Engine) -> None:
    """Write the documents of all files, announced as the namespace does."""
    for number in range(DIRECTORIES):
        meta = Meta(f"d{number}", FileType.DIR, 0o775, "1" * 32, "b" * 32, 1_600_000_000)
        key = Key(f"d{number}")
        parts: list[Step] = [Put(key, META, meta.encode()), Put(key, PARENT, ROOT.encode())]
        await engine.commit(SPACE, Batch(parts, announce=[key]))
    for start in range(0, FILES, 200):
        numbers = range(start, min(FILES, start + 200))
        steps = [step for number in numbers for step in documents(number)]
        await engine.commit(SPACE, Batch(steps, announce=[Key(f"{number:032x}") for number in numbers]))


async def take_in(indexing: Indexing, engine: Engine) -> float:
    """Index everything as a feed reader does; return seconds."""
    begin_s = time.perf_counter()
    while True:
        position = await indexing.position(SPACE)
        assert position is not None
        changes = await engine.changes(SPACE, position, 500)
        if not changes:
            return time.perf_counter() - begin_s
        await indexing.consume(SPACE, changes)


def ask(index: Index) -> None:
    """Print how long typical queries take for their first 100 results."""
    for text in QUERIES:
        made = statement(parse_query(text), ROOT, Order.NAME, None, 100, descending=False)
        times = []
        for _ in range(5):
            begin_s = time.perf_counter()
            found = index.select(made, 10.0)
            times.append(time.perf_counter() - begin_s)
        print(f"{min(times) * 1000:8.2f} ms  {len(found):4} results  {text}")


async def main(reactor: Any) -> None:
    """Run everything in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedRedis(reactor, folder)
        server.startService()
        engine = RedisEngine(reactor, server.address, RedisConfig())
        engine.startService()
        await engine.wait_ready()
        thread = BlockingPool(reactor, 1)
        thread.startService()
        settings = Settings(engine, reactor)
        await settings.change(SPACE, search=True)  # type: ignore[arg-type]  # a scope is a space's id
        await fill(engine)
        indexing = Indexing(engine, settings, Path(folder) / "search", thread, reactor)
        took_s = await take_in(indexing, engine)
        index = await indexing.index(SPACE)
        size_b = sum(file.stat().st_size for file in (Path(folder) / "search").iterdir())
        print(f"{FILES} files: {FILES / took_s:.0f} files/s, {size_b / FILES:.0f} bytes of index a file")
        ask(index)
        await indexing.close()
        thread.stopService()
        await engine.stopService()
        await server.stopService()


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(global_reactor)))
