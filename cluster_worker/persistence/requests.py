"""Requests that wait a little for a server that is away, whichever server that is."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import OutcomeUnknown, PersistenceError, PersistenceUnavailable
from cluster_worker.persistence.link import LinkLost
from cluster_worker.persistence.resp import Reply, ReplyError

_PASSING = frozenset(
    {
        "NOSCRIPT",
        "LOADING",
        "BUSY",
        "MASTERDOWN",
        "READONLY",
        "NOREPLICAS",
        "TRYAGAIN",
        "CLUSTERDOWN",
        "MOVED",
        "ASK",
    }
)
"""Refusals of a server that starts, is busy, changes its master or gave the key away: nothing was done."""

_LASTING = frozenset({"OOM", "MISCONF", "NOAUTH", "NOPERM"})
"""Refusals that need an operator; nothing was done."""


class Carrier(Protocol):
    """Takes requests to one server."""

    def send(self, request: bytes) -> Deferred[Reply]:
        """Send an encoded command; fails with ReplyError or LinkLost."""


class Servers(Protocol):
    """Knows which server has a key, and keeps connections to all of them."""

    def carrier(self, key: bytes) -> Carrier | None:
        """Return the way to the server that has ``key``, when there is one now."""

    async def wait_for(self, key: bytes, left_s: float) -> Carrier:
        """Return ``carrier(key)`` once there is one. Raises: PersistenceUnavailable after ``left_s``."""

    async def refused(self, key: bytes, refusal: ReplyError, left_s: float) -> None:
        """Do what must be done before a refused request is sent again; ``left_s`` seconds are left."""


class Requests:
    """Sends requests to the server that has their key, again when that makes sense.

    Args:
        patience_s: how long a request waits for a server that is away.
    """

    def __init__(self, clock: IReactorTime, servers: Servers, patience_s: float) -> None:
        self._clock, self._servers, self._patience_s = clock, servers, patience_s

    async def ask(self, key: bytes, request: bytes) -> Reply:
        """Send a request that may be carried out twice; return the reply.

        Raises: PersistenceUnavailable after ``patience_s`` without a server; PersistenceError when
            the server refuses the request for good.
        """
        trouble: Exception | None = None
        carrier = self._servers.carrier(key)
        if carrier is not None:
            try:
                return await carrier.send(request)
            except (LinkLost, ReplyError) as exc:
                trouble = exc
        deadline = self._clock.seconds() + self._patience_s
        while True:
            carrier = await self._next(key, trouble, deadline)
            try:
                return await carrier.send(request)
            except (LinkLost, ReplyError) as exc:
                trouble = exc

    async def ask_once(self, key: bytes, request: bytes) -> Reply:
        """Send a request that must not be carried out twice; return the reply.

        Cancelling the wait does not take back what was sent.

        Raises: as ``ask``; OutcomeUnknown when the connection broke before the reply came.
        """
        try:
            return await self._once(key, request)
        except LinkLost as exc:
            raise OutcomeUnknown(f"{self._servers}: {exc}") from exc

    async def _once(self, key: bytes, request: bytes) -> Reply:
        trouble: ReplyError | None = None
        carrier = self._servers.carrier(key)
        if carrier is not None:
            try:
                return await carrier.send(request)
            except ReplyError as exc:
                trouble = exc
        deadline = self._clock.seconds() + self._patience_s
        while True:
            carrier = await self._next(key, trouble, deadline)
            try:
                return await carrier.send(request)
            except ReplyError as exc:
                trouble = exc

    async def _next(self, key: bytes, trouble: Exception | None, deadline: float) -> Carrier:
        """Return where to try again after ``trouble``; raise when there is no sense or no time left."""
        if isinstance(trouble, ReplyError):
            if trouble.code in _LASTING:
                raise PersistenceUnavailable(f"{self._servers}: {trouble}")
            if trouble.code not in _PASSING:
                raise PersistenceError(f"{self._servers}: {trouble}")
        left_s = deadline - self._clock.seconds()
        if trouble is not None and left_s <= 0:
            raise PersistenceUnavailable(f"{self._servers}: {trouble}")
        if isinstance(trouble, ReplyError):
            await self._servers.refused(key, trouble, left_s)
        return self._servers.carrier(key) or await self._servers.wait_for(
            key, deadline - self._clock.seconds()
        )
