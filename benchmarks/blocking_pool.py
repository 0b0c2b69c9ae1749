"""What handing a short call to a thread costs: our pool beside Twisted's.

    python -m benchmarks.blocking_pool

The call is what a small upload does: open, write 1 KiB, close.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from cluster_worker.runtime.pool import BlockingPool

CALLS = 10_000
THREADS = 16


def write(path: str) -> None:
    """Write a small file."""
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    os.write(file, bytes(1024))
    os.close(file)


async def cost_us(call: Callable[[], Awaitable[None]], in_flight: int) -> float:
    """Return microseconds of processor time for each call."""
    numbers = iter(range(CALLS))

    async def worker() -> None:
        for _ in numbers:
            await call()

    began = time.process_time()
    await gatherResults([Deferred.fromCoroutine(worker()) for _ in range(in_flight)])
    return (time.process_time() - began) / CALLS * 1e6


async def run(reactor: Any) -> None:
    """Measure both and print."""
    ours, theirs = BlockingPool(reactor, THREADS), ThreadPool(4, THREADS)
    theirs.start()
    with tempfile.NamedTemporaryFile() as file:

        async def by_twisted() -> None:
            await deferToThreadPool(reactor, theirs, write, file.name)

        for in_flight in (1, 16):
            own = await cost_us(lambda: ours.run(write, file.name), in_flight)
            other = await cost_us(by_twisted, in_flight)
            print(
                f"{in_flight:2} in flight: {own:5.0f} us of CPU a call, Twisted's pool {other:.0f} us"
                f" (x{other / own:.1f})"
            )
    ours.stopService()
    theirs.stop()


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(run(reactor)))
