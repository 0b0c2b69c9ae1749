"""Rates of the persistence engines, and the bytes of Redis memory per file.

``python -m benchmarks.persistence [--files 20000] [--seconds 2] [--in-flight 16] [--engine ENGINE]``

A file is three documents of 60 to 120 bytes, one directory entry and one member of the change feed. Every
figure is measured through the engine's own interface, with so many calls in flight; ``txredisapi`` is the
same resolve script through an unmodified txredisapi connection, for comparison. ``--engine replicas``
is a primary with one replica, which acknowledges commits or does not.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgpack
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.task import deferLater, react
from txredisapi import RedisFactory

from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis, TcpListen
from cluster_worker.persistence.engine import Batch, Engine, Key, Link, Put, Scope
from cluster_worker.persistence.layout import pack, scope_prefix
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.persistence.scripts import RESOLVE

SCOPE = Scope("8f14e45fceea167a5a36dedd4bea2543")
ROOT = Key("c4ca4238a0b923820dcc509a6f75849b")
PROVIDER = "a87ff679a2f3e71d9181a67b7542122c"
FIELDS = ("meta", "times", "loc")


def file_key(number: int) -> Key:
    """Return the key of the n-th file."""
    return Key(f"{number * 0x9E3779B97F4A7C15 % 2**128:032x}")


def documents(number: int, parent: Key) -> dict[str, bytes]:
    """Return the three documents of a file, 60 to 120 bytes each."""
    record = {
        "v": 1,
        "p": parent,
        "n": f"file-{number:08d}.dat",
        "t": 0,
        "m": 0o644,
        "o": file_key(number + 7)[:16],
    }
    times = {"v": 1, "a": 1.7e9 + number, "m": 1.7e9 + number, "c": 1.7e9 + number, "b": 1.7e9, "s": number}
    place = {"v": 1, "s": PROVIDER, "p": f"/{number:08d}", "b": [[0, 1024]], "z": 1024, "k": 1}
    return {
        name: msgpack.packb(value) + b"." * 20
        for name, value in zip(FIELDS, (record, times, place), strict=True)
    }


def creation(number: int, directory: Key) -> Batch:
    """Return the batch that creates the n-th file."""
    key = file_key(number)
    puts = [Put(key, name, data, expect=0) for name, data in documents(number, directory).items()]
    value = f"{key}/{PROVIDER[:8]}/f".encode()
    return Batch([*puts, Link(directory, b"file-%08d.dat" % number, value)], [key])


class Load:
    """Runs calls with so many in flight for so many seconds."""

    def __init__(self, seconds: float, in_flight: int) -> None:
        self._seconds, self._in_flight = seconds, in_flight

    async def rate(self, call: Callable[[int], Awaitable[object]]) -> tuple[float, float]:
        """Return calls per second, and microseconds of our CPU for each."""
        numbers = iter(range(sys.maxsize))
        done = 0
        cpu_s, began_s = time.process_time(), time.perf_counter()

        async def worker() -> None:
            nonlocal done
            while time.perf_counter() - began_s < self._seconds:
                await call(next(numbers))
                done += 1

        await gatherResults([Deferred.fromCoroutine(worker()) for _ in range(self._in_flight)])
        took_s = time.perf_counter() - began_s
        return done / took_s, (time.process_time() - cpu_s) / done * 1e6

    async def each(self, total: int, call: Callable[[int], Awaitable[object]]) -> float:
        """Make ``total`` calls; return how many per second."""
        numbers = iter(range(total))
        began_s = time.perf_counter()

        async def worker() -> None:
            for number in numbers:
                await call(number)

        await gatherResults([Deferred.fromCoroutine(worker()) for _ in range(self._in_flight)])
        return total / (time.perf_counter() - began_s)


async def measure(name: str, engine: Engine, files: int, load: Load) -> None:
    """Fill an engine and print its rates."""
    upper, lower = file_key(10**9), file_key(10**9 + 1)
    for parent, child, entry in ((ROOT, upper, b"upper"), (upper, lower, b"lower")):
        puts = [Put(child, field, data) for field, data in documents(1, parent).items()]
        puts.append(Put(child, "up", parent.encode()))
        await engine.commit(SCOPE, Batch([*puts, Link(parent, entry, child.encode() + b"/d")], [child]))
    created = await load.each(files, lambda n: engine.commit(SCOPE, creation(n, lower)))
    print(f"{name:10} create a file (commit of 4 steps)    {created:9.0f} /s")
    path = (b"upper", b"lower")

    async def show(what: str, call: Callable[[int], Awaitable[object]]) -> None:
        rate, cpu_us = await load.rate(call)
        print(f"{name:10} {what:37}{rate:9.0f} /s {cpu_us:7.1f} us CPU each")

    def name_of(n: int) -> bytes:
        return b"file-%08d.dat" % (n * 7919 % files)

    await show(
        "resolve 3 deep, 1 field", lambda n: engine.resolve(SCOPE, ROOT, (*path, name_of(n)), ("meta",))
    )
    await show("resolve 3 deep, 3 fields", lambda n: engine.resolve(SCOPE, ROOT, (*path, name_of(n)), FIELDS))
    await show(
        "put one document",
        lambda n: engine.commit(SCOPE, Batch([Put(file_key(n % files), "meta", b"x" * 80)])),
    )
    await show("get one document", lambda n: engine.get(SCOPE, file_key(n % files), ("meta",)))
    await show("page of 100 with 1 field", lambda n: engine.page(SCOPE, lower, name_of(n), 100, ("meta",)))
    await show("ancestors 3 up", lambda n: engine.ancestors(SCOPE, lower, "up", ("meta",)))


async def used_memory(socket_engine: RedisEngine) -> int:
    """Return what the server says it uses, in bytes."""
    info: bytes = await socket_engine.server_info(b"memory")
    return int(info.partition(b"used_memory:")[2].split()[0])


async def measure_plain_txredisapi(reactor: Any, path: str, load: Load, files: int) -> None:
    """Print the rate of our resolve script through txredisapi as it comes."""
    factory = RedisFactory("bench", None, 1, isLazy=True, charset=None, convertNumbers=False)
    factory.startConnecting(UNIXClientEndpoint(reactor, path))
    handler = factory.handler
    prefix = scope_prefix(SCOPE)

    async def call(n: int) -> None:
        names = (b"upper", b"lower", b"file-%08d.dat" % (n * 7919 % files))
        msgpack.unpackb(
            await handler.evalsha(RESOLVE.digest, [prefix], [pack((ROOT, ("meta",), names, ()))]), raw=True
        )

    rate, cpu_us = await load.rate(call)
    print(
        f"{'txredisapi':10} {'the same resolve, left undecoded':37}{rate:9.0f} /s {cpu_us:7.1f} us CPU each"
    )
    await factory.disconnect()


async def measure_acknowledgement(reactor: Any, options: argparse.Namespace) -> None:
    """Print what commits and reads cost while a replica follows, and while it acknowledges them."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = TcpListen("127.0.0.1", probe.getsockname()[1])
        probe.close()
        primary = EmbeddedRedis(reactor, os.path.join(folder, "primary"), listen=listen)
        replica = EmbeddedRedis(reactor, os.path.join(folder, "replica"))
        for server in (primary, replica):
            server.startService()
        await follow(reactor, replica, listen)
        for replicas in (0, 1):
            config = RedisConfig(url="redis://here", replicas_acknowledge=replicas, patience_s=10)
            engine = RedisEngine(reactor, primary.address, config)
            engine.startService()
            await engine.wait_ready()
            for many in (1, options.in_flight):
                await measure_commits(engine, f"{replicas} acknowledge", Load(options.seconds, many), many)
            await engine.stopService()
        for server in (replica, primary):
            await server.stopService()


