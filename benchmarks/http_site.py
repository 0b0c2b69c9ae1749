"""How fast the HTTP frame and the REST door are, with nothing behind them.

    python benchmarks/http_site.py [--seconds 3] [--profile] [--plain]

A child process serves a file of 1 KiB and one of 512 MiB from memory through the REST door, over TLS on
loopback, with an access log. Small requests are made by wrk where it is installed, otherwise by threads of
this process; large ones by one connection of this process.
"""

from __future__ import annotations

import argparse
import cProfile
import http.client
import os
import pstats
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor

from cluster_worker.http.access_log import AccessLog, AppendingFile
from cluster_worker.http.site import StreamingSite
from cluster_worker.http.tls import WebTls, listen
from cluster_worker.http.traffic import Traffic
from cluster_worker.http.tree import Branch
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.pool import Inline
from cluster_worker.runtime.streams import ByteStream
from onedata.ids import FileGuid, FileUuid, ProviderId, SpaceId, UserId
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, FileType, Target
from op_worker.http.rest.door import RestDoor
from op_worker.zone.directory import StaticZone

KIB, MIB = 1024, 1024 * 1024
SIZES = {"small": KIB, "large": 512 * MIB}
SPACE = SpaceId("5" * 32)
PIECE = bytes(MIB)


class MemoryReader:
    """Zeros of the size of a file."""

    def __init__(self, stat: FileStat) -> None:
        self.stat = stat

    async def read(self, offset_b: int, size_b: int) -> bytes:
        return PIECE[: min(size_b, self.stat.size_b - offset_b)]

    async def close(self) -> None:
        """Nothing is open."""


class MemoryFiles:
    """As much of a file service as is measured here."""

    async def stat(self, caller: Caller, target: Target, follow: object = None) -> FileStat:
        return stat_of(target.base)

    async def open_content(self, caller: Caller, target: Target, follow: object = None) -> MemoryReader:
        return MemoryReader(stat_of(target.base))

    async def replace_content(
        self, caller: Caller, target: Target, body: ByteStream, **options: Any
    ) -> tuple[FileStat, bool]:
        while await body.read():
            pass
        return stat_of(target.base), False


class AnyToken:
    """Takes every token for the same user's."""

    _caller = Caller(UserId("u" * 32))

    async def authenticate(self, token: str, **circumstances: Any) -> Caller:
        return self._caller


def guid_of(name: str) -> FileGuid:
    return FileGuid(FileUuid(name), SPACE)


def stat_of(guid: FileGuid) -> FileStat:
    return FileStat(
        guid=guid,
        parent=None,
        name=guid.uuid,
        path=(guid.uuid,),
        space_name="space",
        type=FileType.REG,
        mode=0o664,
        owner=UserId("u"),
        provider_id=ProviderId("p"),
        created_s=0,
        atime_s=0,
        mtime_s=0,
        ctime_s=0,
        size_b=SIZES[guid.uuid],
    )


def make_certificate(folder: Path) -> None:
    """Write a self-signed certificate and its key."""
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        f"-subj /CN=localhost -keyout {folder}/key.pem -out {folder}/cert.pem".split(),
        check=True,
        capture_output=True,
    )


def serve(folder: Path, is_plain: bool, profile: Path | None) -> None:
    """Serve until standard input ends; the port is printed first."""
    files: Any = MemoryFiles()
    unused: Any = None
    zone = StaticZone(provider_id=ProviderId("p"), provider_domain="localhost")
    root = Branch()
    clock: Any = reactor
    door = RestDoor(
        files, zone, AnyToken(), shares=unused, searching=unused, changes=unused, downloads=unused
    )
    root.mount("/api/v3/oneprovider", door.resource)
    access_log = AccessLog(
        AppendingFile(folder / "access.log"), clock=clock, wall_clock=system_wall_clock, blocking=Inline()
    )
    access_log.startService()
    traffic = Traffic({"api/v3/oneprovider": "rest"})
    site = StreamingSite(root, clock=clock, access_log=access_log, traffic=traffic)
    tls = None if is_plain else WebTls(folder / "cert.pem", folder / "key.pem")
    listener = listen(clock, "127.0.0.1", 0, site, tls)
    listener.startService()
    print(listener.port, flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), clock.callFromThread(clock.stop)), daemon=True).start()
    if profile is None:
        clock.run()
        return
    profiler = cProfile.Profile()
    profiler.runcall(clock.run)
    with profile.open("w") as out:
        pstats.Stats(profiler, stream=out).sort_stats("tottime").print_stats(45)


