"""A primary that sentinels choose: found when a connection is made, left as soon as they choose another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.logger import Logger
from zope.interface import implementer

from cluster_worker.persistence.address import RedisAddress, SentinelAddress
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.connection import RedisConnection, Uses
from cluster_worker.persistence.endpoints import make_endpoint
from cluster_worker.persistence.inquiry import NoAnswer, gather_answers, inquire
from cluster_worker.persistence.link import LinkLost, RedisLink
from cluster_worker.persistence.resp import Reply, ReplyError
from cluster_worker.runtime.services import OrderedService, TaskOwner

_ASK_TIMEOUT_S = 0.5
_CHANNELS = (b"+switch-master", b"+promoted-slave")


class NoPrimary(Exception):
    """No sentinel knows a primary of that name."""


@frozen
class Opinion:
    """Where one sentinel says the primary is, and how recent its knowledge is; greater is newer."""

    epoch: tuple[int, bool]
    host: str
    port: int

    def replaces(self, other: Opinion) -> bool:
        """Whether it names another server and is newer: what a slow sentinel still says does not count."""
        return self.epoch > other.epoch and (self.host, self.port) != (other.host, other.port)


def read_opinion(address: Sequence[bytes] | None, described: Sequence[bytes]) -> Opinion | None:
    """Read the answers to ``SENTINEL GET-MASTER-ADDR-BY-NAME`` and ``SENTINEL MASTER``.

    While a failover runs, its leader answers the first with the new primary already, the second still
    with the old one: of the same epoch, this is the newer knowledge.
    """
    if address is None:
        return None
    known = {name: value.decode() for name, value in zip(described[::2], described[1::2], strict=True)}
    host, port = address[0].decode(), int(address[1])
    is_moving = (host, str(port)) != (known.get(b"ip"), known.get(b"port"))
    return Opinion((int(known.get(b"config-epoch", 0)), is_moving), host, port)


def newest_opinion(opinions: Sequence[Opinion]) -> Opinion | None:
    """Return the most recent opinion, the first of several; ``None`` when there is none."""
    return max(opinions, key=lambda one: one.epoch, default=None)


class SentinelSet(OrderedService):
    """Knows the primary that sentinels name, and keeps the connections opened here at it."""

    _log = Logger()

    def __init__(self, reactor: Any, address: SentinelAddress, config: RedisConfig) -> None:
        super().__init__()
        self._reactor, self._address, self._config = reactor, address, config
        self._followers: list[tuple[_PrimaryEndpoint, RedisConnection]] = []
        self._tasks = TaskOwner()
        self._sentinels = [
            evolve(one, username=config.sentinel_username, password=config.sentinel_password)
            for one in address.sentinels
        ]
        uses = Uses(_greet_sentinel, on_ready=self._subscribe, on_message=self._on_message)
        for one in self._sentinels:
            RedisConnection(
                reactor, self.endpoint(one), one, config, uses, name=f"sentinel {one}"
            ).setServiceParent(self)

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop(super().stopService()))

    async def _stop(self, stopped: Deferred[None]) -> None:
        await stopped
        await self._tasks.close()

    def open(self, uses: Uses) -> RedisConnection:
        """Return a connection to whichever server is the primary; whoever opens it starts and stops it."""
        endpoint = _PrimaryEndpoint(self)
        greet = _to_a_primary(uses.greet)
        connection = RedisConnection(
            self._reactor,
            endpoint,
            self._address.login,
            self._config,
            evolve(uses, greet=greet),
            name=str(self._address),
        )
        self._followers.append((endpoint, connection))
        return connection

    def endpoint(self, address: RedisAddress) -> IStreamClientEndpoint:
        """Return the endpoint of a server or a sentinel."""
        return make_endpoint(self._reactor, address, self._config.ca_file, self._config.reply_timeout_s)

    async def find_primary(self) -> RedisAddress:
        """Ask all sentinels; return where the one that knows best says it is. Raises: NoPrimary."""
        return self.address_in(await self.opinion())

    def address_in(self, opinion: Opinion) -> RedisAddress:
        """Return the address of the server that an opinion names."""
        return self._address.login.at(opinion.host, opinion.port)

    async def opinion(self) -> Opinion:
        """Ask all sentinels; return the most recent opinion. Raises: NoPrimary."""
        asked = [Deferred.fromCoroutine(self._opinion(one)) for one in self._sentinels]
        opinion = newest_opinion(await gather_answers(self._reactor, asked))
        if opinion is None:
            raise NoPrimary(f"no sentinel knows the {self._address}")
        return opinion

    async def _opinion(self, sentinel: RedisAddress) -> Opinion | None:
        name = self._address.service.encode()
        commands = [(b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", name), (b"SENTINEL", b"MASTER", name)]
        try:
            answers = await inquire(
                self._reactor, self.endpoint(sentinel), sentinel, commands, _ASK_TIMEOUT_S
            )
        except NoAnswer as exc:
            self._log.debug("sentinel {sentinel}: {reason}", sentinel=sentinel, reason=str(exc))
            return None
        return read_opinion(*answers)

    def _subscribe(self, link: RedisLink) -> None:
        self._tasks.spawn("subscribe to a sentinel", self._subscribed(link))

    async def _subscribed(self, link: RedisLink) -> None:
        try:
            for channel in _CHANNELS:  # one at a time: each channel of a subscription is answered
                await link.ask(b"SUBSCRIBE", channel)
        except (LinkLost, ReplyError) as exc:
            link.abandon(f"cannot subscribe: {exc}")
            return
        await self._look()  # it may have moved while nobody told us

    def _on_message(self, _channel: bytes, _payload: bytes) -> None:
        self._tasks.spawn("look for the primary", self._look())

    async def _look(self) -> None:
        """Leave servers that are not the primary any more."""
        try:
            opinion = await self.opinion()
        except NoPrimary:
            return  # nothing better is known
        for endpoint, connection in self._followers:
            if connection.is_ready and endpoint.chosen is not None and opinion.replaces(endpoint.chosen):
                connection.renew(f"the primary is {self.address_in(opinion)} now")


async def _greet_sentinel(_link: RedisLink) -> None:
    """Sentinels have no scripts."""


def _to_a_primary(greet: Callable[[RedisLink], Awaitable[None]]) -> Callable[[RedisLink], Awaitable[None]]:
    """Return what greets a server that says it is a primary, and turns others down."""

    async def greet_primary(link: RedisLink) -> None:
        role: Reply = await link.ask(b"ROLE")
        if role[0] != b"master":
            raise ReplyError(f"READONLY the server is no primary but a {role[0].decode()}")
        await greet(link)

    return greet_primary


@implementer(IStreamClientEndpoint)
class _PrimaryEndpoint:
    """Connects to where the primary is at that moment; ``chosen`` is why it went where it did last."""

    def __init__(self, sentinels: SentinelSet) -> None:
        self._sentinels = sentinels
        self.chosen: Opinion | None = None

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803 - Twisted's name
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        self.chosen = await self._sentinels.opinion()
        address = self._sentinels.address_in(self.chosen)
        protocol: IProtocol = await self._sentinels.endpoint(address).connect(factory)
        return protocol
