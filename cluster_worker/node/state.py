"""What a node knows about its cluster at the moment."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from cluster_worker.node.ring import NO_RING, Ring
from cluster_worker.wire.epochs import NO_EPOCH, Epoch
from cluster_worker.wire.membership_messages import LoadAdvice, RingUpdate

OK, OUT_OF_SYNC = "ok", "out_of_sync"
NO_ADVICE = "error: no_lb_advice_received"
ADVICE_LIFETIME_S = 60.0


class NodeState:
    """Written by whoever speaks with the manager, read by everybody.

    Attributes:
        joined: whether a manager counts this node as a member now.
        ready: whether the cluster has become ready since this node (re)started.
        is_draining: whether this node is to get nothing new: it gives background work back, and serves
            what it is asked for.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self.joined = False
        self.ready = False
        self.ring: Ring = NO_RING
        self.ring_epoch: Epoch = NO_EPOCH
        self.advice: LoadAdvice | None = None
        self._advised_at_s = 0.0
        self.is_draining = False
        self._waiting: list[Deferred[None]] = []
        self._on_draining: list[Callable[[bool], None]] = []

    def use_ring(self, update: RingUpdate, node_name: str) -> None:
        """This is the ring now; those who watch learn when this node begins or ceases to drain."""
        self.ring = Ring(
            nodes=[address.node for address in update.nodes],
            table=update.table,
            owners=max(1, update.owners),
            away=frozenset(update.away),
            draining=frozenset(update.draining),
        )
        self.ring_epoch = update.epoch
        self._drain(node_name in update.draining)

    def watch_draining(self, told: Callable[[bool], None]) -> None:
        """Call ``told`` whenever ``is_draining`` has changed, with what it is then."""
        self._on_draining.append(told)

    def _drain(self, is_draining: bool) -> None:
        if is_draining is not self.is_draining:
            self.is_draining = is_draining
            for told in self._on_draining:
                told(is_draining)

    def use_advice(self, advice: LoadAdvice) -> None:
        self.advice, self._advised_at_s = advice, self._clock.seconds()

    def become_ready(self) -> None:
        self.ready = True
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(None)

    def start_over(self) -> None:
        """The node forgets its boot."""
        self.joined = self.ready = False
        self.ring, self.ring_epoch, self.advice = NO_RING, NO_EPOCH, None
        self._drain(False)

    async def until_ready(self) -> None:
        """Return when the cluster is ready; may be cancelled."""
        if not self.ready:
            waiter: Deferred[None] = Deferred(self._waiting.remove)
            self._waiting.append(waiter)
            await waiter

    def node_manager_status(self, *, booting: bool) -> str:
        """``ok`` when connected and ready; while the cluster boots, connected is enough."""
        return OK if self.joined and (self.ready or booting) else OUT_OF_SYNC

    def dispatcher_status(self) -> str:
        if self.advice is None:
            return NO_ADVICE
        return OK if self._clock.seconds() - self._advised_at_s <= ADVICE_LIFETIME_S else OUT_OF_SYNC
