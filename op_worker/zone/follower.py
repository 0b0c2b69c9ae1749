"""Follows resources of the zone: fetches them, takes over what is pushed, keeps them for later runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

from twisted.internet.defer import Deferred, FirstError, gatherResults
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
from op_worker.zone.store import SELF, SPACES, StoredZone, ZoneStore
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
        self._store, self._graph = store, graph
        self._locks = KeyedLocks()
        self._writer = ZoneWriter(store, clock)
        self._writer.setServiceParent(self)
        self._tasks = TaskService()
        self._tasks.setServiceParent(self)
        self._wanted: set[SpaceId] = set()
        self._is_following = False

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
        await _each(map(space_topic, list(self.known.spaces)), self._fetch)
        await self.follow_provider(provider_id)
        await _each(map(user_topic, list(self.known.users)), self._fetch)
        await self._follow_spaces({each for user in self.known.users.values() for each in user.spaces})

    async def follow_provider(self, provider_id: ProviderId) -> None:
        """Bring our own record and the spaces that it names up to date."""
        await self._fetch(provider_topic(provider_id))
        await self._follow_spaces(self.known.supported)

    async def follow(self, topic: Topic, is_known: Callable[[], bool]) -> None:
        """Follow one more topic, unless ``is_known`` by the time its turn has come.

        The spaces of a user are followed soon after.
        """
        async with self._locks.hold(topic):
            if not is_known():
                await self._fetch(topic)
                self._follow_named_by(topic)

    def pushed(self, push: ZonePush) -> None:
        """Take over news of the zone."""
        topic = topic_of(push.gri)
        if topic is None:
            return
        if isinstance(push, NosubPush):
            self._hide(topic, push.gri)
            if push.gri != topic.gris[-1]:
                self._follow_soon([SpaceId(topic.entity_id)])
        elif push.update_type is UpdateType.DELETED:
            self._forget(topic)
        elif push.data is not None:
            self._take(topic, push.data, self._writer.note_news)
            self._follow_named_by(topic)

    async def take_over(self, provider_id: ProviderId) -> None:
        """Take over what other nodes were told of our supports, and wrote down. Raises: PersistenceError."""
        own = await self._store.resources(SELF, [Kind.PROVIDER.value])
        self._take_newer((provider_topic(provider_id), each) for each in own.values())
        missing = [each for each in self.known.supported if not self.known.knows_enough_of(each)]
        if missing:
            spaces = await self._store.resources(SPACES, missing)
            self._take_newer((space_topic(SpaceId(key)), each) for key, each in spaces.items())

    async def settled(self) -> None:
        """Return when the other nodes can take over all that was told so far."""
        await self._writer.settled()

    def _take_newer(self, resources: Iterable[tuple[Topic, Resource]]) -> None:
        self._restore(one for one in resources if self.known.is_behind(*one))

    def _follow_named_by(self, topic: Topic) -> None:
        """Follow the spaces that a resource names: those that we support, and all of our users."""
        if topic.kind is Kind.PROVIDER:
            self._follow_soon(self.known.supported)
        elif topic.kind is Kind.USER:
            user = self.known.users.get(UserId(topic.entity_id))
            self._follow_soon(() if user is None else user.spaces)

    def _follow_soon(self, space_ids: Iterable[SpaceId]) -> None:
        self._wanted.update(each for each in space_ids if not self.known.knows_enough_of(each))
        if self._wanted and not self._is_following and self._tasks.running:
            self._is_following = True
            self._tasks.spawn("follow spaces", self._follow_wanted())

    async def _follow_wanted(self) -> None:
        """Follow spaces until no more are wanted; what fails is made up for at the next connection."""
        try:
            while self._wanted:
                wanted, self._wanted = self._wanted, set()
                await self._follow_spaces(wanted)
        except OnedataError as error:
            self._log.warn("new spaces are not known yet: {error}", error=error.description)
        finally:
            self._is_following = False

    async def _follow_spaces(self, space_ids: Collection[SpaceId]) -> None:
        """Follow those of the spaces of which not enough is known."""
        missing = sorted(each for each in space_ids if not self.known.knows_enough_of(each))
        await _each(map(space_topic, missing), self._follow_space)

    async def _follow_space(self, topic: Topic) -> None:
        await self.follow(topic, lambda: self.known.knows_enough_of(SpaceId(topic.entity_id)))

    async def _fetch(self, topic: Topic) -> None:
        """Subscribe to a topic and take its state over; what is gone or not ours to see is forgotten."""
        for gri in topic.gris:
            try:
                resource = await self._graph(gri, Operation.GET)
            except Forbidden:
                self._hide(topic, gri)
            except NotFound:
                self._forget(topic)
                return
            else:
                self._take(topic, resource, self._writer.note)
                return

    def _take(self, topic: Topic, resource: Resource, note: Callable[[Topic, Resource], None]) -> None:
        try:
            if self.known.apply(topic, resource):
                note(topic, resource)
        except MalformedResourceError as error:
            self._log.error("resource {gri} is not understood: {error}", gri=topic.gri.text, error=error)

    def _hide(self, topic: Topic, gri: Gri) -> None:
        """Forget what an address showed that is not ours to see any more."""
        if self.known.is_shown_by(topic, gri):
            self._forget(topic)

    def _forget(self, topic: Topic) -> None:
        self.known.forget(topic)
        self._writer.note(topic, None)

    def _restore(self, resources: Iterable[tuple[Topic, Resource]]) -> None:
        for topic, resource in resources:
            try:
                self.known.apply(topic, resource)
            except MalformedResourceError as error:
                self._log.warn("kept {gri} is not understood: {error}", gri=topic.gri.text, error=error)


async def _each(topics: Iterable[Topic], work: Callable[[Topic], Awaitable[None]]) -> None:
    """Do ``work`` for several topics at a time. Raises: the first failure."""
    remaining = iter(topics)

    async def work_on() -> None:
        for topic in remaining:
            await work(topic)

    workers = [Deferred.fromCoroutine(work_on()) for _ in range(_AT_ONCE)]
    try:
        await gatherResults(workers, consumeErrors=True)
    except FirstError as error:
        error.subFailure.raiseException()
