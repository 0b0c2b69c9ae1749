"""Rates of every operation of the namespace through the real doors, beside WsgiDAV.

    python -m benchmarks.namespace [--seconds 4] [--workers 16]

A real environment and a WsgiDAV server, each asked by the same load generator (``benchmarks.load``) for
one operation at a time: over TLS, so many connections, files of 1 KiB, a listing of 1 000 entries with
attributes, and files 20 folders deep. The generator takes a part of the machine from each server.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import doors, peers
from benchmarks.doors import Door
from benchmarks.load import Load, rest_door
from tests.support.environments import raise_environment

FILES = 1000
DEEP = 20
Rates = Mapping[str, float]

MIXES: Mapping[str, Mapping[str, int]] = {
    "get": {"get": 1},
    "stat": {"stat": 1},
    "list": {"list": 1},
    "put": {"put": 1},
    "rename": {"rename": 1},
    "create, remove": {"create": 1, "remove": 1},
}


async def measure(door: Door, seconds: float, workers: int, depth: int, mixes: Sequence[str]) -> Rates:
    """Return successes per second of each operation in files so deep."""
    load = Load(door, FILES, 1024, depth)
    rates: dict[str, float] = {}
    try:
        await load.prepare()
        for name in mixes:
            if name in ("rename",) and door.rename is None:
                continue
            report = await load.run(MIXES[name], workers, seconds)
            for operation in MIXES[name]:
                rates[operation] = report.rate(operation)
            for (operation, reason), count in report.errors.items():
                print(f"{door.name}: {operation} failed {count} times: {reason}")
    finally:
        await load.clean()
    return rates


async def compare(ours: Sequence[Door], peer: Door, seconds: float, workers: int) -> None:
    """Print a line for each operation and door, with the ratio to the peer in files as deep."""
    print(f"{'':18}" + "".join(f"{door.name:>16}" for door in ours) + f"{'WsgiDAV':>10}{'ratios':>16}")
    for depth, mixes in ((2, list(MIXES)), (DEEP, ["get", "stat", "put"])):
        found = [await measure(door, seconds, workers, depth, mixes) for door in (*ours, peer)]
        *own, theirs = found
        for operation, rate in theirs.items():
            shown = [rates.get(operation) for rates in own]
            cells = "".join(f"{'-' if one is None else format(one, '.0f'):>16}" for one in shown)
            ratios = " ".join(f"{'-' if one is None else format(one / rate, '.2f'):>7}" for one in shown)
            name = operation if depth == 2 else f"{operation}, {DEEP} deep"
            print(f"{name:18}{cells}{rate:10.0f} {ratios}", flush=True)


def main(arguments: Sequence[str]) -> None:
    """Raise both servers, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.namespace")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each figure")
    parser.add_argument("--workers", type=int, default=16)
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = raise_environment("single_oz_and_provider", folder / "environment")
        stack.callback(environment.stop)
        cert = next((environment.folder / "certificates").rglob("web_cert.pem"))
        (folder / "wsgidav").mkdir()
        stack.enter_context(peers.wsgidav(folder / "wsgidav", cert, cert.with_name("web_key.pem")))
        host, _, port = environment.address("krk").partition(":")
        token = environment.token()

        async def run() -> None:
            cdmi = doors.cdmi(host, int(port or 443), token, "first")
            rest = await rest_door(host, int(port or 443), token, "first")
            peer = doors.webdav("127.0.0.1", 18444)
            await compare((cdmi, rest), peer, options.seconds, options.workers)

        asyncio.run(run())


if __name__ == "__main__":
    main(sys.argv[1:])
