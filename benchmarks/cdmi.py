"""The CDMI door beside the REST door of the same op-worker, over TLS, taking turns.

    python -m benchmarks.cdmi [--rounds 11] [--seconds 0.5] [--large-mib 100] [--children 100000]

Bytes through both doors (1 KiB by 16 connections, large objects by curl), values inside JSON beside plain
ones, and pages of a long listing. Many short rounds; each ratio is the median of those of the rounds, in
which the two things compared are measured one directly after the other (see ``benchmarks.turns``).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from benchmarks.client import Connection
from benchmarks.doors import Call, Door, cdmi
from benchmarks.load import rest_door
from benchmarks.turns import Work, report, take_turns
from tests.support.environments import Raised, raise_environment

CONNECTIONS = 16
OBJECTS = 4 * CONNECTIONS
SPACE = "first"
TOP = "bench"
PARTS = ("small", "large", "listing")
PAGES = (100, 1000)
DOCS = Path(__file__).resolve().parents[1] / "docs"
VERSION = {"X-CDMI-Specification-Version": "1.1.1"}
OBJECT = {**VERSION, "Content-Type": "application/cdmi-object"}


@frozen
class Site:
    """The running provider: both doors, and where it is; ``pid`` is the op-worker's."""

    pid: int
    base: str
    ca_cert: str
    token: str
    cdmi: Door
    rest: Door

    def connection(self) -> Connection:
        """A new connection that sends the token."""
        return Connection(self.cdmi.host, self.cdmi.port, self.cdmi.headers)


@contextmanager
def running_site() -> Iterator[Site]:
    """Raise a zone and a provider for as long as the body runs."""
    with tempfile.TemporaryDirectory() as folder:
        environment = raise_environment("single_oz_and_provider", Path(folder) / "environment")
        try:
            yield _site(environment)
        finally:
            environment.stop()


def _site(environment: Raised) -> Site:
    host, _, port = environment.address("krk").partition(":")
    token = environment.token()
    return Site(
        pid=environment.pid("worker@", "krk"),
        base=f"https://{environment.address('krk')}",
        ca_cert=environment.ca_cert,
        token=token,
        cdmi=cdmi(host, int(port or 443), token, SPACE),
        rest=asyncio.run(rest_door(host, int(port or 443), token, SPACE)),
    )


# -- 1 KiB ----------------------------------------------------------------------------------------------

Calls = Callable[[], Call]


async def small(site: Site, rounds: int, seconds: float) -> None:
    """GET and PUT of 1 KiB through both doors."""
    body = os.urandom(1024)
    connections = [site.connection() for _ in range(CONNECTIONS)]
    await _ask(connections[0], site.cdmi.make_folder(TOP))
    plain = await _made(connections[0], site, "plain", {}, body)
    typed = await _made(connections[0], site, "typed", {"Content-Type": "text/plain"}, body)
    turn = itertools.count()  # uploads into one object at a time would wait for each other
    octets = {"Content-Type": "application/octet-stream"}

    def one_of(made: Mapping[str, str]) -> tuple[str, str]:
        return list(made.items())[next(turn) % len(made)]

    def rest_at_path(path: str) -> Call:
        return Call("GET", site.rest.put(path, b"").path)

    def rest_put() -> Call:
        return Call("PUT", site.rest.get(one_of(plain)[0]).path, octets, body)

    table: Mapping[str, tuple[Calls, Calls]] = {
        "GET by id": (
            lambda: Call("GET", f"/cdmi/cdmi_objectid/{one_of(plain)[1]}"),
            lambda: site.rest.get(one_of(plain)[0]),
        ),
        "GET by path": (
            lambda: site.cdmi.get(one_of(plain)[0]),
            lambda: rest_at_path(one_of(plain)[0]),
        ),
        "GET by path, mimetype stored": (
            lambda: site.cdmi.get(one_of(typed)[0]),
            lambda: rest_at_path(one_of(typed)[0]),
        ),
        "GET by path, REST by id": (
            lambda: site.cdmi.get(one_of(plain)[0]),
            lambda: site.rest.get(one_of(plain)[0]),
        ),
        "PUT existing by id": (
            lambda: Call("PUT", f"/cdmi/cdmi_objectid/{one_of(plain)[1]}", {}, body),
            rest_put,
        ),
        "PUT existing by path, REST by id": (lambda: site.cdmi.put(one_of(plain)[0], body), rest_put),
        "PUT new by path": (
            lambda: site.cdmi.put(f"{TOP}/new-{next(turn)}", body),
            lambda: site.rest.put(f"{TOP}/new-{next(turn)}", body),
        ),
    }
    for what, (ours, theirs) in table.items():
        asking = _asking(connections, ours, seconds), _asking(connections, theirs, seconds)
        report(f"1 KiB {what}", "CDMI", "REST", await take_turns(site.pid, rounds, *asking), "request")
    await _ask(connections[0], site.cdmi.remove(f"{TOP}/"))
    for connection in connections:
        connection.close()


