"""Requests of operators on their way through membership: asked, decided, stored, told, then answered."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from twisted.internet.defer import Deferred

from cluster_manager.membership.events import (
    Accepted,
    Declined,
    DrainAsked,
    OperatorAsked,
    RemovalAsked,
    UndrainAsked,
)
from cluster_worker.wire.link_messages import Failed, Result
from cluster_worker.wire.messages import Message
from cluster_worker.wire.operator_messages import DrainNode, LeaveNode, UndrainNode

Resizing = DrainNode | UndrainNode | LeaveNode

_EVENTS: dict[type[Resizing], Callable[[str, int], OperatorAsked]] = {
    DrainNode: DrainAsked,
    UndrainNode: UndrainAsked,
    LeaveNode: RemovalAsked,
}


class OperatorRequests:
    """Keeps those that wait for an answer.

    Args:
        decide: takes what is asked for to membership; its effects come back through ``settle``.
    """

    def __init__(self, decide: Callable[[OperatorAsked], None]) -> None:
        self._decide = decide
        self._tickets = count(1)
        self._waiting: dict[int, Deferred[Message]] = {}

    async def ask(self, request: Resizing) -> Message:
        """Return the answer, when the decision was carried out or declined."""
        ticket = next(self._tickets)

        def forget(_: object) -> None:
            self._waiting.pop(ticket, None)

        answer: Deferred[Message] = Deferred(forget)
        self._waiting[ticket] = answer
        self._decide(_EVENTS[type(request)](request.node, ticket))
        return await answer

    def settle(self, effect: Accepted | Declined) -> None:
        """Answer the request that an effect belongs to."""
        waiter = self._waiting.pop(effect.ticket, None)
        if waiter is not None:
            waiter.callback(
                Failed(effect.code, effect.reason) if isinstance(effect, Declined) else Result(None)
            )

    def close(self) -> None:
        """This manager does not lead any more: it is not known what the next one makes of them."""
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting.values():
            waiter.callback(Failed("notLeader", "this manager has ceased to lead"))
