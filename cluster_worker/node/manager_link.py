"""The link to the cluster's leading manager, opened again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from cluster_worker.node.manager_choice import ManagerChoice, Outcome
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService
from cluster_worker.wire.connections import Address, LinkReactor, open_link
from cluster_worker.wire.conversation import Expectation
from cluster_worker.wire.errors import LinkClosed
from cluster_worker.wire.handlers import LinkLimits, LinkParts
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Role
from cluster_worker.wire.tls import NodeCredentials

RetryPolicy = Callable[[int], float]
"""How many tries have failed in a row → seconds until the next."""

MANAGER_LIMITS = LinkLimits(greeting_timeout_s=3.0, ping_interval_s=1.0, silence_timeout_s=2.5)
"""A manager that froze has to be noticed about when its lease runs out."""

_CONNECT_TIMEOUT_S = 2.0
_BRIEF_S = 1.0
_A_MANAGER = Expectation(frozenset({Role.MANAGER}))


class ManagerLink(TaskService):
    """Keeps a link to the manager that leads while it runs.

    A standby that names nobody of use may lead soon: the link to it is kept until the next try is due, and
    for good when it leads by then. The owner's ``LinkHandler`` in ``parts`` learns when a link opens and
    closes, and passes on to ``closed``, ``redirected`` and ``joined`` what belongs here.
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
        self._reactor, self._credentials = reactor, credentials
        self._parts, self._retry = parts, retry
        self._choice = ManagerChoice(managers)
        self._link: Link | None = None
        self._closed: Deferred[None] | None = None
        self._is_standby = False
        self._leader: Address | None = None
        self._tried_at_s, self._pause_s = 0.0, 0.0

    def startService(self) -> None:
        super().startService()
        self.spawn("link to the manager", self._keep())

    def stopService(self) -> Deferred[None]:
        if self._link is not None:
            self._link.close("the node stops")
        return super().stopService()

    def closed(self, link: Link) -> None:
        """A link to a manager has ended; the next one is tried."""
        waiter, self._closed = self._closed, None
        if link is self._link and waiter is not None:
            self._link = None
            waiter.callback(None)

    def redirected(self, link: Link, leader: Address | None) -> None:
        """The manager at the other end does not lead; ``leader`` is who does, if it knows."""
        if link is not self._link:
            return
        self._is_standby, self._leader = True, leader
        if self._choice.follows(leader, self._reactor.seconds()):
            link.close("it does not lead")
        else:
            self.spawn("waiting with a standby", self._wait_with(link))

    def joined(self) -> None:
        """The manager at the other end has begun to lead, if it did not before."""
        self._is_standby = False

    async def _keep(self) -> None:
        failures = 0
        while True:
            self._tried_at_s, self._pause_s = self._reactor.seconds(), self._retry(failures)
            address = self._choice.next(self._tried_at_s)
            outcome = await self._use(address, failures)
            failures = failures + 1 if outcome is Outcome.FAILED else 0
            if not self._choice.tried(address, outcome, self._leader, self._reactor.seconds()):
                await sleep(self._reactor, self._rest_s())

    def _rest_s(self) -> float:
        """How long it is until the next try."""
        return max(0.0, self._tried_at_s + self._pause_s - self._reactor.seconds())

    async def _wait_with(self, standby: Link) -> None:
        await sleep(self._reactor, self._rest_s())
        if self._is_standby and standby is self._link:
            standby.close("it does not lead")

    async def _use(self, address: Address, failures: int) -> Outcome:
        """Open a link to ``address`` and wait until it has ended."""
        self._is_standby, self._leader = False, None
        try:
            link = await open_link(
                self._reactor,
                address,
                self._credentials,
                self._parts,
                _A_MANAGER,
                connect_timeout_s=_CONNECT_TIMEOUT_S,
            )
        except LinkClosed as problem:
            if failures == 0:
                self._log.warn("no link to a manager: {problem}; trying on", problem=problem)
            return Outcome.FAILED
        opened_at_s = self._reactor.seconds()
        if link.is_open:
            self._link, self._closed = link, Deferred()
            await self._closed
        if self._is_standby:
            return Outcome.STANDBY
        lived_s = self._reactor.seconds() - opened_at_s
        return Outcome.ENDED if lived_s >= _BRIEF_S else Outcome.BRIEF