async def follow(reactor: Any, replica: EmbeddedRedis, primary: TcpListen) -> None:
    """Make a server follow another one, and return when it does."""
    follower = RedisEngine(reactor, replica.address, RedisConfig(patience_s=10))
    follower.startService()
    await follower.wait_ready()
    host, port = primary.host.encode(), b"%d" % primary.port
    await follower._command(b"REPLICAOF", host, port)
    while b"master_link_status:up" not in await follower.server_info(b"replication"):
        await deferLater(reactor, 0.05, lambda: None)
    await follower.stopService()


async def measure_commits(engine: Engine, name: str, load: Load, in_flight: int) -> None:
    """Print the rates of commits, of reads beside them, and of looks at the feed."""
    figures: list[tuple[str, Callable[[int], Awaitable[object]]]] = [
        (
            "put one document",
            lambda n: engine.commit(SCOPE, Batch([Put(file_key(n % 999), "meta", b"x" * 80)])),
        ),
        ("get one document", lambda n: engine.get(SCOPE, file_key(n % 999), ("meta",))),
        ("look at the feed", lambda n: engine.last_seq(SCOPE)),
        ("renew a lease", lambda n: engine.acquire(f"lease-{n % 9}", "one", 9.0)),
    ]
    for what, call in figures:
        rate, cpu_us = await load.rate(call)
        print(f"{name:14} {what:20} {in_flight:3} in flight {rate:9.0f} /s {cpu_us:7.1f} us CPU each")


async def run(reactor: Any, options: argparse.Namespace) -> None:
    """Measure the engines asked for."""
    load = Load(options.seconds, options.in_flight)
    if options.engine in ("memory", "both"):
        await measure("memory", MemoryEngine(), options.files, load)
    if options.engine == "replicas":
        await measure_acknowledgement(reactor, options)
    if options.engine not in ("redis", "both"):
        return
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedRedis(reactor, folder)
        server.startService()
        engine = RedisEngine(reactor, server.address, RedisConfig())
        engine.startService()
        await engine.wait_ready()
        before_b = await used_memory(engine)
        await measure("redis", engine, options.files, load)
        per_file_b = (await used_memory(engine) - before_b) / options.files
        print(f"{'redis':10} memory per file                      {per_file_b:9.0f} bytes")
        await measure_plain_txredisapi(reactor, os.path.join(folder, "redis.sock"), load, options.files)
        await engine.stopService()
        await server.stopService()


def main(reactor: Any, *arguments: str) -> Deferred[None]:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.persistence")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each figure")
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--engine", choices=("memory", "redis", "both", "replicas"), default="both")
    return Deferred.fromCoroutine(run(reactor, parser.parse_args(arguments)))


if __name__ == "__main__":
    react(main, sys.argv[1:])
