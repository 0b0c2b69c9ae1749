"""Waiting for a slot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred

from cluster_worker.jobs.scheduling import Turns


@define(eq=False)
class Ticket:
    """Somebody who waits, or has a slot."""

    task: str
    group: str
    priority: int
    turn: Deferred[None] = field(factory=Deferred)
    has_slot: bool = True


class Slots:
    """A bounded number of slots, given out in turns. ``limit`` is asked at each step, for it may change."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._turns: Turns[Ticket] = Turns(limit())

    @property
    def busy(self) -> int:
        """How many are taken."""
        return self._turns.busy

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return self._turns.waiting

    @asynccontextmanager
    async def turn(self, task: str, group: str, priority: int) -> AsyncIterator[None]:
        """Have a slot for the body; waiting may be cancelled."""
        ticket = Ticket(task, group, priority)
        self._turns.ask(ticket)
        self._give_out()
        try:
            await ticket.turn
        except CancelledError:
            self._turns.withdraw(ticket)
            raise
        try:
            yield
        finally:
            if ticket.has_slot:
                self._turns.free()
                self._give_out()

    def let_through(self, task: str) -> None:
        """Let what waits of a task go on without a slot: it is to be cancelled, which takes little."""
        for ticket in self._turns.waiting_of(task):
            self._turns.withdraw(ticket)
            ticket.has_slot = False
            ticket.turn.callback(None)

    def _give_out(self) -> None:
        self._turns.limit = self._limit()
        while (ticket := self._turns.grant()) is not None:
            ticket.turn.callback(None)


@frozen(eq=False)
class PoolSlots:
    """The slots of one pool on this node."""

    tasks: Slots
    masters: Slots
    slaves: Slots
