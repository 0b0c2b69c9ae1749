"""Changing the zone: decided on the records in memory, committed to the engine, then seen by all.

The change feed of scope ``zone`` is the one log: this node and every other one follow it, load what
changed, and tell those who listen (Graph Sync).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import (
    Batch,
    Check,
    Delete,
    Engine,
    Key,
    Link,
    PersistenceUnavailable,
    PreconditionFailed,
    Put,
    Scope,
    Seq,
    Step,
    Unlink,
)
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.services import TaskService
from onedata.errors import ServiceUnavailable
from oz_worker.draft import Draft
from oz_worker.records import Record, UnreadableRecord, decode, encode
from oz_worker.state import ZoneState

ZONE: Final = Scope("zone")
FIELD: Final = "record"
PAGE: Final = 500
TRIES: Final = 10
RETRY_S: Final = 1.0

T = TypeVar("T")
Listener = Callable[[Collection[Key]], None]


class ZoneStore(TaskService):
    """The zone's records on an engine.

    ``load`` must have returned before anything else is asked. Changes of one node happen one after
    another (a zone changes rarely); changes of other nodes are met by revisions and retried.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, engine: Engine) -> None:
        super().__init__()
        self._clock, self._engine = clock, engine
        self.state = ZoneState()
        self._locks = KeyedLocks()
        self._listeners: list[Listener] = []
        self._unwatch: Callable[[], None] | None = None
        self._moved: Deferred[None] | None = None
        self._is_stale = False

    async def load(self) -> None:
        """Read every record and follow the feed from now on, until the service stops.

        Raises: PersistenceUnavailable.
        """
        await self._catch_up()
        if self._unwatch is None:
            self._unwatch = self._engine.watch(self._feed_moved)
            self._is_stale = True
            self.spawn("following the zone's feed", self._follow())

    def stopService(self) -> Deferred[None]:
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
        return super().stopService()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with the keys that changed, after they did; return what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def change(self, decide: Callable[[Draft], T]) -> T:
        """Commit what ``decide`` puts into the draft, and return what it returns.

        ``decide`` may run several times, when another node changed the same records meanwhile. What
        it raises passes through, and nothing is written then.

        Raises: PersistenceUnavailable; ServiceUnavailable after too many collisions.
        """
        async with self._locks.hold(ZONE):
            for _ in range(TRIES):
                draft = Draft(self.state)
                result = decide(draft)
                if not draft.puts and not draft.deletes:
                    return result
                try:
                    await self._engine.commit(ZONE, self._batch(draft))
                except PreconditionFailed as exc:
                    self._log.info("zone change met another one at {step}", step=type(exc.step).__name__)
                    await self._catch_up()
                    continue
                self._apply(draft)
                return result
        raise ServiceUnavailable()

    def _batch(self, draft: Draft) -> Batch:
        steps: list[Step] = []
        for key, record in draft.puts.items():
            steps += self._name_steps(key, record)
            steps.append(Put(key, FIELD, encode(record), expect=self.state.revision(key)))
        for key in sorted(draft.deletes):
            steps += self._name_steps(key, None)
            steps.append(Delete(key, FIELD, expect=self.state.revision(key)))
        for key in sorted(draft.required - draft.puts.keys() - draft.deletes):
            steps.append(Check(key, FIELD, self.state.revision(key)))
        return Batch(steps, announce=[*draft.puts, *sorted(draft.deletes)])

    def _name_steps(self, key: Key, new: Record | None) -> Sequence[Step]:
        old = self.state.find(key)
        before = frozenset() if old is None else old.names()
        after = frozenset() if new is None else new.names()
        holder = key.partition(":")[2].encode()
        gone = [Unlink(Key(f"names:{d}"), n.encode(), holder) for d, n in sorted(before - after)]
        return [*gone, *(Link(Key(f"names:{d}"), n.encode(), holder) for d, n in sorted(after - before))]

    def _apply(self, draft: Draft) -> None:
        for key, record in draft.puts.items():
            self.state.apply(key, self.state.revision(key) + 1, record)
        for key in draft.deletes:
            self.state.apply(key, 0, None)

    def _feed_moved(self, scope: Scope) -> None:
        if scope != ZONE:
            return
        self._is_stale = True
        waiter, self._moved = self._moved, None
        if waiter is not None:
            waiter.callback(None)

    async def _follow(self) -> None:
        while True:
            if not self._is_stale:
                self._moved = Deferred(self._forget_waiter)
                await self._moved
            self._is_stale = False
            try:
                async with self._locks.hold(ZONE):
                    await self._catch_up()
            except PersistenceUnavailable:
                self._is_stale = True
                await sleep(self._clock, RETRY_S)

    def _forget_waiter(self, _: Deferred[None]) -> None:
        self._moved = None

    async def _catch_up(self) -> None:
        while True:
            changes = await self._engine.changes(ZONE, Seq(self.state.seq), PAGE)
            if not changes:
                return
            keys = [change.key for change in changes]
            documents = await self._engine.get_many(ZONE, keys, [FIELD])
            for key, found in zip(keys, documents, strict=True):
                document = found.get(FIELD)
                record = None if document is None else self._decode(key, document.data)
                self.state.apply(key, 0 if document is None else document.revision, record)
            self.state.seq = changes[-1].seq
            self._tell(keys)

    def _decode(self, key: Key, data: bytes) -> Record | None:
        try:
            return decode(key, data)
        except UnreadableRecord as exc:
            self._log.error("zone record {key} cannot be read: {reason}", key=key, reason=str(exc))
            return None

    def _tell(self, keys: Collection[Key]) -> None:
        for listener in list(self._listeners):
            try:
                listener(keys)
            except Exception:  # noqa: BLE001 - one listener's bug must not stop the feed
                self._log.failure("a listener of the zone's feed failed")
