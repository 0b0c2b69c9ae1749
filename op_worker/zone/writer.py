"""Keeps what the zone told us: the newest state of each resource is written, in the background."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import Key, PersistenceUnavailable
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService
from op_worker.zone.resources import Resource
from op_worker.zone.store import SELF, SPACES, USERS, ZoneStore
from op_worker.zone.topics import Kind, Topic

_RETRY_S = 1.0


class ZoneWriter(TaskService):
    """Writes resources one after the other; a resource that changes again while it waits is written once."""

    _log = Logger()

    def __init__(self, store: ZoneStore, clock: IReactorTime) -> None:
        super().__init__()
        self._store, self._clock = store, clock
        self._waiting: dict[Topic, Resource | None] = {}
        self._is_writing = False

    def note(self, topic: Topic, resource: Resource | None) -> None:
        """Have a resource written, or forgotten when it is ``None``."""
        self._waiting[topic] = resource
        if not self._is_writing and self.running:
            self._is_writing = True
            self.spawn("keep what the zone told", self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                topic = next(iter(self._waiting))
                resource = self._waiting.pop(topic)
                try:
                    await self._write_one(topic, resource)
                except PersistenceUnavailable:
                    self._waiting.setdefault(topic, resource)
                    await sleep(self._clock, _RETRY_S)
        finally:
            self._is_writing = False

    async def _write_one(self, topic: Topic, resource: Resource | None) -> None:
        key, name = place_of(topic)
        if resource is None:
            await self._store.remove(key, name)
        else:
            await self._store.put(key, name, resource)


def place_of(topic: Topic) -> tuple[Key, str]:
    """Return the document and field in which a topic is kept."""
    match topic.kind:
        case Kind.SPACE:
            return SPACES, topic.entity_id
        case Kind.USER:
            return USERS, topic.entity_id
        case _:
            return SELF, topic.kind.value