async def _made(
    connection: Connection, site: Site, name: str, headers: Mapping[str, str], body: bytes
) -> Mapping[str, str]:
    """Make objects that both doors know; return their ids by their paths."""
    made = {}
    for number in range(OBJECTS):
        path = f"{TOP}/{name}-{number}"
        await _ask(connection, Call("PUT", site.cdmi.get(path).path, headers, body))
        made[path] = await _object_id(connection, site, path)
        site.rest.learn(path, json.dumps({"fileId": made[path]}).encode())
    return made


def _asking(connections: Sequence[Connection], call: Calls, seconds: float) -> Work:
    """Return the work of asking for so long; it counts successful answers."""

    async def ask(connection: Connection, until: float) -> int:
        count = 0
        while time.perf_counter() < until:
            await _ask(connection, call())
            count += 1
        return count

    async def work() -> float:
        until = time.perf_counter() + seconds
        return sum(await asyncio.gather(*[ask(connection, until) for connection in connections]))

    return work


async def _ask(connection: Connection, call: Call) -> bytes:
    status, body = await connection.ask(call.method, call.path, call.headers, call.body)
    if not 200 <= status < 300:
        raise RuntimeError(f"{call.method} {call.path} answered {status}: {body[:200]!r}")
    return body


async def _object_id(connection: Connection, site: Site, path: str) -> str:
    found: str = json.loads(await _ask(connection, site.cdmi.stat(path)))["objectID"]
    return found


# -- large objects --------------------------------------------------------------------------------------


async def large(site: Site, rounds: int, size_mib: int, folder: Path) -> None:
    """GET and PUT of large objects through both doors, and of values inside JSON beside plain ones."""
    bodies = _bodies(folder, size_mib)
    plain, typed = f"{site.base}/cdmi/{SPACE}/large.bin", f"{site.base}/cdmi/{SPACE}/large.json"
    json_put = ("-H", "Content-Type: application/cdmi-object", *_version())
    octets = ("-H", "Content-Type: application/octet-stream")
    _curl(site, "-T", str(bodies["plain"]), plain)
    content = await _rest_content(site, "large.bin")
    both = {
        "GET": ((plain,), (content,)),
        "PUT": (("-T", str(bodies["plain"]), plain), ("-T", str(bodies["plain"]), *octets, content)),
    }
    for what, (ours, theirs) in both.items():
        moving = _moving(site, size_mib, ours), _moving(site, size_mib, theirs)
        pairs = await take_turns(site.pid, rounds, *moving)
        report(f"{size_mib} MiB {what}", "CDMI", "REST", pairs, "MB")
    for encoding in ("base64", "utf-8"):
        inside = {
            "PUT": (("-T", str(bodies[encoding]), *json_put, typed), both["PUT"][0]),
            "GET": ((*_version(), typed), (plain,)),
        }
        for what, (ours, theirs) in inside.items():
            moving = _moving(site, size_mib, ours), _moving(site, size_mib, theirs)
            pairs = await take_turns(site.pid, rounds, *moving)
            report(f"{size_mib} MiB {what} in {encoding}", "JSON", "plain", pairs, "MB")
    for url in (plain, typed):
        _curl(site, "-X", "DELETE", url)


