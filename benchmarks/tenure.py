"""What it costs a node to own many works: processor time of renewals, and how fast a family is taken over.

``python -m benchmarks.tenure [--works 1000] [--seconds 5]``

Two families of the same works run in one process over one Redis: the first owns everything, the second tries.
Then the first one's time stands still, as if its node had died.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock, react

from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.runtime.clock import sleep
from cluster_worker.tenure.owned_works import OwnedWorks
from cluster_worker.tenure.tenure import Tenure


class DyingClock:
    """A clock that can stop for good, and with it all that the node does."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock

    def seconds(self) -> float:
        """As the clock that goes on."""
        return float(self._clock.seconds())

    def callLater(self, delay: float, call: Any, *args: Any, **kwargs: Any) -> Any:
        """Nothing happens after the death."""
        return self._clock.callLater(delay, call, *args, **kwargs)

    def die(self) -> None:
        """Stop."""
        stopped = Clock()
        stopped.rightNow = self.seconds()
        self._clock = stopped


async def _forever(key: str, tenure: Tenure) -> None:
    await Deferred()


async def _until(clock: Any, family: OwnedWorks, count: int) -> float:
    begun_s = clock.seconds()
    while len(family.owned) < count:
        await sleep(clock, 0.02)
    return float(clock.seconds() - begun_s)


async def measure(reactor: Any, options: argparse.Namespace) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedRedis(reactor, folder)
        server.startService()
        engine = RedisEngine(reactor, server.address, RedisConfig())
        engine.startService()
        await engine.wait_ready()
        keys = [str(number) for number in range(options.works)]
        clock = DyingClock(reactor)
        first = OwnedWorks(engine, "f", "a", lambda: keys, _forever, clock=clock)  # type: ignore[arg-type]  # as much of a reactor as is used
        first.startService()
        print(f"{len(keys)} works taken in {await _until(reactor, first, len(keys)):.2f} s")
        await _rate(reactor, options.seconds, "owning")
        second = OwnedWorks(engine, "f", "b", lambda: keys, _forever, clock=reactor)
        second.startService()
        await _rate(reactor, options.seconds, "owning, and trying on another node (both in this process)")
        clock.die()
        print(f"all taken over {await _until(reactor, second, len(keys)):.2f} s after the death")
        await _rate(reactor, options.seconds, "owning after the takeover")
        await maybeDeferred(first.stopService)
        await maybeDeferred(second.stopService)
        await maybeDeferred(engine.stopService)
        await maybeDeferred(server.stopService)


async def _rate(reactor: Any, for_s: float, what: str) -> None:
    used_s, begun_s = time.process_time(), reactor.seconds()
    await sleep(reactor, for_s)
    share = (time.process_time() - used_s) / (reactor.seconds() - begun_s)
    print(f"{what}: {100 * share:.1f} % of a core")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    react(lambda reactor: Deferred.fromCoroutine(measure(reactor, options)), [])


if __name__ == "__main__":
    main()
