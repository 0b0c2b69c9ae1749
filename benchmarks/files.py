"""Files through the CDMI and REST doors of a real environment, beside nginx and WsgiDAV.

Everything over TLS on loopback. Small files by wrk (1 thread, 16 connections), large ones by curl.
Prints rates and their ratios to each peer, and the memory of op-worker under 16 large transfers.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil

from benchmarks import peers
from benchmarks.peers import Peer
from tests.support.environments import Raised, raise_environment

SECONDS = int(os.environ.get("BENCH_SECONDS", "8"))
LARGE_MIB = int(os.environ.get("BENCH_LARGE_MIB", "512"))
MEMORY_MIB = int(os.environ.get("BENCH_MEMORY_MIB", "1024"))
CONNECTIONS = 16

PUT_SCRIPT = """
local counter = 0
request = function()
  counter = counter + 1
  return wrk.format("PUT", "%s" .. counter .. ".bin", nil, string.rep("x", 1024))
end
"""


def wrk(url: str, headers: Sequence[str], script: str | None = None, connections: int = CONNECTIONS) -> float:
    """Requests per second that were answered with a success."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--timeout", "20s"]
    for header in headers:
        command += ["-H", header]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        if script is not None:
            file.write(script)
            file.flush()
            command += ["-s", file.name]
        text = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    total = float(re.search(r"(\d+) requests in", text).group(1))  # type: ignore[union-attr]  # wrk always prints it
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))  # type: ignore[union-attr]
    return rate * (1 - (int(failed.group(1)) / total if failed else 0))


def curl(peer: Peer, *arguments: str) -> float:
    """Run one transfer; return MB/s."""
    headers = [part for header in peer.headers for part in ("-H", header)]
    form = "%{http_code} %{speed_upload} %{speed_download}"
    command = ["curl", "-sk", "-o", "/dev/null", "-w", form, *headers, *arguments]
    code, up, down = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert code.startswith("2"), (arguments, code)
    return max(float(up), float(down)) / 1e6


def small_files(peer: Peer, stamp: str) -> tuple[float, float, float]:
    """GET/s, GET/s over one connection, PUT/s of new 1 KiB files."""
    with tempfile.NamedTemporaryFile() as kibibyte:
        kibibyte.write(os.urandom(1024))
        kibibyte.flush()
        curl(peer, "-T", kibibyte.name, f"{peer.base}/one-{stamp}.bin")
    url = f"{peer.base}/one-{stamp}.bin"
    get, get_one = wrk(url, peer.headers), wrk(url, peer.headers, connections=1)
    path = peer.base.partition("://")[2].partition("/")[2]
    script = PUT_SCRIPT % f"/{path}{'/' if path else ''}new-{stamp}-"
    return get, get_one, wrk(peer.base, peer.headers, script)


def large_file(peer: Peer, large: Path) -> tuple[float, float]:
    """GET and PUT of one large file in MB/s, with nothing left to be written to the disk before."""
    url = f"{peer.base}/large.bin"
    os.sync()
    put = curl(peer, "-T", str(large), url)
    return curl(peer, url), put


def memory_growth(environment: Raised, peer: Peer, size_mib: int) -> tuple[float, float]:
    """RSS of op-worker in MiB before, and its growth while 16 clients PUT and then GET ``size_mib`` each."""
    process = psutil.Process(environment.pid("worker@", "krk"))
    before = process.memory_info().rss
    peak, running = before, True

    def watch() -> None:
        nonlocal peak
        while running:
            peak = max(peak, process.memory_info().rss)
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    with tempfile.NamedTemporaryFile() as body:
        os.truncate(body.name, size_mib << 20)
        urls = [f"{peer.base}/memory-{number}.bin" for number in range(CONNECTIONS)]
        for arguments in ([["-T", body.name, url] for url in urls], [[url] for url in urls]):
            threads = [threading.Thread(target=curl, args=(peer, *line)) for line in arguments]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for url in urls:
            curl(peer, "-X", "DELETE", url)
    running = False
    watcher.join()
    return before / 2**20, (peak - before) / 2**20


def main() -> None:
    """Measure and print."""
    if absent := peers.missing():
        print(f"not installed, left out or impossible: {', '.join(absent)}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        started = time.monotonic()
        environment = raise_environment("single_oz_and_provider", folder / "environment")
        stack.callback(environment.stop)
        print(f"environment ready in {time.monotonic() - started:.1f} s")
        token = (f"X-Auth-Token: {environment.token()}",)
        ours = Peer("op-worker", f"https://{environment.address('krk')}/cdmi/first", token)
        cert = next((environment.folder / "certificates").rglob("web_cert.pem"))
        shown = [ours]
        for name, make in (("nginx", peers.nginx), ("wsgidav", peers.wsgidav)):
            if name not in peers.missing():
                (folder / name).mkdir()
                shown.append(stack.enter_context(make(folder / name, cert, cert.with_name("web_key.pem"))))
        compare_small(shown)
        large = folder / "large.bin"
        with large.open("wb") as file:
            for _ in range(LARGE_MIB):
                file.write(os.urandom(1 << 20))
        compare_large(shown, large)
        before, growth = memory_growth(environment, ours, MEMORY_MIB)
        print(
            f"RSS of op-worker: {before:.0f} MiB idle, "
            f"+{growth:.0f} MiB while 16 clients move {MEMORY_MIB} MiB each"
        )


def compare_small(shown: Sequence[Peer]) -> None:
    """Rates of 1 KiB files and their ratios: the best of three rounds, the servers taking turns."""
    names = ("GET/s", "GET/s one connection", "PUT/s")
    rounds = [{peer.name: small_files(peer, str(time.time_ns())) for peer in shown} for _ in range(3)]
    for index, what in enumerate(names):
        best = {peer.name: max(results[peer.name][index] for results in rounds) for peer in shown}
        report(f"1 KiB {what}", best)


def compare_large(shown: Sequence[Peer], large: Path) -> None:
    """Rates of one large file and their ratios: the best of four rounds, the servers taking turns."""
    rounds = [{peer.name: large_file(peer, large) for peer in shown} for _ in range(4)]
    for index, what in enumerate(("GET", "PUT")):
        best = {peer.name: max(results[peer.name][index] for results in rounds) for peer in shown}
        report(f"{LARGE_MIB} MiB {what} MB/s", best)


def report(what: str, rates: dict[str, float]) -> None:
    """One line: our rate, each peer's, and the ratio."""
    ours = rates["op-worker"]
    others = ", ".join(
        f"{name} {rate:.0f} (x{ours / rate:.2f})" for name, rate in rates.items() if name != "op-worker"
    )
    print(f"{what:32} op-worker {ours:.0f}; {others}", flush=True)


if __name__ == "__main__":
    main()
