"""Runs scenarios in namespaces of their own, and hands back their figures one by one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.faults.figures import Figures
from tests.support.isolation import isolated

ROOT = Path(__file__).resolve().parents[2]

SOME: Sequence[Sequence[str]] = (
    ("kill -9 of op-worker",),
    ("pause of redis server",),
    ("kill -9 of leading manager", "worker-redis loses 5 %"),
    ("client-worker cut one way",),
    ("kill -9 of redis primary",),
)
"""What every test run injects; the rest takes a command of its own."""


class SuiteFailed(Exception):
    """The suite itself ended early; the text is what it wrote last."""


def run(scenarios: Sequence[Sequence[str]], folder: Path) -> Iterator[Figures]:
    """Run scenarios, each a list of names of faults injected together. Raises: SuiteFailed.

    Args:
        folder: gets everything that the arenas leave: configurations, logs, data.
    """
    command = isolated([sys.executable, "-m", "tests.faults.inside"])
    with (folder / "suite.log").open("w+") as log:
        inside = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT
        )
        assert inside.stdin is not None and inside.stdout is not None
        order = {"folder": str(folder), "scenarios": [list(names) for names in scenarios]}
        inside.stdin.write(json.dumps(order) + "\n")
        inside.stdin.flush()
        try:
            for line in inside.stdout:
                yield Figures.of_json(json.loads(line))
            if inside.wait():
                log.seek(0)
                raise SuiteFailed(log.read()[-3000:])
        finally:
            inside.kill()  # and with it everything that it started
            inside.wait()
