"""What a fault is: what is done to the arena, how it is undone, and which nodes should serve meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

from attrs import frozen

from tests.faults.arena import WORKERS, Arena
from tests.support.links import Condition
from tests.support.network import Direction

Conditions = Mapping[Direction, Condition]


class Needs(Enum):
    """Where metadata must be kept for a fault to make sense."""

    ANY = "any"
    ONE_SERVER = "one server"
    SENTINEL = "sentinel"

    def goes_with(self, other: Needs) -> bool:
        """Whether both can be had at once."""
        return Needs.ANY in (self, other) or self is other


def _nothing(_: Arena) -> None:
    """There is nothing to do."""


def _no_links(_: Arena) -> Conditions:
    return {}


def _certainly(_: Arena) -> bool:
    return True


@frozen(kw_only=True)
class Fault:
    """One fault.

    Attributes:
        group: what kind of thing is hurt; two faults of one group make no pair.
        links: the conditions of links while it lasts.
        shows: whether the arena is hurt, asked just before the healing.
        serving: the workers through which everything should be served while it lasts.
    """

    name: str
    group: str
    lasts_s: float
    inject: Callable[[Arena], None] = _nothing
    heal: Callable[[Arena], None] = _nothing
    links: Callable[[Arena], Conditions] = _no_links
    shows: Callable[[Arena], bool] = _certainly
    serving: tuple[str, ...] = WORKERS
    needs: Needs = Needs.ANY
