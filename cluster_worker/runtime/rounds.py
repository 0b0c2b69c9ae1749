"""Work on a key that may be asked for at any time: one run at a time, and once more when asked meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from attrs import define, field
from twisted.logger import Logger

from cluster_worker.runtime.services import TaskOwner

K = TypeVar("K")


@define(eq=False)
class Rounds(Generic[K]):
    """Does ``work`` in this process, for each key by itself.

    Args:
        name: of the work, for the log.
        tasks: own what runs.
        work: what is done with a key.
        passing: what ends the rounds of a key with a warning; whoever asks next begins anew.
    """

    _name: str
    _tasks: TaskOwner
    _work: Callable[[K], Awaitable[object]]
    _passing: tuple[type[Exception], ...]
    _running: set[K] = field(init=False, factory=set)
    _again: set[K] = field(init=False, factory=set)
    _log = Logger()

    def soon(self, key: K) -> None:
        """Begin, or let what runs go around once more."""
        if key in self._running:
            self._again.add(key)
        else:
            self._running.add(key)
            self._tasks.spawn(self._name, self._run(key))

    async def _run(self, key: K) -> None:
        try:
            while True:
                self._again.discard(key)
                await self._work(key)
                if key not in self._again:
                    return
        except self._passing as error:
            self._log.warn("{work} of {key} goes on later: {error}", work=self._name, key=key, error=error)
        finally:
            self._running.discard(key)
