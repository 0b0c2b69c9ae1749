"""A load generator: so many workers, each on its own connection, ask for a mix of operations.

    python -m benchmarks.load https://HOST[:PORT] --door cdmi|rest|webdav [--token T --space NAME]
        [--mix get=8,put=1,list=1] [--workers 16] [--seconds 10] [--files 1000] [--size 1024] [--depth 1]

It fills a folder of its own, works in it, prints for each operation the rate, latencies and errors, and
removes the folder. Reads and listings are of the files made at the start, new files go elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from attrs import Factory, define, field

from benchmarks import doors
from benchmarks.client import Connection, Gone
from benchmarks.doors import OPERATIONS, Call, Door

PREPARING = 8


@define
class Report:
    """Latencies in seconds by operation, errors by operation and reason."""

    seconds: float = 0.0
    latencies: dict[str, array[float]] = field(factory=dict)
    errors: Counter[tuple[str, str]] = field(factory=Counter)

    def rate(self, operation: str) -> float:
        """Successes per second."""
        return len(self.latencies.get(operation, ())) / self.seconds

    def percentile_ms(self, operation: str, percent: float) -> float:
        """The latency that so many percent of the successes stayed below."""
        ordered = sorted(self.latencies.get(operation, ()))
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000 if ordered else 0.0

    def lines(self) -> Sequence[str]:
        """Return the report as a table."""
        lines = [f"{'operation':10}{'per s':>9}{'p50 ms':>9}{'p90 ms':>9}{'p99 ms':>9}{'errors':>8}"]
        for operation in OPERATIONS:
            failed = sum(count for (name, _), count in self.errors.items() if name == operation)
            if operation in self.latencies or failed:
                times = "".join(f"{self.percentile_ms(operation, percent):9.2f}" for percent in (50, 90, 99))
                lines.append(f"{operation:10}{self.rate(operation):9.0f}{times}{failed:8}")
        reasons = [f"{name}: {reason} ({count} times)" for (name, reason), count in self.errors.items()]
        return [*lines, *reasons]


@define(eq=False)
class _Worker:
    """One connection and the files that it alone renames and removes."""

    connection: Connection
    folder: str
    number: int
    random: random.Random
    made: list[str] = Factory(list)
    count: int = 0

    def new_path(self) -> str:
        self.count += 1
        return f"{self.folder}/new/{self.number}-{self.count}"

    def take(self) -> str:
        """Return a file of our own, which is taken out of the list."""
        return self.made.pop(self.random.randrange(len(self.made)))


class Load:
    """Works in one folder below what ``door`` serves: ``prepare``, ``run`` as often as wanted, ``clean``.

    Args:
        files: how many are there to be read.
        size_b: of each file.
        depth: how many folders lie above a file, at least two.
    """

    def __init__(self, door: Door, files: int, size_b: int, depth: int) -> None:
        self._door, self._files, self._body = door, files, os.urandom(size_b)
        self._top = f"load-{time.time_ns()}"
        self._folder = "/".join([self._top, *(f"level-{level}" for level in range(3, depth + 1))])
        self._workers: list[_Worker] = []

    async def prepare(self) -> None:
        """Make the folders and the files to read. Raises: RuntimeError when the server refuses."""
        (worker,) = self._hired(1)
        names = self._folder.split("/")
        folders = ["/".join(names[:depth]) for depth in range(1, len(names) + 1)]
        for path in (*folders, f"{self._folder}/read", f"{self._folder}/new"):
            await self._make(worker, path, self._door.make_folder(path))
        paths = iter(self._read_path(number) for number in range(self._files))

        async def fill(one: _Worker) -> None:
            for path in paths:
                await self._make(one, path, self._door.put(path, self._body))

        await asyncio.gather(*(fill(one) for one in self._hired(PREPARING)))

    async def run(self, mix: Mapping[str, int], workers: int, seconds: float) -> Report:
        """Let so many workers choose from a mix for so long."""
        report = Report()
        started = time.perf_counter()
        until = started + seconds
        await asyncio.gather(*(self._work(one, mix, until, report) for one in self._hired(workers)))
        report.seconds = time.perf_counter() - started
        return report

    async def clean(self) -> None:
        """Remove everything that was made."""
        (worker,) = self._hired(1)
        await self._send(worker, self._door.remove(f"{self._top}/"))
        for one in self._workers:
            one.connection.close()

    def _hired(self, count: int) -> list[_Worker]:
        while len(self._workers) < count:
            number = len(self._workers)
            connection = Connection(self._door.host, self._door.port, self._door.headers)
            self._workers.append(_Worker(connection, self._folder, number, random.Random(number)))
        return self._workers[:count]

    def _read_path(self, number: int) -> str:
        return f"{self._folder}/read/file-{number:06}"

    async def _make(self, worker: _Worker, path: str, call: Call) -> None:
        status, body = await self._send(worker, call)
        if not 200 <= status < 300:
            raise RuntimeError(f"{call.method} {call.path} answered {status}: {body[:200]!r}")
        self._door.learn(path, body)

    async def _send(self, worker: _Worker, call: Call) -> tuple[int, bytes]:
        return await worker.connection.ask(call.method, call.path, call.headers, call.body)

    async def _work(self, worker: _Worker, mix: Mapping[str, int], until: float, report: Report) -> None:
        names, weights = list(mix), list(mix.values())
        while time.perf_counter() < until:
            (wanted,) = worker.random.choices(names, weights)
            operation, call, follow = self._chosen(worker, wanted)
            began = time.perf_counter()
            try:
                status, _ = await self._send(worker, call)
            except (OSError, Gone, TimeoutError) as error:
                report.errors[operation, type(error).__name__] += 1
                continue
            if 200 <= status < 300:
                report.latencies.setdefault(operation, array("d")).append(time.perf_counter() - began)
                follow()
            else:
                report.errors[operation, f"status {status}"] += 1

    def _chosen(self, worker: _Worker, operation: str) -> tuple[str, Call, Callable[[], None]]:
        """Return the operation that can be done, its request, and what to note when it succeeded."""
        if operation in ("rename", "remove") and not worker.made:
            operation = "create"  # something has to be there first
        door, path = self._door, self._read_path(worker.random.randrange(max(1, self._files)))
        if operation in ("put", "create"):
            new = worker.new_path()
            body = self._body if operation == "put" else b""
            return operation, door.put(new, body), lambda: worker.made.append(new)
        if operation == "remove":
            return operation, door.remove(worker.take()), _nothing
        if operation == "rename" and door.rename is not None:
            new = worker.new_path()
            return operation, door.rename(worker.take(), new), lambda: worker.made.append(new)
        if operation == "list":
            return operation, door.list(f"{self._folder}/read"), _nothing
        return operation, door.get(path) if operation == "get" else door.stat(path), _nothing


def _nothing() -> None:
    """A read leaves nothing to note."""


def parse_mix(text: str, door_operations: Sequence[str] = OPERATIONS) -> dict[str, int]:
    """Return the weights that ``get=8,put=1`` writes. Raises: ValueError."""
    mix = {}
    for part in text.split(","):
        name, _, weight = part.partition("=")
        if name not in door_operations:
            raise ValueError(f"{name!r} is none of {', '.join(door_operations)}")
        mix[name] = int(weight or 1)
    return mix


async def open_door(options: argparse.Namespace) -> Door:
    """Return the door that the command line names. Raises: RuntimeError."""
    url = urlsplit(options.url)
    host, port = url.hostname or "localhost", url.port or 443
    if options.door == "webdav":
        return doors.webdav(host, port)
    if options.door == "cdmi":
        return doors.cdmi(host, port, options.token, options.space)
    return await rest_door(host, port, options.token, options.space)


async def rest_door(host: str, port: int, token: str, space: str) -> Door:
    """Return the REST door of a space, whose id the server is asked for."""
    connection = Connection(host, port, {"X-Auth-Token": token})
    path = f"/api/v3/oneprovider/lookup-file-id/{space}"
    status, body = await connection.ask("POST", path, {}, b"")
    connection.close()
    if status != 200:
        raise RuntimeError(f"POST {path} answered {status}: {body[:200]!r}")
    return doors.rest(host, port, token, json.loads(body)["fileId"])


async def run(options: argparse.Namespace) -> None:
    """Do what the command line says."""
    door = await open_door(options)
    mix = parse_mix(options.mix, door.operations)
    load = Load(door, options.files, options.size, options.depth)
    try:
        await load.prepare()
        report = await load.run(mix, options.workers, options.seconds)
    finally:
        await load.clean()
    print("\n".join(report.lines()))


def main(arguments: Sequence[str]) -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("url", help="https://HOST[:PORT]")
    parser.add_argument("--door", choices=("cdmi", "rest", "webdav"), default="cdmi")
    parser.add_argument("--token", default="", help="an access token")
    parser.add_argument("--space", default="", help="the name of a space")
    parser.add_argument("--mix", default="get=8,put=1,list=1", help=f"weights of {', '.join(OPERATIONS)}")
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--files", type=int, default=1000, help="in the folder that is read and listed")
    parser.add_argument("--size", type=int, default=1024, help="bytes in a file")
    parser.add_argument("--depth", type=int, default=2, help="how many folders lie above a file")
    try:
        asyncio.run(run(parser.parse_args(arguments)))
    except (RuntimeError, ValueError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
