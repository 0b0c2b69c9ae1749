"""Links that are cut, cut one way, late, or lossy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tests.faults.arena import WORKERS, Arena
from tests.faults.fault import Conditions, Fault, Needs
from tests.support.links import CUT, Condition
from tests.support.network import HERE, both_ways

CUT_FOR_S = 6.0
BAD_FOR_S = 5.0
SLOW = Condition(delay_s=0.2)
LOSSY = Condition(loss=0.05)

Hosts = Callable[[Arena], Sequence[str]]


def link_faults() -> Iterator[Fault]:
    """Return the four faults of each kind of link; the first host sends into a one-way cut."""
    first, other = WORKERS
    yield from _bad_links("worker-worker", lambda _: [first], lambda _: [other], WORKERS)
    yield from _bad_links("worker-manager", lambda _: [first], lambda arena: arena.managers, WORKERS)
    yield from _bad_links("worker-redis", lambda _: [first], _redis, (other,), Needs.ONE_SERVER)
    yield from _bad_links("manager-redis", lambda arena: [arena.leader()], _redis, WORKERS, Needs.ONE_SERVER)
    yield from _bad_links("client-worker", lambda _: [HERE], lambda _: [first], (other,))


def _redis(_: Arena) -> Sequence[str]:
    return ["redis"]


def _bad_links(
    kind: str, left: Hosts, right: Hosts, serving: tuple[str, ...], needs: Needs = Needs.ANY
) -> Iterator[Fault]:
    def both(condition: Condition) -> Callable[[Arena], Conditions]:
        return lambda arena: dict.fromkeys(both_ways(left(arena), right(arena)), condition)

    def one_way(arena: Arena) -> Conditions:
        return {(source, target): CUT for source in left(arena) for target in right(arena)}

    def fault(how: str, lasts_s: float, links: Callable[[Arena], Conditions]) -> Fault:
        cut = lasts_s == CUT_FOR_S
        return Fault(
            name=f"{kind} {how}",
            group=kind,
            lasts_s=lasts_s,
            links=links,
            serving=serving if cut else WORKERS,
            needs=needs,
        )

    yield fault("cut", CUT_FOR_S, both(CUT))
    yield fault("cut one way", CUT_FOR_S, one_way)
    yield fault("200 ms late", BAD_FOR_S, both(SLOW))
    yield fault("loses 5 %", BAD_FOR_S, both(LOSSY))
