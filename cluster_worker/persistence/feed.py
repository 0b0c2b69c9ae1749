"""Telling listeners that a scope's feed moved, over a subscription of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from cluster_worker.persistence.connection import Uses
from cluster_worker.persistence.engine import PersistenceError, Scope
from cluster_worker.persistence.link import LinkLost, RedisLink
from cluster_worker.persistence.resp import ReplyError
from cluster_worker.persistence.topologies import Store
from cluster_worker.runtime.services import TaskService


@define(eq=False)
class _Watcher:
    listener: Callable[[Scope], None]
    told: set[Scope] = field(factory=set)


class FeedWatch(TaskService):
    """Calls listeners with the scopes whose feed moved; connects when the first one comes.

    Messages sent while there was no subscription are lost, so after each new one every listener is
    called for every scope there is and every scope it has been called for. Several servers may tell the
    same thing, as the nodes of a cluster do; what is not newer than what was told is dropped.
    """

    _log = Logger()

    def __init__(self, store: Store, scopes: Callable[[], Awaitable[Sequence[Scope]]]) -> None:
        super().__init__()
        self._scopes = scopes
        self._watchers: set[_Watcher] = set()
        self._newest: dict[bytes, int] = {}
        uses = Uses(_greet, on_ready=self._subscribe, on_message=self._on_message)
        self._connections = store.open(uses)

    def startService(self) -> None:
        super().startService()
        if self._watchers:
            self._connections.startService()

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop(super().stopService()))

    async def _stop(self, tasks_ended: Deferred[None]) -> None:
        await tasks_ended
        await self._connections.stopService()

    def watch(self, listener: Callable[[Scope], None]) -> Callable[[], None]:
        """Call ``listener`` from now on; return what ends it."""
        watcher = _Watcher(listener)
        self._watchers.add(watcher)
        if self.running and not self._connections.running:
            self._connections.startService()
        elif self._connections.is_ready:
            self.spawn("tell a new listener", self._tell_all([watcher]))
        return lambda: self._watchers.discard(watcher)

    def _subscribe(self, link: RedisLink) -> None:
        self.spawn("subscribe to the feed", self._subscribed(link))

    async def _subscribed(self, link: RedisLink) -> None:
        try:
            await link.ask(b"SUBSCRIBE", b"feed")
        except (LinkLost, ReplyError) as exc:
            link.abandon(f"cannot subscribe: {exc}")
            return
        self._newest.clear()  # it may be another server, which has not all that the last one had
        await self._tell_all(list(self._watchers))

    async def _tell_all(self, watchers: Sequence[_Watcher]) -> None:
        try:
            scopes = await self._scopes()
        except PersistenceError as exc:
            self._log.warn("cannot list the scopes for feed listeners: {reason}", reason=str(exc))
            scopes = ()
        for watcher in watchers:
            for scope in watcher.told.union(scopes):
                self._tell(watcher, scope)

    def _on_message(self, _channel: bytes, payload: bytes) -> None:
        name, _, seq = payload.partition(b"\0")
        if int(seq) <= self._newest.get(name, 0):
            return
        self._newest[name] = int(seq)
        scope = Scope(name.decode("utf-8", "surrogateescape"))
        for watcher in list(self._watchers):
            self._tell(watcher, scope)

    def _tell(self, watcher: _Watcher, scope: Scope) -> None:
        if watcher not in self._watchers:
            return
        watcher.told.add(scope)
        try:
            watcher.listener(scope)
        except Exception:  # noqa: BLE001 - one listener's bug must not silence the others
            self._log.failure("a feed listener failed")


async def _greet(_link: RedisLink) -> None:
    """Who only listens needs no scripts."""
