"""Keeps what the zone told us: the newest state of each resource is written, in the background."""

from __future__ import annotations

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import Key, PersistenceUnavailable
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService
from op_worker.zone.resources import Resource
from op_worker.zone.store import SELF, SPACES, USERS, ZoneStore
from op_worker.zone.topics import Kind, Topic

_RETRY_S = 1.0


@frozen
class _Note:
    """A resource to be written. ``is_answer`` when we asked for it, so that it is how things are now."""

    resource: Resource | None
    is_answer: bool


class ZoneWriter(TaskService):
    """Writes resources one after the other; a resource that changes again while it waits is written once."""

    _log = Logger()

    def __init__(self, store: ZoneStore, clock: IReactorTime) -> None:
        super().__init__()
        self._store, self._clock = store, clock
        self._waiting: dict[Topic, _Note] = {}
        self._is_writing = False
        self._settled: list[Deferred[None]] = []

    def stopService(self) -> Deferred[None]:
        """Write what is left, once."""
        return Deferred.fromCoroutine(self._stop(super().stopService()))

    def note(self, topic: Topic, resource: Resource | None) -> None:
        """Have a resource written that we asked for, or forgotten when it is ``None``."""
        self._add(topic, _Note(resource, is_answer=True))

    def note_news(self, topic: Topic, resource: Resource) -> None:
        """Have a resource written that we were told of, unless another node was told of newer news."""
        earlier = self._waiting.get(topic)
        self._add(topic, _Note(resource, is_answer=earlier is not None and earlier.is_answer))

    async def settled(self) -> None:
        """Return when everything noted so far is written."""
        if self._is_writing:
            waiter: Deferred[None] = Deferred(lambda _: None)
            self._settled.append(waiter)
            await waiter

    def _add(self, topic: Topic, note: _Note) -> None:
        self._waiting[topic] = note
        if not self._is_writing and self.running:
            self._is_writing = True
            self.spawn("keep what the zone told", self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                try:
                    await self._write_next()
                except PersistenceUnavailable:
                    await sleep(self._clock, _RETRY_S)
        finally:
            self._is_writing = False
            waiters, self._settled = self._settled, []
            for waiter in waiters:
                waiter.callback(None)

    async def _stop(self, tasks_ended: Deferred[None]) -> None:
        await tasks_ended
        try:
            while self._waiting:
                await self._write_next()
        except PersistenceUnavailable:
            self._log.warn("what the zone told last is not kept: the store is away")

    async def _write_next(self) -> None:
        """Write what waits for longest; it waits until it is written. Raises: PersistenceUnavailable."""
        topic, note = next(iter(self._waiting.items()))
        await self._write_one(topic, note)
        if self._waiting.get(topic) is note:
            del self._waiting[topic]

    async def _write_one(self, topic: Topic, note: _Note) -> None:
        key, name = place_of(topic)
        if note.resource is None:
            await self._store.remove(key, name)
        elif note.is_answer:
            await self._store.put(key, name, note.resource)
        else:
            await self._store.put_news(key, name, note.resource)


def place_of(topic: Topic) -> tuple[Key, str]:
    """Return the document and field in which a topic is kept."""
    match topic.kind:
        case Kind.SPACE:
            return SPACES, topic.entity_id
        case Kind.USER:
            return USERS, topic.entity_id
        case _:
            return SELF, topic.kind.value
