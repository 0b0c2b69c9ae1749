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
        queue = self._queues[key]
        if queue:
            queue.popleft().callback(None)
        else:
            del self._queues[key]
