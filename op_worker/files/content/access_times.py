"""Access times: reads are noted in memory and written down in batches, where a space asks for it.

A note that is lost, by a crash or because the file changed meanwhile, is no loss: the next read makes a new
one.
"""

from __future__ import annotations

from attrs import define, evolve, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import (
    Batch,
    Document,
    Engine,
    Key,
    PersistenceError,
    PreconditionFailed,
    Put,
    Scope,
)
from cluster_worker.runtime.clock import WallClock, sleep
from cluster_worker.runtime.services import TaskOwner
from onedata.ids import SpaceId
from op_worker.files import settings
from op_worker.files.stored.documents import TIMES, Times
from op_worker.files.stored.nodes import Node

FLUSH_S = 8.0
MOST_NOTES = 10_000
_BATCH = 100
_DAY_MS = 24 * 60 * 60 * 1000


def is_due(times: Times, now_ms: int) -> bool:
    """Whether a read now changes the access time: it is not after the last change, or a day old."""
    return times.atime_ms <= max(times.mtime_ms, times.ctime_ms) or now_ms - times.atime_ms >= _DAY_MS


@define(eq=False)
class AccessTimes:
    """Notes reads and writes the new access times down every ``FLUSH_S``, or when there are many."""

    _engine: Engine
    _settings: settings.Settings
    _tasks: TaskOwner
    _clock: IReactorTime
    _wall_clock: WallClock
    _notes: dict[tuple[SpaceId, Key], int] = field(factory=dict)
    _is_flushing: bool = False
    _log = Logger()

    async def note(self, space_id: SpaceId, file: Node) -> None:
        """Remember that a file is read now. Never fails its caller."""
        now_ms = int(self._wall_clock() * 1000)
        if not is_due(file.times, now_ms):
            return
        try:
            chosen = (await self._settings.of(space_id)).access_times
        except PersistenceError:
            return
        if chosen is settings.AccessTimes.RELATIVE and len(self._notes) < MOST_NOTES:
            self._notes[space_id, file.key] = now_ms
            if len(self._notes) == MOST_NOTES and not self._is_flushing:
                self._tasks.spawn("access times", self.flush())

    async def run(self) -> None:
        """Write notes down from time to time, for ever."""
        while True:
            await sleep(self._clock, FLUSH_S)
            await self.flush()

    async def flush(self) -> None:
        """Write down what was noted so far; what cannot be written now is dropped."""
        notes, self._notes = self._notes, {}
        by_space: dict[SpaceId, list[tuple[Key, int]]] = {}
        for (space_id, key), at_ms in notes.items():
            by_space.setdefault(space_id, []).append((key, at_ms))
        self._is_flushing = True
        try:
            for space_id, noted in by_space.items():
                for first in range(0, len(noted), _BATCH):
                    await self._write(Scope(space_id), dict(noted[first : first + _BATCH]))
        except PersistenceError as error:
            self._log.warn("access times are dropped: {error}", error=error)
        finally:
            self._is_flushing = False

    async def _write(self, scope: Scope, noted: dict[Key, int]) -> None:
        """Commit some access times together; a file that changed meanwhile is left out."""
        found = await self._engine.get_many(scope, list(noted), [TIMES])
        steps = {
            key: _accessed(key, documents[TIMES], noted[key])
            for key, documents in zip(noted, found, strict=True)
            if TIMES in documents and is_due(Times.decode(documents[TIMES].data), noted[key])
        }
        while steps:
            try:
                await self._engine.commit(scope, Batch(list(steps.values()), announce=list(steps)))
                return
            except PreconditionFailed as refusal:
                assert isinstance(refusal.step, Put)
                del steps[refusal.step.key]


def _accessed(key: Key, found: Document, at_ms: int) -> Put:
    times = evolve(Times.decode(found.data), atime_ms=at_ms)
    return Put(key, TIMES, times.encode(), expect=found.revision)
