"""Which nodes are told where to do work without a key, and when again. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from attrs import frozen

from cluster_manager.assignment import Advice, Assignment, NodeLoad, assign, give_away, load_of
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.membership_messages import LoadAdvice

REPEAT_S = 5.0
"""Advice that stays the same is repeated so often; a dispatcher is not well 60 s after the last."""


@frozen
class _Told:
    advice: Advice
    epoch: Epoch
    at: float


class LoadAdvisor:
    """Turns heartbeats into advice, round by round. Times are seconds of a steady clock.

    Args:
        heartbeat_interval_s: a node that is silent for twice as long counts as fully loaded.
    """

    def __init__(self, heartbeat_interval_s: float) -> None:
        self._stale_s = 2 * heartbeat_interval_s
        self._loads: dict[str, NodeLoad] = {}
        self._assignment = Assignment({})
        self._told: dict[str, _Told] = {}

    def heard(self, node: str, load: NodeLoad) -> None:
        """A heartbeat came."""
        self._loads[node] = load

    def heard_at(self, node: str) -> float | None:
        """When the last heartbeat of a node came."""
        load = self._loads.get(node)
        return None if load is None else load.at

    def loads(self, nodes: Sequence[str], now: float) -> dict[str, float]:
        """The load of each of ``nodes``."""
        return {node: load_of(self._loads.get(node), now, self._stale_s) for node in nodes}

    def forget(self, node: str) -> None:
        """The node has not got the last advice, or has lost it."""
        self._told.pop(node, None)

    def advise(
        self, nodes: Sequence[str], epoch: Epoch, now: float, draining: Collection[str] = ()
    ) -> Iterator[tuple[str, LoadAdvice]]:
        """The advice of this round for each node for whom it is news, or has to be repeated.

        Work is shared out among ``nodes``; those that are ``draining`` give theirs to them.
        """
        loads = self.loads(nodes, now)
        self._assignment = assign(loads, self._assignment.discounts)
        given = {node: give_away(node, loads) for node in draining if node not in loads}
        for node, advice in [*self._assignment.advice.items(), *given.items()]:
            told = self._told.get(node)
            if told is None or told.advice != advice or told.epoch != epoch or now - told.at >= REPEAT_S:
                self._told[node] = _Told(advice, epoch, now)
                yield node, LoadAdvice(epoch, advice.should_delegate, advice.shares)
