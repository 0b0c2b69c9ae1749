"""This provider's part in its zone: knows users and spaces, asks about tokens, registers, takes supports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Protocol

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import Lease, PreconditionFailed
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.services import OrderedService
from onedata.errors import (
    AlreadyExists,
    BadMessage,
    Forbidden,
    NoConnectionToOnezone,
    NotFound,
    ServiceUnavailable,
    Timeout,
    UnregisteredOneprovider,
)
from onedata.graphsync import Gri, Operation, Scope
from onedata.ids import ProviderId, SpaceId, StorageId, UserId
from onedata.tokens.subjects import Subject
from op_worker.zone.authority import Presented
from op_worker.zone.channel import ZoneChannel
from op_worker.zone.follower import ZoneFollower
from op_worker.zone.known import KnownZone
from op_worker.zone.records import SpaceInfo, UserInfo
from op_worker.zone.registering import RegistrationRequest
from op_worker.zone.registration import Registration
from op_worker.zone.resources import MalformedResourceError
from op_worker.zone.session import OnPush
from op_worker.zone.store import StoredZone, ZoneStore
from op_worker.zone.topics import provider_topic, space_topic, user_topic

_UNSEEN_S = 30.0
_READY_TIMEOUT_S = 10.0
_REGISTERING = "registration"
_TURN_S = 0.2
_MOST_TURNS = 300


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
        self,
        store: ZoneStore,
        *,
        clock: IReactorTime,
        make_channel: MakeChannel,
        register: Register,
        version: str,
        node_name: str,
    ) -> None:
        super().__init__()
        self.registration: Registration | None = None
        self._store, self._clock = store, clock
        self._make_channel, self._register = make_channel, register
        self._version, self._node_name = version, node_name
        self._channel: ZoneChannel | None = None
        self._follower = ZoneFollower(store, clock, self._graph)
        self._follower.setServiceParent(self)
        self._locks = KeyedLocks()
        self._unseen: dict[SpaceId, float] = {}
        self._ready_waiters: list[Deferred[None]] = []
        store.following(self._look_for_registration, clock).setServiceParent(self)

    # -- lifetime ---------------------------------------------------------------------------------

    async def load(self) -> StoredZone:
        """Take over what earlier runs were told; return it. Raises: PersistenceUnavailable."""
        stored = await self._store.load()
        self.registration = stored.registration
        if stored.registration is not None:
            self._follower.restore(stored, stored.registration.provider_id)
        return stored

    def startService(self) -> None:
        super().startService()
        if self.registration is not None and self._channel is None:
            self._open_channel(self.registration)

    @property
    def known(self) -> KnownZone:
        """What is known now."""
        return self._follower.known

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
            await self._follower.follow(user_topic(user_id), lambda: user_id in self.known.users)
            known = self.known.users.get(user_id)
        if known is None:
            raise NotFound
        return known

    async def space(self, space_id: SpaceId) -> SpaceInfo | None:
        known = self.known
        if known.knows_enough_of(space_id) or self._clock.seconds() < self._unseen.get(space_id, 0.0):
            return known.spaces.get(space_id)
        try:
            await self._follower.follow(space_topic(space_id), lambda: known.knows_enough_of(space_id))
        except (NoConnectionToOnezone, Timeout):
            if space_id in known.supported:
                raise
            return None
        found = known.spaces.get(space_id)
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
            "interface": presented.interface,
            "allowDataAccessCaveats": True,
        }
        if presented.peer_ip is not None:
            data["peerIp"] = presented.peer_ip
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
        await self._follower.follow_provider(registration.provider_id)
        await self._follower.settled()
        return SpaceId(str(answer["spaceId"]))

    async def resize_support(self, space_id: SpaceId, storage_id: StorageId, size_b: int) -> None:
        """Change what a storage gives to a space; 0 ends its part. Raises: OnedataError."""
        gri = Gri("provider", self._required_registration().provider_id, "space", space_id)
        await self._change_support(gri, Operation.UPDATE, {"storageId": storage_id, "size": size_b})

    async def cease_support(self, space_id: SpaceId) -> None:
        """End the support of a space; fine when the zone knows of none. Raises: OnedataError."""
        gri = Gri("provider", self._required_registration().provider_id, "space", space_id)
        try:
            await self._change_support(gri, Operation.DELETE, None)
        except NotFound:
            return

    async def _change_support(self, gri: Gri, operation: Operation, data: object) -> None:
        """Ask the zone; when this returns, what changed is known here."""
        channel = self._channel
        if channel is None:
            raise NoConnectionToOnezone
        await channel.graph(gri, operation, data)
        await self._follower.follow_provider(self._required_registration().provider_id)
        await self._follower.settled()

    async def register(self, request: RegistrationRequest) -> Registration:
        """Register, keep the registration, connect.

        Raises:
            AlreadyExists: it is registered, perhaps by another node while we asked.
            OnedataError: the zone refused or cannot be reached; ServiceUnavailable after a long wait for
                another node that registers now.
        """
        async with self._locks.hold(_REGISTERING):
            lease = await self._turn_to_register()
            try:
                registration = await self._register(request)
                await self._store.register(registration)
            except PreconditionFailed:
                raise AlreadyExists from None
            finally:
                await self._store.end_registration(lease)
        await self._look_for_registration()
        await self._until_ready()
        return registration

    async def refresh(self) -> None:
        """Know what any node knew of our registration and our supports before. Raises: PersistenceError."""
        await self._look_for_registration()
        if self.registration is not None:
            await self._follower.take_over(self.registration.provider_id)

    async def _turn_to_register(self) -> Lease:
        """Return when no other node registers. Raises: AlreadyExists; ServiceUnavailable."""
        for _ in range(_MOST_TURNS):
            if self.registration is not None or await self._store.registration() is not None:
                raise AlreadyExists
            lease = await self._store.begin_registration(self._node_name)
            if lease is not None:
                return lease
            await sleep(self._clock, _TURN_S)
        raise ServiceUnavailable

    async def _graph(self, gri: Gri, operation: Operation, data: object = None) -> Mapping[str, object]:
        channel = self._channel
        if channel is None:
            raise UnregisteredOneprovider if self.registration is None else NoConnectionToOnezone()
        answer = await channel.graph(gri, operation, data, subscribe=operation is Operation.GET)
        if not isinstance(answer, dict):
            raise MalformedResourceError(f"the answer for {gri.text} is no object")
        return answer

    # -- a new session ----------------------------------------------------------------------------

    async def _session_opened(self) -> None:
        registration = self._required_registration()
        self._unseen.clear()
        await self._follower.follow_all(registration.provider_id)
        await self._tell_version(registration.provider_id)
        waiters, self._ready_waiters = self._ready_waiters, []
        for waiter in waiters:
            waiter.callback(None)

    async def _tell_version(self, provider_id: ProviderId) -> None:
        channel = self._channel
        assert channel is not None
        try:
            await channel.graph(provider_topic(provider_id).gri, Operation.UPDATE, {"version": self._version})
        except (NotFound, Forbidden, BadMessage) as error:
            self._log.warn("the zone does not want our version: {error}", error=error.description)

    # -- registration -----------------------------------------------------------------------------

    def _required_registration(self) -> Registration:
        if self.registration is None:
            raise UnregisteredOneprovider
        return self.registration

    async def _look_for_registration(self) -> None:
        if self.registration is None:
            registration = await self._store.registration()
            if registration is not None and self.registration is None:
                self._adopt(registration)

    def _adopt(self, registration: Registration) -> None:
        self.registration = registration
        self.known.version += 1
        if self.running:
            self._open_channel(registration)

    def _open_channel(self, registration: Registration) -> None:
        self._channel = self._make_channel(registration, self._session_opened, self._follower.pushed)
        self._channel.setServiceParent(self)

    async def _until_ready(self) -> None:
        if self._channel is not None and self._channel.is_ready:
            return
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
