"""Follows resources of the zone: fetches them, takes over what is pushed, keeps them for later runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.services import OrderedService, TaskService
from onedata.errors import Forbidden, NotFound, OnedataError
from onedata.graphsync import Gri, NosubPush, Operation, UpdateType
from onedata.ids import ProviderId, SpaceId, UserId
from op_worker.zone.known import KnownZone
from op_worker.zone.resources import MalformedResourceError, Resource
from op_worker.zone.session import ZonePush
from op_worker.zone.store import StoredZone, ZoneStore
from op_worker.zone.topics import (
    Kind,
    Topic,
    provider_topic,
    space_topic,
    token_events_topic,
    topic_of,
    user_topic,
)
from op_worker.zone.writer import ZoneWriter

Graph = Callable[[Gri, Operation], Awaitable[Mapping[str, object]]]
"""Runs an operation on a resource of the zone, subscribing to what is read."""

_AT_ONCE = 8


class ZoneFollower(OrderedService):
    """What is known of the zone, and how it is kept current.

    Attributes:
        known: what the zone told last.
    """

    _log = Logger()

    def __init__(self, store: ZoneStore, clock: IReactorTime, graph: Graph) -> None:
        super().__init__()
        self.known = KnownZone()
        self._graph = graph
        self._locks = KeyedLocks()
        self._writer = ZoneWriter(store, clock)
        self._writer.setServiceParent(self)
        self._tasks = TaskService()
        self._tasks.setServiceParent(self)

    def restore(self, stored: StoredZone, provider_id: ProviderId) -> None:
        """Take over what earlier runs were told."""
        own = {"provider": provider_topic(provider_id), "token_events": token_events_topic(provider_id)}
        self._restore((own[name], each) for name, each in stored.own.items() if name in own)
        self._restore((space_topic(SpaceId(key)), each) for key, each in stored.spaces.items())
        self._restore((user_topic(UserId(key)), each) for key, each in stored.users.items())

    async def follow_all(self, provider_id: ProviderId) -> None:
        """Bring everything that is followed up to date. Raises: NoConnectionToOnezone; OnedataError."""
        self.known.forget_revisions()
        await self._fetch(token_events_topic(provider_id))
        await self._fetch_each(map(space_topic, list(self.known.spaces)))
        await self.follow_provider(provider_id)
        await self._fetch_each(map(user_topic, list(self.known.users)))

    async def follow_provider(self, provider_id: ProviderId) -> None:
        """Bring our own record and the spaces that it names up to date."""
        await self._fetch(provider_topic(provider_id))
        await self._follow_new_spaces()

    async def follow(self, topic: Topic, is_known: Callable[[], bool]) -> None:
        """Follow one more topic, unless ``is_known`` by the time its turn has come."""
        async with self._locks.hold(topic):
            if not is_known():
                await self._fetch(topic)

    def pushed(self, push: ZonePush) -> None:
        """Take over news of the zone."""
        topic = topic_of(push.gri)
        if topic is None:
            return
        if isinstance(push, NosubPush) or push.update_type is UpdateType.DELETED:
            self._forget(topic)
        elif push.data is not None:
            self._take(topic, push.data)
            if topic.kind is Kind.PROVIDER:
                self._tasks.spawn("follow newly supported spaces", self._follow_new_spaces_quietly())

    async def _follow_new_spaces(self) -> None:
        missing = self.known.supported - self.known.spaces.keys()
        await self._fetch_each(map(space_topic, sorted(missing)))

    async def _follow_new_spaces_quietly(self) -> None:
        try:
            await self._follow_new_spaces()
        except OnedataError as error:
            self._log.warn("new spaces are not known yet: {error}", error=error.description)

    async def _fetch_each(self, topics: Iterable[Topic]) -> None:
        """Fetch several at a time; the first failure ends it."""
        remaining = iter(topics)

        async def fetch_remaining() -> None:
            for topic in remaining:
                await self._fetch(topic)

        workers = [Deferred.fromCoroutine(fetch_remaining()) for _ in range(_AT_ONCE)]
        await gatherResults(workers, consumeErrors=True)

    async def _fetch(self, topic: Topic) -> None:
        """Subscribe to a topic and take its state over; what is gone or not ours to see is forgotten."""
        try:
            resource = await self._graph(topic.gri, Operation.GET)
        except (NotFound, Forbidden):
            self._forget(topic)
        else:
            self._take(topic, resource)

    def _take(self, topic: Topic, resource: Resource) -> None:
        try:
            if self.known.apply(topic, resource):
                self._writer.note(topic, resource)
        except MalformedResourceError as error:
            self._log.error("resource {gri} is not understood: {error}", gri=topic.gri.text, error=error)

    def _forget(self, topic: Topic) -> None:
        self.known.forget(topic)
        self._writer.note(topic, None)

    def _restore(self, resources: Iterable[tuple[Topic, Resource]]) -> None:
        for topic, resource in resources:
            try:
                self.known.apply(topic, resource)
            except MalformedResourceError as error:
                self._log.warn("kept {gri} is not understood: {error}", gri=topic.gri.text, error=error)
