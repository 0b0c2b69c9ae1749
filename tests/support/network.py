"""Hosts on a network whose links can be cut, slowed and made to lose packets.

To be used inside namespaces of the caller's own (``isolation.py``): ``Network`` gives the caller's namespace
an address on the network too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.links import Condition, as_order

ROOT = Path(__file__).resolve().parents[2]
HERE = "client"
"""The name of the caller's own place on the network."""

Direction = tuple[str, str]
"""Names of the sending and the receiving host."""


class Network:
    """A running network of ``hosts`` (name → address); ``close`` removes it, and so does our death.

    Args:
        here: the address of the caller's own namespace.
    """

    def __init__(self, here: str, hosts: Mapping[str, str]) -> None:
        self.addresses = {HERE: here, **hosts}
        self._switch = subprocess.Popen(
            [sys.executable, "-m", "tests.support.network_switch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._descriptors: Mapping[str, int] = self._ask({"here": here, "hosts": dict(hosts)})

    def inside(self, host: str) -> Sequence[str]:
        """Return the words that, put before a command, run it on ``host``."""
        return ["nsenter", f"--net=/proc/{self._switch.pid}/fd/{self._descriptors[host]}", "--"]

    def shape(self, conditions: Mapping[Direction, Condition]) -> Mapping[str, int]:
        """Put these links into these conditions and all others in order; return the counts of packets."""
        orders = [
            as_order(self.addresses[source], self.addresses[target], condition)
            for (source, target), condition in conditions.items()
        ]
        counts: Mapping[str, int] = self._ask(orders)
        return counts

    def close(self) -> None:
        """Remove the network; whoever still runs on it is alone."""
        assert self._switch.stdin is not None
        self._switch.stdin.close()
        self._switch.wait(10)

    def _ask(self, order: object) -> Any:
        assert self._switch.stdin is not None and self._switch.stdout is not None
        self._switch.stdin.write(json.dumps(order) + "\n")
        self._switch.stdin.flush()
        line = self._switch.stdout.readline()
        assert line, "the network has ended"
        return json.loads(line)


def both_ways(first: Iterable[str], second: Iterable[str]) -> Iterable[Direction]:
    """Return both directions of every link between two groups of hosts."""
    pairs = [(one, other) for one in first for other in second if one != other]
    return dict.fromkeys([*pairs, *((other, one) for one, other in pairs)])
