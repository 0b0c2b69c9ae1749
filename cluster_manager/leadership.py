"""Which manager leads, and in which term. With one manager it is always that one."""

from __future__ import annotations

from typing import Protocol


class Leadership(Protocol):
    """Says whether this manager may lead a cluster.

    Terms only grow: a manager that leads later has a greater term than all before it, and workers
    drop what an older term says.
    """

    @property
    def term(self) -> int:
        """The term in which this manager leads."""


class SoleManager:
    """The only manager there is: it leads from its start, and its term is when it started.

    Args:
        started_s: seconds since the epoch. A clock that was set back does no lasting harm: workers
            tell the epoch they have seen when they register, and the manager goes past it.
    """

    def __init__(self, started_s: float) -> None:
        self._term = int(started_s * 1000)

    @property
    def term(self) -> int:
        return self._term
