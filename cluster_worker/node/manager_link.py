"""The link to the cluster's manager, opened again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService
from cluster_worker.wire.connections import Address, LinkReactor, open_link
from cluster_worker.wire.conversation import Expectation
from cluster_worker.wire.errors import LinkClosed
from cluster_worker.wire.handlers import LinkParts
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Role
from cluster_worker.wire.tls import NodeCredentials

RetryPolicy = Callable[[int], float]
"""How many tries have failed in a row → seconds until the next."""

_A_MANAGER = Expectation(frozenset({Role.MANAGER}))


class ManagerLink(TaskService):
    """Keeps a link to one of the managers while it runs, trying them in order.

    The owner's ``LinkHandler`` in ``parts`` learns when a link opens and closes, and passes the
    closing on to ``closed``.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: LinkReactor,
        managers: Sequence[Address],
        credentials: NodeCredentials,
        parts: LinkParts,
        retry: RetryPolicy,
    ) -> None:
        super().__init__()
        self._reactor, self._managers, self._credentials = reactor, tuple(managers), credentials
        self._parts, self._retry = parts, retry
        self._link: Link | None = None
        self._closed: Deferred[None] | None = None

    def startService(self) -> None:
        super().startService()
        self.spawn("link to the manager", self._keep())

    def stopService(self) -> Deferred[None]:
        if self._link is not None:
            self._link.close("the node stops")
        return super().stopService()

    def closed(self, link: Link) -> None:
        """A link to a manager has ended; the next is tried after a pause."""
        waiter, self._closed = self._closed, None
        if link is self._link and waiter is not None:
            self._link = None
            waiter.callback(None)

    async def _keep(self) -> None:
        failures = turn = 0
        while True:
            if await self._use(self._managers[turn % len(self._managers)], failures):
                failures = turn = 0  # the first of them is tried first again
            else:
                failures, turn = failures + 1, turn + 1
            await sleep(self._reactor, self._retry(failures))

    async def _use(self, address: Address, failures: int) -> bool:
        """Whether a link to ``address`` could be opened; if so it has ended again."""
        try:
            link = await open_link(self._reactor, address, self._credentials, self._parts, _A_MANAGER)
        except LinkClosed as problem:
            if failures == 0:
                self._log.warn("no link to a manager: {problem}; trying on", problem=problem)
            return False
        if link.is_open:
            self._link, self._closed = link, Deferred()
            await self._closed
        return True
