"""Graph Sync on WebSockets: the resource to mount, and the service that knows all sessions."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from cluster_worker.http.errors import HttpError, render_error
from cluster_worker.persistence.engine import Key
from cluster_worker.runtime.services import TaskService
from oz_worker.graphsync.parts import SessionParts
from oz_worker.graphsync.session import ProviderSession
from oz_worker.store import ZoneStore

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

HANDSHAKE_TIMEOUT_S: Final = 10.0
PING_INTERVAL_S: Final = 30.0
PING_TIMEOUT_S: Final = 10.0
LONGEST_MESSAGE_B: Final = 4 * 1024 * 1024


class GraphSync(TaskService):
    """All sessions of this node; while it runs, changes of the zone go to every one of them."""

    def __init__(self, parts: SessionParts, store: ZoneStore, new_id: Callable[[], str]) -> None:
        super().__init__()
        self.parts, self.new_id = parts, new_id
        self._store = store
        self._sessions: set[ProviderSession] = set()
        self._emptied: list[Deferred[None]] = []
        self._unlisten: Callable[[], None] = lambda: None

    def startService(self) -> None:
        super().startService()
        self._unlisten = self._store.listen(self._changed)

    def stopService(self) -> Deferred[None]:
        self._unlisten()
        return Deferred.fromCoroutine(self._stop())

    def opened(self, session: ProviderSession) -> None:
        """A WebSocket is open."""
        self._sessions.add(session)

    def closed(self, session: ProviderSession) -> None:
        """A WebSocket is gone."""
        self._sessions.discard(session)
        self.spawn("ending a session", session.lost())
        if not self._sessions:
            waiters, self._emptied = self._emptied, []
            for waiter in waiters:
                waiter.callback(None)

    async def _stop(self) -> None:
        for session in list(self._sessions):
            session.hang_up()
        if self._sessions:
            emptied: Deferred[None] = Deferred()
            self._emptied.append(emptied)
            await emptied
        await super().stopService()

    def _changed(self, keys: Collection[Key]) -> None:
        for session in list(self._sessions):
            session.changed(keys)


class GraphSyncProtocol(WebSocketServerProtocol):
    """Hands frames to a session; drops connections without a handshake in time."""

    factory: GraphSyncFactory
    _session: ProviderSession | None = None
    _deadline: IDelayedCall | None = None

    def onOpen(self) -> None:
        hub = self.factory.hub
        peer = None if self.transport is None else self.transport.getPeer()
        host = getattr(peer, "host", None)
        self._session = ProviderSession(hub.parts, self, host, hub.new_id)
        hub.opened(self._session)
        self._deadline = hub.parts.clock.callLater(HANDSHAKE_TIMEOUT_S, self._too_late)

    def onMessage(self, payload: bytes, is_binary: bool) -> None:
        if is_binary or self._session is None:
            self.sendClose(self.CLOSE_STATUS_CODE_UNSUPPORTED_DATA)
            return
        self._session.received(payload.decode())
        if self._session.provider_id is not None:
            self._cancel_deadline()

    def onClose(self, was_clean: bool, code: int | None, reason: str | None) -> None:
        self._cancel_deadline()
        session, self._session = self._session, None
        if session is not None:
            self.factory.hub.closed(session)

    def send(self, text: str) -> None:
        """Send a text frame; dropped when the connection is closing."""
        if self.state == self.STATE_OPEN:
            self.sendMessage(text.encode())

    def close(self) -> None:
        """Close after what was sent."""
        self.sendClose(self.CLOSE_STATUS_CODE_NORMAL)

    def _too_late(self) -> None:
        self._deadline = None
        self.close()

    def _cancel_deadline(self) -> None:
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.cancel()


class GraphSyncFactory(WebSocketServerFactory):
    """Makes the protocols of one hub."""

    protocol = GraphSyncProtocol  # type: ignore[assignment]  # Twisted declares a function here
    noisy = False

    def __init__(self, hub: GraphSync, reactor: Any) -> None:
        super().__init__(None, reactor=reactor)
        self.hub = hub
        self.setProtocolOptions(
            autoPingInterval=PING_INTERVAL_S,
            autoPingTimeout=PING_TIMEOUT_S,
            openHandshakeTimeout=HANDSHAKE_TIMEOUT_S,
            closeHandshakeTimeout=2,
            maxMessagePayloadSize=LONGEST_MESSAGE_B,
            maxFramePayloadSize=LONGEST_MESSAGE_B,
        )


@implementer(IResource)
class GraphSyncResource:
    """Takes a connection over from HTTP when it asks for a WebSocket; others get 426."""

    isLeaf = True

    def __init__(self, factory: GraphSyncFactory) -> None:
        self._factory = factory
        self._websocket = WebSocketResource(factory)

    def render(self, request: StreamingRequest) -> Any:
        """Take the connection over."""
        if (request.getHeader(b"upgrade") or b"").lower() != b"websocket":
            render_error(request, HttpError(426, {b"Upgrade": b"websocket"}))
            return NOT_DONE_YET
        if not self._factory.hub.running:
            render_error(request, HttpError(503))
            return NOT_DONE_YET
        return self._websocket.render(request)

    def getChildWithDefault(self, name: bytes, request: IRequest) -> IResource:
        """A leaf has no children."""
        return self

    def putChild(self, path: bytes, child: IResource) -> None:
        """A leaf has no children."""
        raise NotImplementedError("a leaf has no children")
