"""Decisions on their way out: what they change is stored before anybody is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import frozen

from cluster_manager.membership.events import Effects
from cluster_manager.membership.remembered import Remembered
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.wire.epochs import Epoch

Save = Callable[[Remembered | None], Awaitable[bool]]
"""Stores what must be remembered; whether that was possible. When not, nobody may be told anything."""


@frozen
class _Decision:
    remembered: Remembered | None
    epoch: Epoch
    effects: Effects


class Decisions:
    """Performs effects in the order in which they were decided.

    Those that change nothing that has to be remembered are performed at once, unless others wait. While a
    save is under way decisions pile up, and the next save covers them all.

    Attributes:
        epoch: of the latest decision that was carried out; what is said meanwhile carries it.
    """

    def __init__(
        self,
        remembered: Remembered | None,
        epoch: Epoch,
        save: Save,
        perform: Callable[[Effects], None],
        tasks: TaskOwner,
    ) -> None:
        self.epoch = epoch
        self._remembered, self._save, self._perform, self._tasks = remembered, save, perform, tasks
        self._waiting: list[_Decision] = []
        self._is_busy = False

    def take(self, remembered: Remembered | None, epoch: Epoch, effects: Effects) -> None:
        """Store ``remembered`` if it is news, then carry out ``effects``."""
        self._waiting.append(_Decision(remembered, epoch, effects))
        if not self._is_busy:
            self._is_busy = True
            self._tasks.spawn("decisions", self._carry_out())

    async def _carry_out(self) -> None:
        try:
            while self._waiting:
                decisions, self._waiting = self._waiting, []
                remembered = decisions[-1].remembered
                if remembered != self._remembered:
                    if not await self._save(remembered):
                        return
                    self._remembered = remembered
                for decision in decisions:
                    self.epoch = decision.epoch
                    self._perform(decision.effects)
        finally:
            self._is_busy = False
