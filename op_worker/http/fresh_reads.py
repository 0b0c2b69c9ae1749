"""Requests that ask for the present state whatever caches know: ``Cache-Control: no-cache``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource, getChildForRequest
from twisted.web.server import NOT_DONE_YET

from cluster_worker.http.request import StreamingRequest
from cluster_worker.persistence.engine import PersistenceError
from cluster_worker.runtime.services import TaskService

_DIRECTIVES = frozenset({b"no-cache", b"max-age=0"})


class Freshness(TaskService):
    """Has everything that this node keeps in memory of what other nodes write read anew.

    However many ask, one reading is under way and at most one more is due.

    Args:
        readings: done one after the other. Each may raise ``PersistenceError``.
    """

    _log = Logger()

    def __init__(self, readings: Sequence[Callable[[], Awaitable[object]]]) -> None:
        super().__init__()
        self._readings = readings
        self._waiting: list[Deferred[None]] = []
        self._is_reading = False

    async def require(self) -> None:
        """Return when everything has been read since this was called, or the store turned out to be away."""
        waiter: Deferred[None] = Deferred(lambda _: None)
        self._waiting.append(waiter)
        if not self._is_reading:
            self._is_reading = True
            self.spawn("fresh knowledge", self._read())
        await waiter

    async def _read(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                try:
                    for reading in self._readings:
                        await reading()
                except PersistenceError as error:
                    self._log.warn("what other nodes changed is learnt later: {error}", error=error)
                finally:
                    for waiter in waiting:
                        waiter.callback(None)
        finally:
            self._is_reading = False


class FreshReads(Resource):
    """A tree of resources; requests that do not want to be served from caches wait for ``freshness``."""

    isLeaf = True

    def __init__(self, tree: IResource, freshness: Freshness) -> None:
        super().__init__()
        self._tree, self._freshness = tree, freshness

    def render(self, request: StreamingRequest) -> object:
        if not wants_fresh(request):
            return getChildForRequest(self._tree, request).render(request)
        self._freshness.spawn("a fresh read", self._render_fresh(request))
        return NOT_DONE_YET

    async def _render_fresh(self, request: StreamingRequest) -> None:
        await self._freshness.require()
        if request.is_gone:
            return
        try:
            request.render(getChildForRequest(self._tree, request))
        except Exception:  # noqa: BLE001 - the boundary: whatever a resource raises becomes an answer
            request.processingFailed(Failure())


def wants_fresh(request: StreamingRequest) -> bool:
    """Whether a request says ``Cache-Control: no-cache`` (or ``max-age=0``)."""
    values = request.requestHeaders.getRawHeaders(b"Cache-Control") or ()
    return any(part.strip().lower() in _DIRECTIVES for value in values for part in value.split(b","))
