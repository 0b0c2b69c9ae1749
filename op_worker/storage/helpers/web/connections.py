"""Connections to HTTP servers, bounded, and what goes wrong on them told as errors of a storage."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from OpenSSL import SSL
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.defer import TimeoutError as OwnTimeout
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError, UserError
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    BrowserLikePolicyForHTTPS,
    HTTPConnectionPool,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    ResponseNeverReceived,
)

from cluster_worker.runtime.streams import StreamBroken
from op_worker.storage.helper import StorageError, StorageUnavailable
from op_worker.storage.helpers.web.tls import Unverified

IDLE_S = 4
"""Idle connections are closed after this time: before servers do so (Apache after 5 s)."""
TROUBLE = (
    ConnectError,
    ConnectionClosed,
    DNSLookupError,
    OwnTimeout,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    ResponseNeverReceived,
    SSL.Error,
    StreamBroken,
    UserError,
)
"""What goes wrong between us and a server."""


class Connections:
    """Connections to servers, shared by all who use a storage.

    Args:
        reactor: connects and tells the time.
        size: the most requests at one time; further ones wait. As many uploads of unknown length go beside
            them, so that slow writers do not keep readers waiting.
        verifies: whether certificates must be of ``trust``, which is the system's authorities by default.
        most_requests: after so many, idle connections are given up; 0 is never.

    Attributes:
        agent: asks over connections that stay.
        fresh_agent: asks over a new connection each time.
    """

    def __init__(
        self,
        reactor: Any,
        size: int,
        *,
        verifies: bool = True,
        trust: Any = None,
        most_requests: int = 0,
    ) -> None:
        self._pool = HTTPConnectionPool(reactor)
        self._pool.maxPersistentPerHost = 2 * size
        self._pool.cachedConnectionTimeout = IDLE_S
        self._pool.retryAutomatically = False
        policy = BrowserLikePolicyForHTTPS(trust) if verifies else Unverified()
        self.agent, self.fresh_agent = Agent(reactor, policy, pool=self._pool), Agent(reactor, policy)
        self._requests, self._uploads = DeferredSemaphore(size), DeferredSemaphore(size)
        self._most_requests, self._made = most_requests, 0

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Hold one of the places for requests, from asking until the answer was read."""
        async with _held(self._requests):
            self._made += 1
            if self._most_requests and self._made >= self._most_requests:
                self._made = 0
                await self.close()
            yield

    @asynccontextmanager
    async def upload(self) -> AsyncIterator[None]:
        """Hold one of the places for uploads of unknown length."""
        async with _held(self._uploads):
            yield

    async def close(self) -> None:
        """Close connections that nobody uses now."""
        await self._pool.closeCachedConnections()


def trouble(error: BaseException, path: str) -> StorageError:
    """Return the error of a storage for something of ``TROUBLE``."""
    inner = _inner(error)
    is_late = isinstance(inner, OwnTimeout | ConnectTimeout)
    words = str(inner) or type(inner).__name__
    return StorageUnavailable(errno.ETIMEDOUT if is_late else errno.EIO, path, words)


def is_stale_connection(error: BaseException) -> bool:
    """Whether the server closed an idle connection while we began to use it."""
    return isinstance(error, ResponseNeverReceived | RequestTransmissionFailed) and isinstance(
        _inner(error), ConnectionClosed
    )


def _inner(error: BaseException) -> BaseException:
    """Return what an error of the HTTP client wraps."""
    reasons = getattr(error, "reasons", None)
    for reason in reasons or ():
        if isinstance(reason, Failure) and reason.value is not None:
            return _inner(reason.value)
    return error.__cause__ if isinstance(error, StreamBroken) and error.__cause__ else error


@asynccontextmanager
async def _held(places: DeferredSemaphore) -> AsyncIterator[None]:
    turn: Deferred[DeferredSemaphore] = places.acquire()
    await turn
    try:
        yield
    finally:
        places.release()