def _bodies(folder: Path, size_mib: int) -> Mapping[str, Path]:
    """Write the bodies of the uploads: the bytes, and JSON with as many bytes of value."""
    data = os.urandom(size_mib << 20)
    made = {
        "plain": data,
        "base64": b'{"valuetransferencoding":"base64","value":"' + base64.b64encode(data) + b'"}',
        "utf-8": b'{"valuetransferencoding":"utf-8","value":' + _text(size_mib << 20) + b"}",
    }
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in made}


def _text(size_b: int) -> bytes:
    """Return a JSON string of so many bytes of text, such as people write: our own pages, over and over."""
    pages = "".join(page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md")))
    times = size_b // len(pages.encode())
    text = pages * times + "." * (size_b - times * len(pages.encode()))
    return json.dumps(text, ensure_ascii=False).encode()


async def _rest_content(site: Site, path: str) -> str:
    connection = site.connection()
    object_id = await _object_id(connection, site, path)
    connection.close()
    return f"{site.base}/api/v3/oneprovider/data/{object_id}/content"


def _moving(site: Site, size_mib: int, arguments: Sequence[str]) -> Work:
    """Return the work of one transfer; it counts megabytes of value, whatever travels."""

    async def work() -> float:
        _curl(site, *arguments)
        return size_mib * 1.048576

    return work


def _curl(site: Site, *arguments: str) -> None:
    """Run one transfer."""
    command = ["curl", "--silent", "--http1.1", "--cacert", site.ca_cert, "--output", os.devnull]
    command += ["--header", f"X-Auth-Token: {site.token}", "--write-out", "%{http_code}"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    if not done.stdout.startswith("2"):
        raise RuntimeError(f"{arguments} answered {done.stdout}")


def _version() -> Sequence[str]:
    return [part for name, value in VERSION.items() for part in ("-H", f"{name}: {value}")]


# -- listings -------------------------------------------------------------------------------------------


async def listing(site: Site, rounds: int, children: int) -> None:
    """Pages of a long listing at its start, in its middle and at its end."""
    connections = [site.connection() for _ in range(CONNECTIONS)]
    await _ask(connections[0], site.cdmi.make_folder("long"))
    numbers = iter(range(children))
    began = time.perf_counter()

    async def fill(connection: Connection) -> None:
        for number in numbers:
            await _ask(connection, site.cdmi.put(f"long/child-{number:07}", b""))

    await asyncio.gather(*map(fill, connections))
    print(f"{children} children made, {children / (time.perf_counter() - began):.0f} a second", flush=True)
    for page in PAGES:
        places = {"start": 0, "middle": children // 2, "end": children - page}
        taken: dict[str, list[float]] = {place: [] for place in places}
        for _ in range(rounds * 4):
            for place, first in places.items():
                taken[place].append(await _page_s(connections[0], site, first, page))
        best = {place: statistics.quantiles(times, n=4)[0] * 1000 for place, times in taken.items()}
        cells = ", ".join(f"{place} {milliseconds:.1f} ms" for place, milliseconds in best.items())
        print(f"page of {page:4} of {children}: {cells}, end to start {best['end'] / best['start']:.2f}")
    for connection in connections:
        connection.close()


async def _page_s(connection: Connection, site: Site, first: int, size: int) -> float:
    query = f"?childrenrange;children:{first}-{first + size - 1}"
    began = time.perf_counter()
    body = await _ask(connection, Call("GET", f"/cdmi/{SPACE}/long/{query}", VERSION))
    taken = time.perf_counter() - began
    assert len(json.loads(body)["children"]) == size
    return taken


def main(arguments: Sequence[str]) -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cdmi")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each round of 1 KiB")
    parser.add_argument("--large-mib", type=int, default=100)
    parser.add_argument("--children", type=int, default=100_000)
    parser.add_argument("--only", choices=PARTS, action="append")
    options = parser.parse_args(arguments)
    parts = options.only or PARTS
    with running_site() as site, tempfile.TemporaryDirectory() as folder:
        if "small" in parts:
            asyncio.run(small(site, options.rounds, options.seconds))
        if "large" in parts:
            asyncio.run(large(site, options.rounds, options.large_mib, Path(folder)))
        if "listing" in parts:
            asyncio.run(listing(site, options.rounds, options.children))


if __name__ == "__main__":
    main(sys.argv[1:])
