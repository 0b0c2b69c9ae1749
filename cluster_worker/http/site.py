"""The site: a resource tree served over streaming connections.

``StreamingSite`` is the factory to listen with (see ``cluster_worker.http.listening``).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from email.utils import formatdate
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.web.resource import IResource
from twisted.web.server import Site

from cluster_worker.http.channel import StreamingChannel
from cluster_worker.http.limits import HttpLimits
from cluster_worker.http.phases import Phase
from cluster_worker.http.request import StreamingRequest
from cluster_worker.runtime.clock import WallClock, sleep, system_wall_clock
from cluster_worker.runtime.request_ids import RequestIds, well_formed

if TYPE_CHECKING:
    from cluster_worker.http.access_log import AccessLog
    from cluster_worker.http.traffic import Traffic

__all__ = ["HttpLimits", "StreamingRequest", "StreamingSite"]

_SWEEP_S = 1.0
_GOODBYE_S = 0.3
"""How long a stopping server waits for the goodbye of clients that asked for nothing."""
_FIRST_REQUEST_S = 1.0
"""How long it waits for the request of a client that connected just before the stop."""


class StreamingSite(Site):
    """Serves ``resource`` and its children; each request is rendered as soon as its headers are in.

    Timeouts are looked at once a second for all connections together. A connection that another protocol
    took over (WebSocket) is that protocol's to close and to count.
    """

    protocol = StreamingChannel  # type: ignore[assignment]  # Twisted declares a function here
    requestFactory = StreamingRequest
    noisy = False

    def __init__(
        self,
        resource: IResource,
        *,
        clock: IReactorTime,
        limits: HttpLimits | None = None,
        access_log: AccessLog | None = None,
        traffic: Traffic | None = None,
        wall_clock: WallClock = system_wall_clock,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        super().__init__(resource, reactor=clock, timeout=0, parsePOSTFormSubmission=False)
        self.timeOut = None
        self.clock = clock
        self.limits = limits or HttpLimits()
        self.is_stopping = False
        """Whether answers ask their clients to go elsewhere next, and new connections are closed."""
        self._access_log, self._traffic = access_log, traffic
        if traffic is not None:
            traffic.site = self
        self._request_ids = RequestIds(random_bytes)
        self._wall_clock = wall_clock
        self._channels: set[StreamingChannel] = set()
        self._sweeping: IDelayedCall | None = None
        self._emptied: list[Deferred[None]] = []
        self._date, self._date_of = b"", -1

    @property
    def connection_count(self) -> int:
        """How many connections are open."""
        return len(self._channels)

    @property
    def request_count(self) -> int:
        """How many requests are not answered yet."""
        return sum(len(channel.requests) for channel in self._channels if not channel.is_taken_over)

    def request_id_for(self, request: StreamingRequest) -> str:
        """Return the id that the client gave to its request, or a new one if that is not well formed."""
        values = request.requestHeaders.getRawHeaders(b"X-Request-Id")
        given = well_formed(values[-1].decode("latin-1")) if values else None
        return given or self._request_ids.next()

    def date(self) -> bytes:
        """The ``Date`` header, made once a second."""
        now_s = int(self._wall_clock())
        if now_s != self._date_of:
            self._date, self._date_of = formatdate(now_s, usegmt=True).encode("ascii"), now_s
        return self._date

    def now_s(self) -> int:
        """Return the time that ``date`` tells, in whole seconds since the epoch."""
        return int(self._wall_clock())

    async def drain(self, grace_s: float) -> None:
        """Let open requests end for up to ``grace_s`` seconds, then drop every connection.

        What has arrived at this machine is served; answers tell their clients to go elsewhere next.
        """
        self.is_stopping = True
        await sleep(self.clock, 0)  # one look at the sockets: a request may wait on an idle connection
        for channel in list(self._channels):
            if channel.is_taken_over:
                self.closed(channel)
            else:
                channel.finish_soon(min(_FIRST_REQUEST_S, grace_s))
        if not self._channels:
            return
        emptied: Deferred[None] = Deferred()
        self._emptied.append(emptied)
        drops = [
            self.clock.callLater(min(_GOODBYE_S, grace_s), self._drop, {Phase.CLOSING}),
            self.clock.callLater(grace_s, self._drop, set(Phase)),
        ]
        await emptied
        for drop in drops:
            if drop.active():
                drop.cancel()

    # -- called by the channels -------------------------------------------------------------------

    def opened(self, channel: StreamingChannel) -> None:
        """A connection came up."""
        self._channels.add(channel)
        if self._sweeping is None:
            self._sweeping = self.clock.callLater(_SWEEP_S, self._sweep)

    def closed(self, channel: StreamingChannel) -> None:
        """A connection is gone."""
        self._channels.discard(channel)
        if not self._channels:
            if self._sweeping is not None:
                self._sweeping.cancel()
                self._sweeping = None
            emptied, self._emptied = self._emptied, []
            for waiter in emptied:
                waiter.callback(None)

    def log(self, request: StreamingRequest) -> None:  # type: ignore[override]  # ours are the only ones
        took_s = self.clock.seconds() - request.started_s
        if self._traffic is not None:
            self._traffic.record(request, took_s)
        if self._access_log is not None:
            self._access_log.record(request, took_s)

    def aborted(self, request: StreamingRequest) -> None:
        """The connection ended before the request was answered."""
        if self._traffic is not None:
            self._traffic.aborted(request)

    # -- Twisted's factory interface --------------------------------------------------------------

    def buildProtocol(self, addr: IAddress | None) -> StreamingChannel | None:  # type: ignore[override]
        if len(self._channels) >= self.limits.max_connections or self.is_stopping:
            return None
        channel = StreamingChannel()
        channel.factory = self
        channel.site = self
        return channel

    def startFactory(self) -> None:
        self.is_stopping = False

    def stopFactory(self) -> None:
        """Connections are ended by ``drain``."""

    def acceptableProtocols(self) -> list[bytes]:
        return [b"http/1.1"]

    def _sweep(self) -> None:
        self._sweeping = self.clock.callLater(_SWEEP_S, self._sweep)
        now_s = self.clock.seconds()
        for channel in list(self._channels):
            deadline_s = channel.deadline_s
            if channel.is_taken_over:
                self.closed(channel)
            elif deadline_s is not None and deadline_s <= now_s:
                channel.timed_out()

    def _drop(self, phases: Collection[Phase]) -> None:
        for channel in list(self._channels):
            if channel.phase in phases:
                channel.abort()
