"""How long a check of a space takes, and how much memory: python -m benchmarks.fsck [--files 100000]

Metadata are in a real Redis server, bytes in files on the disk, 1 KiB each, a thousand in a directory.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from benchmarks.scale import BODY, LAYOUTS, Scale
from op_worker.fsck.check import Check
from op_worker.fsck.report import Options
from op_worker.fsck.tools import Tools
from tests.support.real_sites import redis_and_posix
from tests.support.spaces import SPACE


async def run(reactor: Any, count: int) -> None:
    """Fill a space, check it, print figures."""
    with tempfile.TemporaryDirectory() as folder:
        async with redis_and_posix(Path(folder)) as site:
            files = await site.process()
            layout = LAYOUTS["spread"]
            await Scale(reactor, files, site.engine, layout).fill(count)  # type: ignore[arg-type]  # Redis
            for number in range(count):
                place = Path(folder, "storage", SPACE, *layout.file(number).names)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(BODY)
            before_b, began = _memory_b(), time.perf_counter()
            report = await Check(Tools.of(files.context), SPACE, Options()).run()
            took_s = time.perf_counter() - began
            grown_b = _memory_b() - before_b
            assert report.is_clean and report.is_settled, report.counts
            print(f"{count} files: {took_s:.1f} s, {count / took_s:.0f} files/s, {grown_b >> 20} MiB more")
            await files.stopService()


def _memory_b() -> int:
    """Return the most memory that the process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(reactor: Any, *arguments: str) -> Deferred[None]:
    """Parse the command line and run."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--files", type=int, default=100_000)
    return Deferred.fromCoroutine(run(reactor, line.parse_args(arguments).files))


if __name__ == "__main__":
    react(main, sys.argv[1:])
