"""One writer at a time for each upload: in this process by a set, between nodes by a lease."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import Engine, Lease, PersistenceError
from onedata.errors import UploadBusy

LEASE_S = 20.0


@define(eq=False)
class Turn:
    """The right to write to one upload; ask ``keep`` before each write."""

    _engine: Engine
    _clock: IReactorTime
    _lease: Lease
    _since_s: float

    async def keep(self) -> None:
        """Return while the right is surely ours. Raises: UploadBusy when another node took it over."""
        now_s = self._clock.seconds()
        if now_s - self._since_s < LEASE_S / 2:
            return
        lease = await self._engine.acquire(self._lease.name, self._lease.owner, LEASE_S)
        if lease is not None and lease.token != self._lease.token:
            await self._engine.release(lease)  # somebody had it in between, and gave it back
            lease = None
        if lease is None:
            raise UploadBusy()
        self._since_s = now_s

    async def end(self) -> None:
        """Give the right back."""
        await self._engine.release(self._lease)


@define(eq=False)
class Turns:
    """Gives turns. A restarted node goes on at once with what it was writing when it died."""

    _engine: Engine
    _clock: IReactorTime
    _node_name: str
    _busy: set[str] = field(factory=set)
    _log = Logger()

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[Turn]:
        """Hold the right to write for the body. Raises: UploadBusy."""
        if name in self._busy:
            raise UploadBusy()
        self._busy.add(name)
        try:
            since_s = self._clock.seconds()
            lease = await self._engine.acquire(f"upload {name}", self._node_name, LEASE_S)
            if lease is None:
                raise UploadBusy()
            turn = Turn(self._engine, self._clock, lease, since_s)
            try:
                yield turn
            finally:
                await self._end(turn)
        finally:
            self._busy.discard(name)

    async def _end(self, turn: Turn) -> None:
        try:
            await turn.end()
        except PersistenceError as error:
            self._log.warn("a lease of an upload ends by itself: {error}", error=error)
