"""A connection to a Redis server that comes back for as long as it is wanted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import random

from attrs import frozen
from twisted.application.internet import ClientService, backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as WaitTimeout
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from cluster_worker.persistence.acknowledging import AcknowledgedLink
from cluster_worker.persistence.address import RedisAddress
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.endpoints import NotingEndpoint
from cluster_worker.persistence.engine import PersistenceUnavailable
from cluster_worker.persistence.link import LinkEvents, LinkLost, RedisLink, RedisLinkFactory
from cluster_worker.persistence.requests import Carrier
from cluster_worker.persistence.resp import ReplyError, encode_command
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskOwner

RETRY_S = 0.05
_WATCH_S = 0.5
_PING = encode_command((b"PING",))


async def _greet(link: RedisLink) -> None:
    await link.load_scripts()


def _plainly(link: RedisLink) -> Carrier:
    return link


def acknowledged_by(replicas: int, timeout_s: float) -> Callable[[RedisLink], Carrier]:
    """Return what makes a connection answer writes only when so many replicas have them."""
    return lambda link: AcknowledgedLink(link, replicas, timeout_s)


@frozen
class Uses:
    """What connections are for.

    Attributes:
        greet: speaks with a server that has let us in, before others do; raises ReplyError to turn it down.
        carry: makes of a connection what requests are sent over.
        on_ready: called with each new connection once it is logged in and greeted.
        on_message: gets channel and payload of what is subscribed to.
    """

    greet: Callable[[RedisLink], Awaitable[None]] = _greet
    carry: Callable[[RedisLink], Carrier] = _plainly
    on_ready: Callable[[RedisLink], None] = lambda _link: None
    on_message: Callable[[bytes, bytes], None] = lambda _channel, _payload: None


class RedisConnection(Service):
    """Keeps one connection to the server for as long as it runs.

    Args:
        address: how to log in.
        name: what messages call the server; its address by default.
        jitter: returns 0 to 1; a tenth of it, in seconds, is added to the delay before each attempt.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        endpoint: IStreamClientEndpoint,
        address: RedisAddress,
        config: RedisConfig,
        uses: Uses | None = None,
        *,
        name: str | None = None,
        jitter: Callable[[], float] = random,
    ) -> None:
        self._clock, self._address, self._config = clock, address, config
        self._uses = Uses() if uses is None else uses
        self._name = str(address) if name is None else name
        self._ready: RedisLink | None = None
        self._carrier: Carrier | None = None
        self._links: set[RedisLink] = set()
        self._waiters: dict[Deferred[Carrier], None] = {}
        self._tasks = TaskOwner()
        self._rejected = 0
        self._trouble = ""
        self._backoff = backoffPolicy(0.04, 0.4, 1.5, lambda: jitter() / 10)
        events = LinkEvents(self._link_made, self._link_lost, self._uses.on_message)
        self._client = ClientService(
            NotingEndpoint(endpoint, self._note_trouble),
            RedisLinkFactory(clock, events),
            retryPolicy=self._delay,
            clock=clock,
        )
        self._watch = LoopingCall(self._look_after_links)
        self._watch.clock = clock

    def __str__(self) -> str:
        return self._name

    @property
    def link(self) -> RedisLink | None:
        """The connection, when there is one that is logged in."""
        return self._ready

    @property
    def is_ready(self) -> bool:
        """Whether the server is reached now."""
        return self._ready is not None

    @property
    def silent_s(self) -> float:
        """For how many seconds the server owes a reply and has sent nothing."""
        return max((link.silent_s() for link in self._links), default=0.0)

    def startService(self) -> None:
        super().startService()
        self._watch.start(min(_WATCH_S, self._config.reply_timeout_s / 4), now=False)
        self._client.startService()

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._watch.running:
            self._watch.stop()
        for waiter in list(self._waiters):
            waiter.errback(PersistenceUnavailable("stopping"))
        self._waiters.clear()
        self.renew("stopping")
        await self._client.stopService()
        await self._tasks.close()

    def renew(self, reason: str) -> None:
        """Give up the connection that is there; a new one is made."""
        for link in list(self._links):
            self._give_up(link, reason)

    async def wait_ready(self) -> None:
        """Return once the server is reached, however long that takes."""
        if self._ready is None:
            await self._waiter()

    def carrier(self, _key: bytes) -> Carrier | None:
        """Return what takes requests to the server, when it is reached."""
        return self._carrier

    async def wait_for(self, key: bytes, left_s: float) -> Carrier:
        """Return the carrier once there is one. Raises: PersistenceUnavailable after ``left_s`` seconds."""
        if not self.running:
            raise PersistenceUnavailable("not running")
        try:
            return await self._waiter().addTimeout(max(0.0, left_s), self._clock)
        except WaitTimeout:
            raise PersistenceUnavailable(f"{self}: {self._trouble or 'no connection'}") from None

    async def refused(self, _key: bytes, refusal: ReplyError, left_s: float) -> None:
        """Teach scripts to a server that lost them, leave one that became a replica, else wait a little."""
        if refusal.code == "NOSCRIPT":
            await self._teach()
        elif refusal.code == "READONLY":
            self.renew(str(refusal))
        else:
            await sleep(self._clock, max(0.0, min(RETRY_S, left_s)))

    async def _teach(self) -> None:
        if self._ready is not None:
            try:
                await self._ready.load_scripts()
            except LinkLost:
                return  # the next connection brings its own

    def _waiter(self) -> Deferred[Carrier]:
        waiter: Deferred[Carrier] = Deferred(self._forget)
        self._waiters[waiter] = None
        return waiter

    def _forget(self, waiter: Deferred[Carrier]) -> None:
        self._waiters.pop(waiter, None)

    def _note_trouble(self, reason: str) -> None:
        self._trouble = reason

    def _link_made(self, link: RedisLink) -> None:
        self._links.add(link)
        self._tasks.spawn("log in to Redis", self._prepare(link))

    async def _prepare(self, link: RedisLink) -> None:
        try:
            await link.log_in(self._address)
            await self._uses.greet(link)
        except (ReplyError, LinkLost) as exc:
            self._rejected += 1
            if str(exc) != self._trouble:
                self._note_trouble(str(exc))
                self._log.warn("{server} does not let us in: {trouble}", server=self, trouble=self._trouble)
            link.abandon(str(exc))
            return
        self._rejected, self._trouble, self._ready = 0, "", link
        self._carrier = self._uses.carry(link)
        self._log.info("connected to {server}", server=self)
        waiters, self._waiters = self._waiters, {}
        self._uses.on_ready(link)
        for waiter in waiters:
            waiter.callback(self._carrier)

    def _link_lost(self, link: RedisLink) -> None:
        self._links.discard(link)
        self._miss(link, link.reason)

    def _give_up(self, link: RedisLink, reason: str) -> None:
        self._miss(link, reason)  # now, and not in the turn in which its end is reported
        link.abandon(reason)

    def _miss(self, link: RedisLink, reason: str) -> None:
        if self._ready is link:
            self._ready = self._carrier = None
            self._note_trouble(reason)
            self._log.warn("lost {server}: {reason}", server=self, reason=reason)

    def _delay(self, attempt: int) -> float:
        """Seconds until the next attempt; a connection that was turned away counts as a failed one."""
        return self._backoff(max(attempt, self._rejected))

    def _look_after_links(self) -> None:
        for link in list(self._links):
            if link.silent_s() > self._config.reply_timeout_s:
                self._give_up(link, f"no reply for {self._config.reply_timeout_s} s")
            elif link.idle_s() > self._config.ping_interval_s:
                link.send(_PING).addErrback(lambda _: None)  # its end is reported by the link itself
