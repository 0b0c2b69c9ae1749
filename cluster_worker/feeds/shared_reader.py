"""Reading the feeds of scopes, each on one node at a time, for whoever must not count anything twice."""

from __future__ import annotations

from collections.abc import Callable, Collection

from twisted.internet.defer import Deferred

from cluster_worker.feeds.position import SharedPosition
from cluster_worker.feeds.reader import Consumer, FeedReader
from cluster_worker.persistence.engine import Scope
from cluster_worker.runtime.services import OrderedService
from cluster_worker.tenure.tenure import Tenure
from cluster_worker.tenure.works import Works


class SharedReader(OrderedService):
    """Hands the changes of scopes to a consumer, for as long as this node is the one that reads them.

    A node that dies is replaced within five seconds, one that stops or is drained at once. One that slept and
    wakes up cannot commit what it read: ``position`` is behind the fence of its tenure.

    Args:
        consumer: goes by ``position``, and commits its steps.
        scopes: which scopes are read by some node now.

    Attributes:
        feed: what reads the scopes whose turn is this node's.
    """

    def __init__(
        self,
        works: Works,
        consumer: Consumer,
        position: SharedPosition,
        scopes: Callable[[], Collection[Scope]],
    ) -> None:
        super().__init__()
        self._position = position
        self._works = works.each(f"reader:{position.reader}", scopes, self._own)
        self.feed = FeedReader(works.engine, consumer, lambda: position.held, works.clock)
        for service in (self._works, self.feed):
            service.setServiceParent(self)

    def wake(self, scope: Scope) -> None:
        """Look at a scope soon, also one that nobody reads yet."""
        if scope in self._position.held:
            self.feed.wake(scope)
        else:
            self._works.wake(scope)

    async def _own(self, key: str, tenure: Tenure) -> None:
        """Read a scope until this node does not own it any more."""
        scope = Scope(key)
        fence = await tenure.fence(scope)
        self._position.take(scope, fence)
        try:
            self.feed.wake(scope)
            await Deferred[None]()
        finally:
            self._position.let_go(scope, fence)
            self.feed.reached.pop(scope, None)
