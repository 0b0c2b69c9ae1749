"""This provider's part in its zone: follows users, spaces and revocations, and asks when it must."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Protocol

from twisted.internet.defer import Deferred, TimeoutError, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.services import OrderedService, TaskService
from onedata.errors import (
    AlreadyExists,
    BadMessage,
    Forbidden,
    NoConnectionToOnezone,
    NotFound,
    OnedataError,
    Timeout,
    UnregisteredOneprovider,
)
from onedata.graphsync import GraphPush, Gri, NosubPush, Operation, Scope, UpdateType
from onedata.ids import ProviderId, SpaceId, StorageId, UserId
from onedata.tokens.subjects import Subject
from op_worker.zone.authority import Presented
from op_worker.zone.channel import ZoneChannel
from op_worker.zone.known import KnownZone
from op_worker.zone.records import SpaceInfo, UserInfo
from op_worker.zone.registering import RegistrationRequest
from op_worker.zone.registration import Registration
from op_worker.zone.resources import MalformedResourceError, Resource
from op_worker.zone.session import OnPush, ZonePush
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

_AT_ONCE = 8
_UNSEEN_S = 30.0
_READY_TIMEOUT_S = 10.0
VERSION = "21.02.8"


class MakeChannel(Protocol):
    """Makes the channel of a registered provider."""

    def __call__(
        self, registration: Registration, on_ready: Callable[[], Awaitable[None]], on_push: OnPush
    ) -> ZoneChannel: ...


Register = Callable[[RegistrationRequest], Awaitable[Registration]]


class ZoneClient(OrderedService):
    """Implements ``Zone`` and what authentication and administration need of a zone.

    Call ``load`` before anything else. Without a registration nothing is known and nobody is asked.
    """

    _log = Logger()

    def __init__(
        self, store: ZoneStore, *, clock: IReactorTime, make_channel: MakeChannel, register: Register
    ) -> None:
        super().__init__()
        self.known = KnownZone()
        self.registration: Registration | None = None
        self._store, self._clock = store, clock
        self._make_channel, self._register = make_channel, register
        self._channel: ZoneChannel | None = None
        self._writer = ZoneWriter(store, clock)
        self._writer.setServiceParent(self)
        self._tasks = TaskService()
        self._tasks.setServiceParent(self)
        self._locks = KeyedLocks()
        self._unseen: dict[SpaceId, float] = {}
        self._ready_waiters: list[Deferred[None]] = []
        self._unwatch: Callable[[], None] = lambda: None

    # -- lifetime ---------------------------------------------------------------------------------

    async def load(self) -> StoredZone:
        """Take over what earlier runs were told; return it. Raises: PersistenceUnavailable."""
        stored = await self._store.load()
        self.registration = stored.registration
        if stored.registration is not None:
            provider_id = stored.registration.provider_id
            own = {"provider": provider_topic(provider_id), "token_events": token_events_topic(provider_id)}
            self._restore((own[name], resource) for name, resource in stored.own.items() if name in own)
            self._restore((space_topic(SpaceId(key)), each) for key, each in stored.spaces.items())
            self._restore((user_topic(UserId(key)), each) for key, each in stored.users.items())
        return stored

    def startService(self) -> None:
        super().startService()
        self._unwatch = self._store.watch_registration(self._registration_moved)
        if self.registration is not None:
            self._open_channel(self.registration)

    def stopService(self) -> Deferred[None]:
        self._unwatch()
        return super().stopService()

    @property
    def is_connected(self) -> bool:
        """Whether the zone can be asked now."""
        return self._channel is not None and self._channel.is_connected

    # -- Zone -------------------------------------------------------------------------------------

    @property
    def provider_id(self) -> ProviderId | None:
        return None if self.registration is None else self.registration.provider_id

    @property
    def provider_name(self) -> str | None:
        if self.known.provider is not None:
            return self.known.provider.name
        return None if self.registration is None else self.registration.name

    @property
    def provider_domain(self) -> str | None:
        if self.known.provider is not None:
            return self.known.provider.domain
        return None if self.registration is None else self.registration.domain

    @property
    def zone_domain(self) -> str | None:
        return None if self.registration is None else self.registration.zone_domain

    async def user(self, user_id: UserId) -> UserInfo:
        known = self.known.users.get(user_id)
        if known is None:
            await self._fetch_once(user_topic(user_id), lambda: user_id in self.known.users)
            known = self.known.users.get(user_id)
        if known is None:
            raise NotFound
        return known

    async def space(self, space_id: SpaceId) -> SpaceInfo | None:
        known = self.known.spaces.get(space_id)
        if known is not None or self._clock.seconds() < self._unseen.get(space_id, 0.0):
            return known
        try:
            await self._fetch_once(space_topic(space_id), lambda: space_id in self.known.spaces)
        except (NoConnectionToOnezone, Timeout):
            if space_id in self.known.supported:
                raise
            return None
        found = self.known.spaces.get(space_id)
        if found is None:
            self._note_unseen(space_id)
        return found

    def supported_spaces(self) -> Collection[SpaceId]:
        return self.known.supported

    # -- asking the zone --------------------------------------------------------------------------

    async def verify_token(self, presented: Presented) -> Subject:
        """See ``TokenAuthority.verify_token``."""
        data: dict[str, object] = {
            "token": presented.token,
            "peerIp": presented.peer_ip,
            "interface": presented.interface,
            "allowDataAccessCaveats": True,
        }
        if presented.consumer_token is not None:
            data["consumerToken"] = presented.consumer_token
        if presented.service_token is not None:
            data["serviceToken"] = presented.service_token
        gri = Gri("token", None, "verify_access_token", scope=Scope.PUBLIC)
        answer = await self._graph(gri, Operation.CREATE, data)
        return Subject.from_json(answer.get("subject"))

    async def support_space(self, storage_id: StorageId, token: str, size_b: int) -> SpaceId:
        """Consume a support token; when this returns, the space is known here. Raises: OnedataError."""
        registration = self._required_registration()
        gri = Gri("storage", storage_id, "support")
        answer = await self._graph(gri, Operation.CREATE, {"token": token, "size": size_b})
        await self._follow_provider(registration.provider_id)
        return SpaceId(str(answer["spaceId"]))

    async def register(self, request: RegistrationRequest) -> Registration:
        """Register, keep the registration, connect. Raises: AlreadyExists; OnedataError."""
        async with self._locks.hold("registration"):
            if self.registration is not None or await self._store.registration() is not None:
                raise AlreadyExists
            registration = await self._register(request)
            await self._store.register(registration)
            self._adopt(registration)
        await self._until_ready()
        return registration

    async def _graph(self, gri: Gri, operation: Operation, data: object = None) -> Mapping[str, object]:
        channel = self._channel
        if channel is None:
            raise UnregisteredOneprovider if self.registration is None else NoConnectionToOnezone()
        answer = await channel.graph(gri, operation, data, subscribe=operation is Operation.GET)
        if not isinstance(answer, dict):
            raise MalformedResourceError(f"the answer for {gri.text} is no object")
        return answer

    # -- following --------------------------------------------------------------------------------

    async def _follow_all(self) -> None:
        """Bring everything that we follow up to date; called for each new session."""
        registration = self._required_registration()
        self.known.forget_revisions()
        self._unseen.clear()
        await self._fetch(token_events_topic(registration.provider_id))
        await self._fetch_each(map(space_topic, list(self.known.spaces)))
        await self._follow_provider(registration.provider_id)
        await self._fetch_each(map(user_topic, list(self.known.users)))
        await self._tell_version(registration.provider_id)
        waiters, self._ready_waiters = self._ready_waiters, []
        for waiter in waiters:
            waiter.callback(None)

    async def _follow_provider(self, provider_id: ProviderId) -> None:
        await self._fetch(provider_topic(provider_id))
        await self._follow_new_spaces()

    async def _follow_new_spaces(self) -> None:
        missing = self.known.supported - self.known.spaces.keys()
        await self._fetch_each(map(space_topic, sorted(missing)))

    async def _fetch_each(self, topics: Iterable[Topic]) -> None:
        """Fetch several at a time; the first lost connection ends it."""
        remaining = iter(topics)

        async def fetch_remaining() -> None:
            for topic in remaining:
                await self._fetch(topic)

        workers = [Deferred.fromCoroutine(fetch_remaining()) for _ in range(_AT_ONCE)]
        await gatherResults(workers, consumeErrors=True)

    async def _fetch_once(self, topic: Topic, is_known: Callable[[], bool]) -> None:
        async with self._locks.hold(topic):
            if not is_known():
                await self._fetch(topic)

    async def _fetch(self, topic: Topic) -> None:
        """Subscribe to a topic and take its state over; what is gone or not ours to see is forgotten."""
        try:
            resource = await self._graph(topic.gri, Operation.GET)
        except (NotFound, Forbidden):
            self._forget(topic)
        else:
            self._take(topic, resource)

    def _pushed(self, push: ZonePush) -> None:
        topic = topic_of(push.gri)
        if topic is None:
            return
        if isinstance(push, NosubPush) or push.update_type is UpdateType.DELETED:
            self._forget(topic)
        elif isinstance(push, GraphPush) and push.data is not None:
            self._take(topic, push.data)
            if topic.kind is Kind.PROVIDER:
                self._tasks.spawn("follow newly supported spaces", self._follow_quietly())

    async def _follow_quietly(self) -> None:
        try:
            await self._follow_new_spaces()
        except OnedataError as error:
            self._log.warn("new spaces are not known yet: {error}", error=error.description)

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

    async def _tell_version(self, provider_id: ProviderId) -> None:
        channel = self._channel
        assert channel is not None
        try:
            await channel.graph(provider_topic(provider_id).gri, Operation.UPDATE, {"version": VERSION})
        except (NotFound, Forbidden, BadMessage) as error:
            self._log.warn("the zone does not want our version: {error}", error=error.description)

    # -- registration -----------------------------------------------------------------------------

    def _required_registration(self) -> Registration:
        if self.registration is None:
            raise UnregisteredOneprovider
        return self.registration

    def _registration_moved(self) -> None:
        if self.registration is None and self.running:
            self._tasks.spawn("look for a registration", self._look_for_registration())

    async def _look_for_registration(self) -> None:
        async with self._locks.hold("registration"):
            registration = await self._store.registration()
            if registration is not None and self.registration is None:
                self._adopt(registration)

    def _adopt(self, registration: Registration) -> None:
        self.registration = registration
        self.known.version += 1
        self._open_channel(registration)

    def _open_channel(self, registration: Registration) -> None:
        self._channel = self._make_channel(registration, self._follow_all, self._pushed)
        self._channel.setServiceParent(self)

    async def _until_ready(self) -> None:
        waiter: Deferred[None] = Deferred(lambda _: None)
        self._ready_waiters.append(waiter)
        try:
            await waiter.addTimeout(_READY_TIMEOUT_S, self._clock)
        except TimeoutError:
            self._log.warn("registered, but the connection to the zone is not up yet")
        finally:
            if waiter in self._ready_waiters:
                self._ready_waiters.remove(waiter)

    def _note_unseen(self, space_id: SpaceId) -> None:
        if len(self._unseen) > 10_000:
            self._unseen.clear()
        self._unseen[space_id] = self._clock.seconds() + _UNSEEN_S
