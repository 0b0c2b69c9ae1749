"""Which faults are injected together: chosen by a seed, each kind of thing in a pair at least once. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

from tests.faults.fault import Fault

Pair = tuple[Fault, Fault]


def choose(faults: Sequence[Fault], count: int, seed: int) -> Sequence[Pair]:
    """Return ``count`` pairs of faults of different groups, or as many as there are.

    First those that bring a fault into a pair which was in none so far, so that few pairs touch much.
    """
    chance = random.Random(seed)
    left = [
        (one, other)
        for one, other in combinations(faults, 2)
        if one.group != other.group and one.needs.goes_with(other.needs)
    ]
    chance.shuffle(left)
    uses = dict.fromkeys((fault.group for fault in faults), 0)
    seen: set[str] = set()
    chosen: list[Pair] = []
    while left and len(chosen) < count:
        best = min(left, key=lambda pair: (sum(fault.name in seen for fault in pair), _uses(uses, pair)))
        left.remove(best)
        chosen.append(best)
        for fault in best:
            uses[fault.group] += 1
            seen.add(fault.name)
    return chosen


def _uses(uses: dict[str, int], pair: Pair) -> int:
    return sum(uses[fault.group] for fault in pair)
