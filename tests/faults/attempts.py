"""What clients tried and what came of it; how long service was missing. Pure; times in seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from itertools import pairwise

from attrs import frozen


class Outcome(Enum):
    """What a client knows about one attempt."""

    DONE = "done"
    REFUSED = "refused"
    """Answered, and without effect: the file is not there, somebody else was faster."""
    UNREACHABLE = "unreachable"
    """Never sent."""
    UNABLE = "unable"
    """Answered: not now, and without effect; the disk is full."""
    UNKNOWN = "unknown"
    """Sent, and no answer or one that does not tell."""


@frozen(kw_only=True)
class Attempt:
    """One request of one client to one node, on one steady clock."""

    client: str
    node: str
    kind: str
    invoked: float
    completed: float
    outcome: Outcome
    detail: str = ""

    @property
    def served(self) -> bool:
        """Whether the node did its duty: a refusal for good reasons is service too."""
        return self.outcome in (Outcome.DONE, Outcome.REFUSED)


def longest_pause(attempts: Iterable[Attempt], since: float, until: float) -> float:
    """Return the longest time within [since, until] in which one client had no operation done.

    The clients are compared one by one; the worst of them counts.
    """
    done: Mapping[str, list[float]] = defaultdict(list)
    for one in attempts:
        moments = done[one.client]
        if one.outcome is Outcome.DONE and since < one.completed < until:
            moments.append(one.completed)
    return max((_widest_gap([since, *sorted(moments), until]) for moments in done.values()), default=0.0)


def _widest_gap(moments: Sequence[float]) -> float:
    return max(later - earlier for earlier, later in pairwise(moments))


def full_service_at(
    attempts: Iterable[Attempt], nodes: Collection[str], kinds: Collection[str], since: float, streak: int
) -> float | None:
    """Return when service through all ``nodes`` was complete again; None while it is not.

    That is the moment from which on each node did ``streak`` operations of each kind in a row, the earliest
    one after ``since``, given that attempts of one node are made one after another.
    """
    by_node: Mapping[str, list[Attempt]] = defaultdict(list)
    for one in attempts:
        if one.invoked >= since and one.node in nodes:
            by_node[one.node].append(one)
    moments = [_streak_from(by_node[node], kinds, streak) for node in nodes]
    return None if None in moments else max((one for one in moments if one is not None), default=since)


def _streak_from(attempts: Sequence[Attempt], kinds: Collection[str], streak: int) -> float | None:
    """Return when the first long enough row of served attempts began: the end of its first operation."""
    began: float | None = None
    counts: dict[str, int] = {}
    for one in sorted(attempts, key=lambda attempt: attempt.invoked):
        if not one.served:
            began, counts = None, {}
            continue
        began = one.completed if began is None else began
        counts[one.kind] = counts.get(one.kind, 0) + 1
        if all(counts.get(kind, 0) >= streak for kind in kinds):
            return began
    return None