class Load:
    """Makes requests and measures."""

    def __init__(self, port: int, is_plain: bool, seconds: float) -> None:
        self._port, self._is_plain, self._seconds = port, is_plain, seconds

    def path(self, name: str) -> str:
        return f"/api/v3/oneprovider/data/{guid_of(name).object_id()}/content"

    def small(self) -> float:
        """Return GETs of 1 KiB per second, 16 connections."""
        if shutil.which("wrk"):
            return self._with_wrk(16)
        counts = [0] * 4
        threads = [threading.Thread(target=self._get_many, args=(counts, n)) for n in range(len(counts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / self._seconds

    def large_get(self) -> float:
        """Return MB per second of one GET of 512 MiB."""
        connection = self._connect()
        began = time.perf_counter()
        connection.request("GET", self.path("large"), headers={"X-Auth-Token": "t"})
        response = connection.getresponse()
        buffer = bytearray(MIB)
        received = 0
        while size := response.readinto(buffer):
            received += size
        assert received == SIZES["large"]
        return received / 1e6 / (time.perf_counter() - began)

    def large_put(self) -> float:
        """Return MB per second of one PUT of 512 MiB."""
        connection = self._connect()
        began = time.perf_counter()
        connection.putrequest("PUT", self.path("large"))
        connection.putheader("X-Auth-Token", "t")
        connection.putheader("Content-Type", "application/octet-stream")
        connection.putheader("Content-Length", str(SIZES["large"]))
        connection.endheaders()
        for _ in range(SIZES["large"] // MIB):
            connection.send(PIECE)
        assert connection.getresponse().status == 204
        return SIZES["large"] / 1e6 / (time.perf_counter() - began)

    def _with_wrk(self, connections: int) -> float:
        scheme = "http" if self._is_plain else "https"
        url = f"{scheme}://127.0.0.1:{self._port}{self.path('small')}"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{self._seconds:.0f}s", "-H", "X-Auth-Token: t", url]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert "Non-2xx" not in output, output
        (line,) = [line for line in output.splitlines() if line.startswith("Requests/sec")]
        return float(line.split()[1])

    def _get_many(self, counts: list[int], number: int) -> None:
        connection = self._connect()
        end = time.perf_counter() + self._seconds
        while time.perf_counter() < end:
            connection.request("GET", self.path("small"), headers={"X-Auth-Token": "t"})
            assert len(connection.getresponse().read()) == KIB
            counts[number] += 1

    def _connect(self) -> http.client.HTTPConnection:
        if self._is_plain:
            return http.client.HTTPConnection("127.0.0.1", self._port)
        context = ssl._create_unverified_context()
        return http.client.HTTPSConnection("127.0.0.1", self._port, context=context)


def rss_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / MIB


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--profile", action="store_true", help="print where the server's time went")
    parser.add_argument("--plain", action="store_true", help="without TLS")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve, options.plain, options.serve / "profile" if options.profile else None)
        return
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), options)


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Start the server, measure, stop it."""
    make_certificate(folder)
    flags = [flag for flag in ("--profile", "--plain") if flag in sys.argv]
    command = [sys.executable, __file__, "--serve", str(folder), *flags]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None and server.stdin is not None
        load = Load(int(server.stdout.readline()), options.plain, options.seconds)
        idle = rss_mib(server.pid)
        busy_s = cpu_s(server.pid)
        rate = load.small()
        busy_s = cpu_s(server.pid) - busy_s
        microseconds = busy_s / (rate * options.seconds) * 1e6
        print(f"GET 1 KiB, 16 connections: {rate:.0f}/s, {microseconds:.0f} µs of processor each")
        print(f"GET 512 MiB: {load.large_get():.0f} MB/s")
        print(f"PUT 512 MiB: {load.large_put():.0f} MB/s")
        print(f"memory: {idle:.0f} MiB idle, {rss_mib(server.pid):.0f} MiB after")
        server.stdin.close()
        server.wait(10)
    if options.profile:
        print((folder / "profile").read_text())


if __name__ == "__main__":
    main()
