"""Where work without a key should be done: load advice from heartbeats. Pure arithmetic.

A node's load is (3·cpu + mem) / 4, at least 0.1. A node is overloaded when its load is above 30, above
the average and above 1.5 times the least. It keeps the share least/load and gives the others least/load
of theirs, divided by the number of overloaded nodes; shares are normalised. Only the 32 least loaded nodes
are given anything, so that advice does not grow with the cluster; a node that is not overloaded is told of
itself only. What a node is given makes it busier soon: in the next round its load is discounted by
sum/(1+sum) of the shares it was given, so that the same surge does not move it twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import nsmallest

from attrs import field, frozen

LEAST_LOAD = 0.1
MOST_RECEIVERS = 32
_BUSY_LOAD = 30.0
_BUSY_FACTOR = 1.5
_FULL = 100.0


@frozen
class NodeLoad:
    """The figures of a heartbeat in per cent, and when it came (seconds of a steady clock)."""

    cpu: float
    mem: float
    at: float


@frozen
class Advice:
    """For one node: whether it should give work away, and each node's share (they sum up to 1)."""

    should_delegate: bool
    shares: tuple[tuple[str, float], ...]


@frozen
class Assignment:
    """The advice of one round for every node, and what the next round has to know."""

    advice: Mapping[str, Advice]
    discounts: Mapping[str, float] = field(factory=dict)


def load_of(seen: NodeLoad | None, now: float, stale_s: float) -> float:
    """The load of a node; one that was not heard of for ``stale_s`` counts as 100 % cpu."""
    if seen is None:
        return _FULL
    cpu = _FULL if now - seen.at > stale_s else seen.cpu
    return max(LEAST_LOAD, (3 * cpu + seen.mem) / 4)


def assign(loads: Mapping[str, float], discounts: Mapping[str, float]) -> Assignment:
    """Advise every node of ``loads`` (node → load), given the discounts of the round before."""
    if not loads:
        return Assignment({})
    effective = {node: max(LEAST_LOAD, load * (1 - discounts.get(node, 0.0))) for node, load in loads.items()}
    least, busy = min(effective.values()), _busy(effective)
    receivers = sorted(nsmallest(MOST_RECEIVERS, effective, key=lambda node: (effective[node], node)))
    advice = {
        node: _delegate(node, receivers, effective, least, len(busy))
        if node in busy
        else Advice(False, ((node, 1.0),))
        for node in sorted(effective)
    }
    return Assignment(advice, _discounts(advice, busy))


def shares_of_clients(loads: Mapping[str, float]) -> dict[str, float]:
    """The part of new clients for each node: the same for all, less for those that are overloaded."""
    if not loads:
        return {}
    least, busy = min(loads.values()), _busy(loads)
    parts = {node: least / load if node in busy else 1.0 for node, load in loads.items()}
    whole = sum(parts.values())
    return {node: part / whole for node, part in parts.items()}


def _busy(loads: Mapping[str, float]) -> set[str]:
    """The overloaded nodes."""
    least, average = min(loads.values()), sum(loads.values()) / len(loads)
    return {node for node, load in loads.items() if load > max(_BUSY_FACTOR * least, _BUSY_LOAD, average)}


def _delegate(
    node: str, receivers: Sequence[str], loads: Mapping[str, float], least: float, busy: int
) -> Advice:
    parts = {other: least / loads[other] / busy for other in receivers}
    parts[node] = least / loads[node]
    whole = sum(parts.values())
    return Advice(True, tuple((other, part / whole) for other, part in parts.items()))


def _discounts(advice: Mapping[str, Advice], busy: set[str]) -> dict[str, float]:
    given = dict.fromkeys(advice, 0.0)
    for node in busy:
        for other, share in advice[node].shares:
            if other != node:
                given[other] += share
    return {node: total / (1 + total) for node, total in given.items() if total}


def give_away(node: str, loads: Mapping[str, float]) -> Advice:
    """Advise a node that is not to do new work: the less a node of ``loads`` has to do, the more it gets."""
    receivers = nsmallest(MOST_RECEIVERS, loads, key=lambda other: (loads[other], other))
    parts = {other: 1 / loads[other] for other in sorted(receivers)}
    whole = sum(parts.values())
    return Advice(bool(parts), ((node, 0.0), *((other, part / whole) for other, part in parts.items())))
