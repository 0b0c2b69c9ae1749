"""Storages on WebDAV, HTTP and SSH servers: helpers against the storages' own clients, in the same run.

    python -m benchmarks.storages.web [webdav] [http] [sftp]

Prints, for 512 MiB in pieces of 4 MiB and for 1000 files of 64 KiB, seconds by each and the ratio of their
speeds. The clients are ``requests`` with one connection for the small files and ``curl`` for the large one
(WebDAV on Apache, HTTP on nginx), and OpenSSH's ``sftp`` with one batch for the small files.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.task import react

from op_worker.storage.helper import StoragePath
from tests.conformance.storage.enrolled import http, sftp, webdav
from tests.support.storages.apache_dav import apache_dav
from tests.support.storages.nginx_files import nginx_files
from tests.support.storages.sshd import sshd
from tests.support.storages.web_folder import WebFolder

LARGE_B, PIECE_B = 512 << 20, 4 << 20
SMALL_B, SMALL_FILES = 64 << 10, 1000
AT_ONCE = 8
LARGE = StoragePath("large")
NAMES = [StoragePath(f"small{number}") for number in range(SMALL_FILES)]
Work = Callable[[], object]


@frozen
class Case:
    """A helper, and what the storage's client does in its place: each reads and writes the local folder."""

    helper: Any
    put_large: Work | None
    get_large: Work
    put_small: Work | None
    get_small: Work


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def of_web(server: WebFolder, url: str, helper: Any, local: Path, *, writes: bool) -> Case:
    session = server.session
    log_in = ["-u", f"{server.user}:{server.password}"] if server.user else []

    def put_small() -> None:
        data = (local / NAMES[0]).read_bytes()
        for name in NAMES:
            session.put(f"{url}client-{name}", data=data, timeout=60).raise_for_status()

    def get_small() -> None:
        for name in NAMES:
            assert len(session.get(f"{url}{name}", timeout=60).content) == SMALL_B

    return Case(
        helper,
        (lambda: run("curl", "-sf", *log_in, "-T", str(local / LARGE), f"{url}client-large"))
        if writes
        else None,
        lambda: run("curl", "-sf", *log_in, "-o", str(local / "got"), f"{url}{LARGE}"),
        put_small if writes else None,
        get_small,
    )


@contextmanager
def on_webdav(folder: Path, local: Path) -> Iterator[Case]:
    with apache_dav(folder) as server:
        url = webdav.make_place(server, "place")
        yield of_web(server, url, webdav.webdav(server, url, "moddav"), local, writes=True)


@contextmanager
def on_http(folder: Path, local: Path) -> Iterator[Case]:
    with nginx_files(folder) as server:
        helper = http.make(server, "place")
        for name in (LARGE, *NAMES):
            http.put(server, "place", name, (local / (name if name == LARGE else NAMES[0])).read_bytes())
        yield of_web(server, f"{server.url}place/", helper, local, writes=False)


@contextmanager
def on_sftp(folder: Path, local: Path) -> Iterator[Case]:
    with sshd(folder) as server:
        helper = sftp.make(server, "place")
        place = server.data / "place"

        def batch(lines: list[str]) -> None:
            file = local / "batch"
            file.write_text("\n".join(lines) + "\n")
            run("sftp", *server.options, "-b", str(file), f"{server.user}@{server.address}")

        small = local / NAMES[0]
        yield Case(
            helper,
            lambda: batch([f"put {local / LARGE} {place}/client-large"]),
            lambda: batch([f"get {place}/{LARGE} {local}/got"]),
            lambda: batch([f"put {small} {place}/client-{name}" for name in NAMES]),
            lambda: batch([f"get {place}/{name} {local}/got" for name in NAMES]),
        )


CASES = {"webdav": on_webdav, "http": on_http, "sftp": on_sftp}


async def put(helper: Any, path: StoragePath, data: bytes) -> None:
    file = await helper.open_write(path)
    for offset_b in range(0, len(data), PIECE_B):
        await file.write(offset_b, data[offset_b : offset_b + PIECE_B])
    await file.close()


async def get(helper: Any, path: StoragePath) -> None:
    file, size_b = await helper.open_read(path), 0
    while piece := await file.read(size_b, PIECE_B):
        size_b += len(piece)
    await file.close()


async def get_small(helper: Any, path: StoragePath) -> None:
    if hasattr(helper, "open_with_first"):
        assert (await helper.open_with_first(path, SMALL_B)).size_b == SMALL_B
    else:
        await get(helper, path)


async def all_of(work: Callable[[StoragePath], Coroutine[Any, Any, None]]) -> None:
    """Do something with every small file, several at once."""
    turns = DeferredSemaphore(AT_ONCE)

    async def one(name: StoragePath) -> None:
        await turns.run(lambda: Deferred.fromCoroutine(work(name)))

    await gatherResults([Deferred.fromCoroutine(one(name)) for name in NAMES])


async def compare(what: str, ours: Coroutine[Any, Any, None], theirs: Work | None) -> None:
    """Print what both take."""
    begin = time.monotonic()
    await ours
    ours_s = time.monotonic() - begin
    if theirs is None:
        print(f"{what:24} {ours_s:8.2f} s")
        return
    begin = time.monotonic()
    theirs()
    theirs_s = time.monotonic() - begin
    print(
        f"{what:24} {ours_s:8.2f} s   client {theirs_s:8.2f} s   ratio {theirs_s / ours_s:5.2f}", flush=True
    )


async def main(names: list[str]) -> None:
    large, small = bytes(LARGE_B), b"s" * SMALL_B
    for name in names or CASES:
        with tempfile.TemporaryDirectory() as base:
            local, folder = Path(base) / "local", Path(base) / "server"
            local.mkdir()
            folder.mkdir()
            (local / LARGE).write_bytes(large)
            (local / NAMES[0]).write_bytes(small)
            with CASES[name](folder, local) as case:
                helper = case.helper
                if case.put_large is not None:
                    await compare(f"{name} put large", put(helper, LARGE, large), case.put_large)
                await compare(f"{name} get large", get(helper, LARGE), case.get_large)
                if case.put_small is not None:
                    puts = partial(helper.write_whole, data=small)
                    await compare(f"{name} put small", all_of(puts), case.put_small)
                await compare(f"{name} get small", all_of(partial(get_small, helper)), case.get_small)
                await helper.close()


if __name__ == "__main__":
    react(lambda _: Deferred.fromCoroutine(main(sys.argv[1:])))
