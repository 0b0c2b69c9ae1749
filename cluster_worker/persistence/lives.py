"""Lives of nodes: each run of a process shows that it goes on, so that others finish what it leaves."""

from __future__ import annotations

import re

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import Engine, Lease, PersistenceError
from cluster_worker.persistence.leases import take
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.randomness import RandomBytes
from cluster_worker.runtime.services import TaskService

SHOWN_S = 4.0
"""A life that was not shown for so long is over for others."""
_SHOW_S = 1.0
_RETRY_S = 0.25
_MARGIN_S = 1.0
_ASK_S = 1.0
_LIFE = re.compile(r"(?P<node>.+)-[0-9a-f]{8}", re.DOTALL)


class Lives(TaskService):
    """Shows the life of this process while it runs, and tells whether another one is over.

    A life that is over may turn out to have slept. So whoever takes over what it left must fence it: change
    something that the sleeper's next commit demands to be as it was.

    Args:
        node_name: ours; no two nodes that run at the same time have the same.
    """

    _log = Logger()

    def __init__(
        self, engine: Engine, node_name: str, random_bytes: RandomBytes, clock: IReactorTime
    ) -> None:
        super().__init__()
        self._engine, self._random_bytes, self._clock = engine, random_bytes, clock
        self._node = node_name.replace("/", "_")
        self._lease: Lease | None = None
        self._shown_s = float("-inf")
        self._lapses = 0
        self._own = ""
        self.begin_anew()

    @property
    def own(self) -> str:
        """The name of this life: the node's, a dash and eight digits; without slashes."""
        return self._own

    @property
    def is_sure(self) -> bool:
        """Whether this life is surely not over for anybody now."""
        return self._clock.seconds() < self._shown_s + SHOWN_S - _MARGIN_S

    @property
    def lapses(self) -> int:
        """How often this life may have been over for others since the process began.

        Who saw the same number before, and is sure now, was not taken over in between.
        """
        return self._lapses

    def begin_anew(self) -> None:
        """Go on as another life, because somebody took over what this one had left."""
        self._own = f"{self._node}-{self._random_bytes(4).hex()}"
        self._shown_s = float("-inf")

    def startService(self) -> None:
        super().startService()
        self.spawn("show that this node lives", self._show_for_ever())

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._end(super().stopService()))

    async def is_over(self, life: str) -> bool:
        """Whether nobody lives this life now. Earlier lives of this node are over.

        Raises: PersistenceUnavailable.
        """
        if life == self._own:
            return False
        if node_of(life) == self._node:
            return True
        lease = await take(self._engine, _lease_of(life), self._own, _ASK_S)
        if lease is None:
            return False
        await self._engine.release(lease)
        return True

    async def _show_for_ever(self) -> None:
        while True:
            await sleep(self._clock, _SHOW_S if await self._show() else _RETRY_S)

    async def _show(self) -> bool:
        now_s, own = self._clock.seconds(), self._own
        try:
            lease = await take(self._engine, _lease_of(own), own, SHOWN_S)
        except PersistenceError as error:
            self._log.debug("this life cannot be shown now: {error}", error=error)
            return False
        if lease is None or own != self._own:
            return False  # somebody asks just now whether it is over, or it is
        self._lapses += not self.is_sure
        self._lease, self._shown_s = lease, now_s
        return True

    async def _end(self, tasks_ended: Deferred[None]) -> None:
        await tasks_ended
        lease, self._lease, self._shown_s = self._lease, None, float("-inf")
        if lease is not None:
            try:
                await self._engine.release(lease)
            except PersistenceError:
                return  # it runs out by itself


def node_of(life: str) -> str:
    """Return the node that a life is one of."""
    found = _LIFE.fullmatch(life)
    return life if found is None else found["node"]


def _lease_of(life: str) -> str:
    return f"life:{life}"
