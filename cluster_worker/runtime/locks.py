"""Locks by key, so that state that changes across an ``await`` changes in one order."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from twisted.internet.defer import Deferred


class KeyedLocks:
    """One first-come-first-served lock for each key; a key nobody holds takes no memory."""

    def __init__(self) -> None:
        self._queues: dict[Hashable, deque[Deferred[None]]] = {}
        self._passed_on: dict[Hashable, bool] = {}

    @asynccontextmanager
    async def hold(self, key: Hashable) -> AsyncIterator[None]:
        """Hold ``key`` for the body; waiting may be cancelled."""
        await self._acquire(key)
        try:
            yield
        finally:
            self._release(key)

    def is_held(self, key: Hashable) -> bool:
        """Whether somebody holds ``key`` now."""
        return key in self._queues

    async def _acquire(self, key: Hashable) -> None:
        queue = self._queues.get(key)
        if queue is None:
            self._queues[key] = deque()
            return
        turn: Deferred[None] = Deferred(queue.remove)
        queue.append(turn)
        await turn

    def _release(self, key: Hashable) -> None:
        """Pass the lock on; those who give it back at once come one after another, not one inside another."""
        if key in self._passed_on:
            self._passed_on[key] = False
            return
        queue = self._queues[key]
        while queue:
            self._passed_on[key] = True
            queue.popleft().callback(None)
            if self._passed_on.pop(key):
                return
        del self._queues[key]
