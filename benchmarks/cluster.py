"""Requests per second of one op-worker, and of two on the same Redis; the processor time of a request.

    python -m benchmarks.cluster [--seconds 8] [--clients 4] [--connections 4] [--mix get=6,put=1,stat=3]

A zone and a provider with two op-workers are raised as processes. Client processes ask for small files
through CDMI: all of one node while the other is stopped, or half of them each of two; in the order two, one,
one, two, so that what else runs on the machine slows both. Clients, Redis and nodes share the cores: with few
of them the rate cannot double. What a node costs for a request can be measured on any machine, and says what
nodes with a core each would do: so long as that cost stays the same, twice the nodes do twice the work, until
the one Redis is busy all the time.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import requests
from attrs import frozen

from bamboos.environment import processes
from benchmarks import doors
from benchmarks.load import Load, parse_mix
from benchmarks.turns import processor_s
from tests.support.environments import Raised, raise_environment, wait_until

INSTANCE, SPACE = "krk", "first"
FILES, SIZE_B = 100, 1024
ORDER = (2, 1, 1, 2)


@frozen
class Work:
    """What the clients of one process are to do."""

    host: str
    port: int
    token: str
    mix: Mapping[str, int]
    connections: int
    seconds: float


@frozen
class Measured:
    """One turn: successful requests, errors, and processor seconds by kind of process."""

    nodes: int
    requests: int
    errors: int
    seconds: float
    processor_s: Mapping[str, float]

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    def cost_us(self, kind: str) -> float:
        """Microseconds of processor time for each request."""
        return self.processor_s[kind] / self.requests * 1e6


def client(work: Work, together: Barrier, answers: Any) -> None:
    """Run in a process of its own: prepare, start together, work, tell, clean up."""
    try:
        asyncio.run(_client(work, together, answers))
    except BaseException:
        together.abort()  # the others would wait in vain
        raise


async def _client(work: Work, together: Barrier, answers: Any) -> None:
    load = Load(doors.cdmi(work.host, work.port, work.token, SPACE), FILES, SIZE_B, 2)
    await load.prepare()
    together.wait()
    used = time.process_time()
    report = await load.run(work.mix, work.connections, work.seconds)
    used = time.process_time() - used
    answers.put((sum(map(len, report.latencies.values())), sum(report.errors.values()), used))
    together.wait()
    await load.clean()


def measure(raised: Raised, nodes: int, token: str, options: argparse.Namespace) -> Measured:
    """Let the clients work on the first ``nodes`` nodes."""
    together = multiprocessing.Barrier(options.clients + 1)
    answers: Any = multiprocessing.Queue()
    clients = []
    for number in range(options.clients):
        host, _, port = raised.address(INSTANCE, number % nodes).partition(":")
        work = Work(host, int(port or 443), token, options.mix, options.connections, options.seconds)
        clients.append(multiprocessing.Process(target=client, args=(work, together, answers), daemon=True))
    for one in clients:
        one.start()
    together.wait(60)
    began, before = time.perf_counter(), _used(raised)
    found = [answers.get(timeout=options.seconds + 60) for _ in clients]
    seconds, after = time.perf_counter() - began, _used(raised)
    together.wait(60)
    for one in clients:
        one.join(60)
    used = {kind: after[kind] - before[kind] for kind in after}
    used["clients"] = sum(one[2] for one in found)
    return Measured(nodes, sum(one[0] for one in found), sum(one[1] for one in found), seconds, used)


def _used(raised: Raised) -> dict[str, float]:
    """Processor seconds so far of the provider's processes, by kind."""
    kinds = {"op-workers": ("worker1.", "worker2."), "Redis": ("redis",), "manager": ("cm@",)}
    domain = raised.output["domain_mappings"][INSTANCE]
    used = dict.fromkeys(kinds, 0.0)
    for name, pid in raised.output["pids"].items():
        for kind, marks in kinds.items():
            if domain in name and any(mark in name for mark in marks) and Path(f"/proc/{pid}").exists():
                used[kind] += processor_s(int(pid))
    return used


def stop_second(raised: Raised) -> None:
    """Stop the second node in good order."""
    pid = raised.pid("worker@worker2.", INSTANCE)
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not processes.is_running(pid), 30, "the second node has not stopped")


def start_second(raised: Raised) -> None:
    """Start it again, and return when it wants requests."""
    pid = raised.start_again("worker@worker2.", INSTANCE)
    (name,) = (name for name in raised.output["pids"] if name.startswith("worker@worker2."))
    raised.output["pids"][name] = pid
    session, url = raised.session(), f"https://{raised.address(INSTANCE, 1)}/health/ready"

    def is_ready() -> bool:
        try:
            return session.get(url, timeout=5).status_code == 200
        except requests.RequestException:
            return False

    wait_until(is_ready, 60, "the second node is not ready")


def show(found: Sequence[Measured]) -> None:
    """Print the turns, then what follows from them."""
    kinds = list(found[0].processor_s)
    print(
        f"\n{'nodes':>5} {'requests/s':>11} {'errors':>7}" + "".join(f"{kind + ' µs':>16}" for kind in kinds)
    )
    for turn in found:
        cells = "".join(f"{turn.cost_us(kind):16.0f}" for kind in kinds)
        print(f"{turn.nodes:5} {turn.rate:11.0f} {turn.errors:7}{cells}")

    rates = [_mean([turn.rate for turn in found if turn.nodes == nodes]) for nodes in (1, 2)]
    costs = [_mean([turn.cost_us("op-workers") for turn in found if turn.nodes == nodes]) for nodes in (1, 2)]
    redis = _mean([turn.cost_us("Redis") for turn in found])
    cores, ratio = os.cpu_count(), rates[1] / rates[0]
    print(f"\nmeasured here, {cores} cores for everything: two nodes do {ratio:.2f} x one")
    print(f"a request costs a node {costs[0]:.0f} µs alone, {costs[1]:.0f} µs as one of two", end="")
    print(f" ({100 * (costs[1] / costs[0] - 1):+.1f} %)")
    print(f"capacity by processor time, a core for each node: {1e6 / costs[0]:.0f}/s with one,", end="")
    print(f" {2e6 / costs[1]:.0f}/s with two: {2 * costs[0] / costs[1]:.2f} x")
    print(f"one Redis with a core of its own is full at {1e6 / redis:.0f}/s: {costs[1] / redis:.1f} nodes")


def _mean(values: Sequence[float]) -> float:
    return statistics.mean(values)


def main(arguments: Sequence[str]) -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each of the four turns")
    parser.add_argument("--clients", type=int, default=4, help="client processes, an even number")
    parser.add_argument("--connections", type=int, default=4, help="of each client process")
    parser.add_argument(
        "--mix", type=parse_mix, default=parse_mix("get=6,put=1,stat=3"), help="of operations"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        raised = raise_environment("single_oz_and_two_workers", Path(folder))
        try:
            token, running = raised.token(), 2
            found: list[Measured] = []
            for nodes in ORDER:
                if nodes != running:
                    (start_second if nodes == 2 else stop_second)(raised)
                    running = nodes
                found.append(measure(raised, nodes, token, options))
        finally:
            raised.stop()
    show(found)


if __name__ == "__main__":
    main(sys.argv[1:])
