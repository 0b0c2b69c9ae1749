"""One writer at a time for each upload: in this process by a set, between nodes by its record.

A writer puts the name of its life and a time into the record, and every commit of it demands the record as it
left it: after a takeover it counts no byte any more. Others take over when that life is over, and a writer
that is not sure to be alive for them looks at the record before it writes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from attrs import define, evolve, field
from twisted.logger import Logger

from cluster_worker.persistence.engine import PersistenceError
from cluster_worker.persistence.lives import Lives
from cluster_worker.runtime.clock import WallClock
from onedata.errors import UploadBusy
from op_worker.uploads.records import Upload

LOOK_S = 20.0
"""A writer looks at least this often whether the upload is still the one that it writes."""


@define(eq=False)
class Stored:
    """An upload as it is stored, with the revision of its record.

    ``lapses`` of the life that writes it, as they were when it was claimed.
    """

    upload: Upload
    revision: int
    lapses: int = -1


Save = Callable[[Stored, Upload], Awaitable[None]]
"""Commits a changed record. Raises: UploadBusy when it is not the one that is stored any more."""


@define(eq=False)
class Turns:
    """Gives turns. A restarted node goes on at once with what it was writing when it died."""

    _lives: Lives
    _wall_clock: WallClock
    _save: Save
    _busy: set[str] = field(factory=set)
    _log = Logger()

    @asynccontextmanager
    async def turn(self, stored: Stored) -> AsyncIterator[None]:
        """Hold the right to write for the body; ask ``keep`` before each write. Raises: UploadBusy."""
        upload = stored.upload
        name = f"{upload.space_id} {upload.upload_id}"
        is_free = upload.writer in ("", self._lives.own) or await self._lives.is_over(upload.writer)
        if name in self._busy or not is_free:
            raise UploadBusy()
        self._busy.add(name)
        try:
            await self._claim(stored)
            try:
                yield
            finally:
                await self._end(stored)
        finally:
            self._busy.discard(name)

    async def keep(self, stored: Stored) -> None:
        """Return while the right is surely ours. Raises: UploadBusy when another node took it over."""
        is_ours = self._lives.is_sure and self._lives.lapses == stored.lapses
        if not is_ours or self._wall_clock() - stored.upload.written_s > LOOK_S:
            await self._claim(stored)

    async def _claim(self, stored: Stored) -> None:
        now_s, stored.lapses = self._wall_clock(), self._lives.lapses
        await self._save(stored, evolve(stored.upload, writer=self._lives.own, written_s=now_s))

    async def _end(self, stored: Stored) -> None:
        if not stored.upload.writer:
            return
        try:
            await self._save(stored, evolve(stored.upload, writer=""))
        except (PersistenceError, UploadBusy) as error:
            self._log.warn("the turn at an upload ends by itself: {error}", error=error)
