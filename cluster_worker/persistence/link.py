"""One connection to Redis: txredisapi's commands over a leaner way for replies. Only this module imports it.

txredisapi's own reader pauses the socket and asks the reactor for a turn after every bulk string, copies
what is left of the buffer for every line, and takes a timer for every command. Here replies are parsed in
one go, requests wait in a deque, and one watch for the whole connection notices a silent server. txredisapi
also keeps ``callLater`` of the global reactor on its class; each connection gets the reactor it was given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from txredisapi import BaseRedisProtocol

from cluster_worker.persistence.address import RedisAddress
from cluster_worker.persistence.resp import BadReply, Reply, ReplyError, ReplyReader, encode_command
from cluster_worker.persistence.scripts import ALL


class LinkLost(Exception):
    """The connection ended before the reply came; whether the request was carried out is unknown."""


@frozen
class LinkEvents:
    """What a connection tells its owner. ``message`` gets channel and payload of a subscription."""

    made: Callable[[RedisLink], None]
    lost: Callable[[RedisLink], None]
    message: Callable[[bytes, bytes], None] = lambda _channel, _payload: None


class RedisLink(BaseRedisProtocol):  # type: ignore[misc]  # txredisapi has no types
    """Requests go out in the order of calls, replies come back in the same order."""

    def __init__(self, clock: IReactorTime, events: LinkEvents) -> None:
        super().__init__(charset=None, convertNumbers=False)
        self.callLater = clock.callLater
        self._clock = clock
        self._events = events
        self._reader = ReplyReader()
        self._waiting: deque[Deferred[Reply]] = deque()
        self._heard_at = clock.seconds()
        self.reason = ""

    def send(self, request: bytes) -> Deferred[Reply]:
        """Send an encoded command; fails with ReplyError or LinkLost. A cancelled wait drops the reply."""
        reply: Deferred[Reply] = Deferred()
        if not self.connected:
            reply.errback(LinkLost(self.reason))
            return reply
        if not self._waiting:
            self._heard_at = self._clock.seconds()
        self._waiting.append(reply)
        self.transport.write(request)
        return reply

    def execute_command(self, *args: object, **kwargs: Callable[[Reply], object]) -> Deferred[Reply]:
        """Send a command of txredisapi's vocabulary."""
        reply = self.send(encode_command([self._encode_value(arg) for arg in args]))
        post_process = kwargs.get("post_proc")
        return reply if post_process is None else reply.addCallback(post_process)

    async def log_in(self, address: RedisAddress) -> None:
        """Log in and choose the database."""
        if address.password is not None:
            await self.auth(address.password, address.username)
        if address.database:
            await self.select(address.database)

    async def ask(self, *words: bytes) -> Reply:
        """Send a command; raises as ``send`` fails."""
        return await self.send(encode_command(words))

    async def load_scripts(self) -> None:
        """Make the server know every script."""
        for reply in [self.send(script.load) for script in ALL]:
            await reply

    def silent_s(self) -> float:
        """For how many seconds the server owes a reply and has sent nothing."""
        return self._clock.seconds() - self._heard_at if self._waiting else 0.0

    def idle_s(self) -> float:
        """For how many seconds nothing was asked and nothing came."""
        return 0.0 if self._waiting else self._clock.seconds() - self._heard_at

    def abandon(self, reason: str) -> None:
        """Give the connection up at once; whoever waits gets LinkLost with ``reason``."""
        self.reason = self.reason or reason
        if self.transport is not None:
            self.transport.abortConnection()

    def connectionMade(self) -> None:
        super().connectionMade()
        self._events.made(self)

    def dataReceived(self, data: bytes, unpause: bool = False) -> None:
        self._heard_at = self._clock.seconds()
        try:
            replies = self._reader.feed(data)
        except BadReply as exc:
            self.abandon(str(exc))
            return
        for reply in replies:
            self.replyReceived(reply)

    def replyReceived(self, reply: Reply) -> None:
        if isinstance(reply, list) and len(reply) == 3 and reply[0] == b"message":
            self._events.message(reply[1], reply[2])
        elif not self._waiting:
            self.abandon("the server sent a reply to nothing")
        elif isinstance(reply, ReplyError):
            self._waiting.popleft().errback(reply)
        else:
            self._waiting.popleft().callback(reply)

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        if not self.reason:
            closed = reason.check(ConnectionDone) is not None
            self.reason = "the server closed the connection" if closed else str(reason.value)
        waiting, self._waiting = self._waiting, deque()
        self._events.lost(self)
        for reply in waiting:
            reply.errback(LinkLost(self.reason))


class RedisLinkFactory(Factory):
    """Makes connections that report to one owner."""

    noisy = False

    def __init__(self, clock: IReactorTime, events: LinkEvents) -> None:
        self._clock, self._events = clock, events

    def buildProtocol(self, addr: IAddress | None) -> RedisLink:
        link = RedisLink(self._clock, self._events)
        link.factory = self
        return link
