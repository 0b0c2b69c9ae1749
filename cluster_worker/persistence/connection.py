"""A connection to Redis that comes back, and requests that wait for it a little."""

from __future__ import annotations

from collections.abc import Callable
from random import random

from twisted.application.internet import ClientService, backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as WaitTimeout
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from cluster_worker.persistence.address import RedisAddress
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.endpoints import NotingEndpoint
from cluster_worker.persistence.engine import OutcomeUnknown, PersistenceError, PersistenceUnavailable
from cluster_worker.persistence.link import LinkEvents, LinkLost, RedisLink, RedisLinkFactory
from cluster_worker.persistence.resp import Reply, ReplyError, encode_command
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskOwner

_PASSING = frozenset({"LOADING", "BUSY", "MASTERDOWN", "READONLY", "TRYAGAIN", "CLUSTERDOWN"})
"""Refusals of a server that starts, changes its master or is busy: nothing was done, ask again soon."""

_LASTING = frozenset({"OOM", "MISCONF", "NOAUTH", "NOPERM", "NOREPLICAS"})
"""Refusals that need an operator; nothing was done."""

_RETRY_S = 0.05
_WATCH_S = 0.5
_PING = encode_command((b"PING",))


class RedisConnection(Service):
    """Keeps one connection to the server for as long as it runs.

    Args:
        on_ready: called with each new connection once it is logged in.
        on_message: gets channel and payload of what is subscribed to.
        jitter: returns 0 to 1; a tenth of it, in seconds, is added to the delay before each attempt.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        endpoint: IStreamClientEndpoint,
        address: RedisAddress,
        config: RedisConfig,
        *,
        on_ready: Callable[[RedisLink], None] = lambda _link: None,
        on_message: Callable[[bytes, bytes], None] = lambda _channel, _payload: None,
        jitter: Callable[[], float] = random,
    ) -> None:
        self._clock, self._address, self._config = clock, address, config
        self._on_ready = on_ready
        self._ready: RedisLink | None = None
        self._links: set[RedisLink] = set()
        self._waiters: dict[Deferred[RedisLink], None] = {}
        self._tasks = TaskOwner()
        self._rejected = 0
        self._trouble = ""
        self._backoff = backoffPolicy(0.04, 0.4, 1.5, lambda: jitter() / 10)
        factory = RedisLinkFactory(clock, LinkEvents(self._link_made, self._link_lost, on_message))
        self._client = ClientService(
            NotingEndpoint(endpoint, self._note_trouble), factory, retryPolicy=self._delay, clock=clock
        )
        self._watch = LoopingCall(self._look_after_links)
        self._watch.clock = clock

    @property
    def link(self) -> RedisLink | None:
        """The connection, when there is one that is logged in."""
        return self._ready

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
        for link in list(self._links):
            link.abandon("stopping")
        await self._client.stopService()
        await self._tasks.close()

    async def wait_ready(self) -> None:
        """Return once the server is reached, however long that takes."""
        if self._ready is None:
            await self._waiter()

    async def ask(self, request: bytes) -> Reply:
        """Send a request that may be carried out twice; return the reply.

        Raises: PersistenceUnavailable after ``patience_s`` without a server; PersistenceError when
            the server refuses the request for good.
        """
        trouble: Exception | None = None
        if self._ready is not None:
            try:
                return await self._ready.send(request)
            except (LinkLost, ReplyError) as exc:
                trouble = exc
        deadline = self._clock.seconds() + self._config.patience_s
        while True:
            link = await self._next_link(trouble, deadline)
            try:
                return await link.send(request)
            except (LinkLost, ReplyError) as exc:
                trouble = exc

    async def ask_once(self, request: bytes) -> Reply:
        """Send a request that must not be carried out twice; return the reply.

        Cancelling the wait does not take back what was sent.

        Raises: as ``ask``; OutcomeUnknown when the connection broke before the reply came.
        """
        try:
            return await self._once(request)
        except LinkLost as exc:
            raise OutcomeUnknown(f"{self._address}: {exc}") from exc

    async def _once(self, request: bytes) -> Reply:
        trouble: ReplyError | None = None
        if self._ready is not None:
            try:
                return await self._ready.send(request)
            except ReplyError as exc:
                trouble = exc
        deadline = self._clock.seconds() + self._config.patience_s
        while True:
            link = await self._next_link(trouble, deadline)
            try:
                return await link.send(request)
            except ReplyError as exc:
                trouble = exc

    async def _next_link(self, trouble: Exception | None, deadline: float) -> RedisLink:
        """Return where to try again after ``trouble``; raise when there is no sense or no time left."""
        if isinstance(trouble, ReplyError):
            if trouble.code in _LASTING:
                raise PersistenceUnavailable(f"{self._address}: {trouble}")
            if trouble.code != "NOSCRIPT" and trouble.code not in _PASSING:
                raise PersistenceError(f"{self._address}: {trouble}")
        left_s = deadline - self._clock.seconds()
        if trouble is not None and left_s <= 0:
            raise PersistenceUnavailable(f"{self._address}: {trouble}")
        if isinstance(trouble, ReplyError):
            await self._after_refusal(trouble, left_s)
        return self._ready or await self._wait_for_link(deadline - self._clock.seconds())

    async def _after_refusal(self, refusal: ReplyError, left_s: float) -> None:
        if refusal.code != "NOSCRIPT":
            await sleep(self._clock, min(_RETRY_S, left_s))
        elif self._ready is not None:
            try:
                await self._ready.load_scripts()
            except LinkLost:
                return  # the next connection brings its own

    async def _wait_for_link(self, left_s: float) -> RedisLink:
        if not self.running:
            raise PersistenceUnavailable("not running")
        try:
            return await self._waiter().addTimeout(max(0.0, left_s), self._clock)
        except WaitTimeout:
            raise PersistenceUnavailable(f"{self._address}: {self._trouble or 'no connection'}") from None

    def _waiter(self) -> Deferred[RedisLink]:
        waiter: Deferred[RedisLink] = Deferred(self._forget)
        self._waiters[waiter] = None
        return waiter

    def _forget(self, waiter: Deferred[RedisLink]) -> None:
        self._waiters.pop(waiter, None)

    def _note_trouble(self, reason: str) -> None:
        self._trouble = reason

    def _link_made(self, link: RedisLink) -> None:
        self._links.add(link)
        self._tasks.spawn("log in to Redis", self._prepare(link))

    async def _prepare(self, link: RedisLink) -> None:
        try:
            await link.prepare(self._address)
        except (ReplyError, LinkLost) as exc:
            self._rejected += 1
            if str(exc) != self._trouble:
                self._note_trouble(str(exc))
                self._log.warn(
                    "{address} does not let us in: {trouble}", address=self._address, trouble=self._trouble
                )
            link.abandon(str(exc))
            return
        self._rejected, self._trouble, self._ready = 0, "", link
        self._log.info("connected to {address}", address=self._address)
        waiters, self._waiters = self._waiters, {}
        self._on_ready(link)
        for waiter in waiters:
            waiter.callback(link)

    def _link_lost(self, link: RedisLink) -> None:
        self._links.discard(link)
        if self._ready is link:
            self._ready = None
            self._note_trouble(link.reason)
            self._log.warn("lost {address}: {reason}", address=self._address, reason=link.reason)

    def _delay(self, attempt: int) -> float:
        """Seconds until the next attempt; a connection that was turned away counts as a failed one."""
        return self._backoff(max(attempt, self._rejected))

    def _look_after_links(self) -> None:
        for link in list(self._links):
            if link.silent_s() > self._config.reply_timeout_s:
                link.abandon(f"no reply for {self._config.reply_timeout_s} s")
            elif link.idle_s() > self._config.ping_interval_s:
                link.send(_PING).addErrback(lambda _: None)  # its end is reported by the link itself
