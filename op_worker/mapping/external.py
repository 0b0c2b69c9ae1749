"""Asking the server of an external feed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from treq.client import HTTPClient
from twisted.internet.defer import Deferred, DeferredSemaphore, succeed
from twisted.internet.interfaces import IConsumer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer
from zope.interface import implementer

from op_worker.mapping.entries import Table
from op_worker.mapping.feeds import FeedSettings
from op_worker.zone.connection import TrustRoot

TIMEOUT_S = 10.0
MOST_AT_ONCE = 16
MOST_WAITING = 1000
MOST_ANSWER_B = 64 * 1024
_NOT_FOUND = 404


def feed_agent(reactor: object, trust: TrustRoot) -> IAgent:
    """Return an agent for the servers of feeds; those with TLS must have a certificate that is trusted."""
    agent: IAgent = Agent(reactor, BrowserLikePolicyForHTTPS(trust), connectTimeout=TIMEOUT_S)
    return agent


class FeedUnavailable(Exception):
    """The server of an external feed gave no answer that can be used; the text says why."""


class ExternalFeed:
    """Asks the servers of external feeds: few questions at once, each within ``TIMEOUT_S``.

    Args:
        agent: makes the connections; redirects are not followed.
    """

    def __init__(self, agent: IAgent, clock: IReactorTime, *, timeout_s: float = TIMEOUT_S) -> None:
        self._http = HTTPClient(agent, data_to_body_producer=_Question)
        self._clock, self._timeout_s = clock, timeout_s
        self._turns = DeferredSemaphore(MOST_AT_ONCE)

    async def ask(self, feed: FeedSettings, table: Table, question: Mapping[str, object]) -> object | None:
        """Return the JSON that the feed has for a record; ``None`` when it has none. The wait is bounded.

        Raises: FeedUnavailable.
        """
        if len(self._turns.waiting) >= MOST_WAITING:
            raise FeedUnavailable("too many questions wait for an answer")
        asking: Deferred[object | None] = self._turns.run(
            lambda: Deferred.fromCoroutine(self._exchange(feed, table, question))
        )
        try:
            return await asking.addTimeout(self._timeout_s, self._clock)
        except FeedUnavailable:
            raise
        except Exception as error:  # whatever a connection dies of, the feed has not answered
            raise FeedUnavailable(f"{type(error).__name__} {error}".strip()) from error

    async def _exchange(
        self, feed: FeedSettings, table: Table, question: Mapping[str, object]
    ) -> object | None:
        headers = Headers({b"Content-Type": [b"application/json"], b"Accept": [b"application/json"]})
        if feed.key:
            headers.setRawHeaders(b"X-Auth-Token", [feed.key.encode()])
        response: Any = await self._http.post(
            f"{feed.url.rstrip('/')}/{table.value}",
            data=json.dumps(question).encode(),
            headers=headers,
            allow_redirects=False,
            unbuffered=True,
        )
        body = _Body()
        response.deliverBody(body)
        content = await body.whole
        if response.code == _NOT_FOUND:
            return None
        if response.code >= 300:
            raise FeedUnavailable(f"it answered {response.code}")
        try:
            return cast(object, json.loads(content))
        except (ValueError, RecursionError) as error:
            raise FeedUnavailable("its answer is no JSON") from error


@implementer(IBodyProducer)
class _Question:
    """A question, which is short enough to be sent in one piece."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.length = len(content)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._content)
        return succeed(None)

    def pauseProducing(self) -> None:
        """All of it is on its way."""

    def resumeProducing(self) -> None:
        """Nothing is left to be sent."""

    def stopProducing(self) -> None:
        """Nothing more would come."""


class _Body(Protocol):
    """Collects a body; the rest of one that is too long, or that nobody waits for, is refused."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size_b = 0
        self.whole: Deferred[bytes] = Deferred(lambda _: self._end())

    def dataReceived(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size_b += len(data)
        if self._size_b > MOST_ANSWER_B and not self.whole.called:
            self.whole.errback(FeedUnavailable("its answer is too long"))
            self._end()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.whole.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.whole.callback(b"".join(self._pieces))
        else:
            self.whole.errback(reason)

    def _end(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()
