"""The cluster-manager at work: links to workers, and who answers them, a leader or a standby."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from cluster_manager.leadership import Leadership
from cluster_manager.membership.cluster_state import Phase
from cluster_manager.operator_requests import Resizing
from cluster_manager.reign import Reign, ReignParts
from cluster_manager.settings import ManagerSettings
from cluster_manager.stored_state import (
    ClusterMemory,
    LaterLeader,
    Leader,
    MemoryAway,
    NoMemory,
    UnreadableMemory,
)
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import OrderedService, TaskOwner
from cluster_worker.wire.connections import LinkListener, LinkReactor
from cluster_worker.wire.conversation import Expectation
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.handlers import LinkParts
from cluster_worker.wire.health_messages import GetClusterStatus
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Failed, Hello, Result, Role, VersionRange
from cluster_worker.wire.membership_messages import Leave, NotLeader, RegisterNode
from cluster_worker.wire.messages import Message
from cluster_worker.wire.refusals import Reason, Refusals
from cluster_worker.wire.tls import NodeCredentials

VERSIONS = VersionRange(1, 1)
_PEERS = Expectation(frozenset({Role.WORKER, Role.OPERATOR}))
_OF_WORKERS, _OF_OPERATORS = GetClusterStatus | Leave, GetClusterStatus | Resizing
_RETRY_S = 0.1


class ClusterManager(OrderedService):
    """Listens for workers and, while it leads, keeps them together; otherwise tells them who does.

    Args:
        memory: what it learns from the leaders before it and leaves to those after it.
        refusals: counts what it refuses on its links.
        door: gives the URL of its HTTP door, told to those who ask a standby.

    Attributes:
        reign: what it does while it leads, ``None`` while it does not.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: LinkReactor,
        settings: ManagerSettings,
        credentials: NodeCredentials,
        leadership: Leadership,
        *,
        memory: ClusterMemory | None = None,
        refusals: Refusals | None = None,
        door: Callable[[], str] = str,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        super().__init__()
        self._clock, self._settings, self._leadership = reactor, settings, leadership
        self._memory = NoMemory() if memory is None else memory
        self.refusals = Refusals() if refusals is None else refusals
        self._door = door
        boot_id = random_bytes(16).hex()
        self._hello = Hello(
            VERSIONS,
            frozenset(),
            Role.MANAGER,
            settings.node_name,
            "cluster_manager",
            settings.release,
            boot_id,
        )
        self._tasks = TaskOwner()
        self.reign: Reign | None = None
        self._term = 0
        self._links: dict[str, Link] = {}
        self._early: dict[Link, RegisterNode] = {}
        parts = LinkParts(
            clock=reactor,
            hello=lambda: self._hello,
            handler=self,
            tasks=self._tasks,
            refusals=self.refusals,
        )
        self._listener = LinkListener(reactor, settings.listen, credentials, parts, _PEERS)
        self._listener.setServiceParent(self)
        leadership.lead(self)
        leadership.setServiceParent(self)

    @property
    def port(self) -> int:
        """The port that workers connect to."""
        return self._listener.port

    @property
    def half_open(self) -> int:
        """How many connections have not greeted yet."""
        return self._listener.half_open

    @property
    def leads(self) -> bool:
        """Whether this manager leads now."""
        return self.reign is not None and self._leadership.leads(self._term)

    @property
    def is_ready(self) -> bool:
        """Whether it leads a cluster that is ready."""
        return self.reign is not None and self.reign.membership.phase is Phase.READY

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await super().stopService()
        self._dismiss("the manager stops")
        await self._tasks.close()

    @property
    def hello(self) -> Hello:
        """How it greets: its name and release."""
        return self._hello

    async def last_leader(self) -> Leader | None:
        """Who leads, or led last, as far as this can be found out now."""
        try:
            return await self._memory.leader()
        except (MemoryAway, UnreadableMemory):
            return None

    # Leading.

    def begin_reign(self, term: int) -> None:
        self._term = term
        self._tasks.spawn("reign", self._begin(term))

    async def _begin(self, term: int) -> None:
        """Learn what the leaders before have left, then lead."""
        leader = Leader(term, self._settings.node_name, self._settings.reached_at(self.port), self._door())
        while self._leadership.leads(term):
            try:
                remembered = await self._memory.begin(leader)
            except (LaterLeader, UnreadableMemory) as problem:
                self._log.error("this manager cannot lead: {problem}", problem=problem)
                self._leadership.depose(term)
                return
            except MemoryAway:
                await sleep(self._clock, _RETRY_S)
                continue
            if self._leadership.leads(term):
                self._enthrone(Reign(self._reign_parts(term), term, remembered))
            return

    def _enthrone(self, reign: Reign) -> None:
        self.reign = reign
        reign.begin()
        early, self._early = self._early, {}
        for link, message in early.items():
            reign.register(link, message)

    def end_reign(self, term: int, reason: str) -> None:
        reign, self.reign = self.reign, None
        if reign is not None:
            self._tasks.spawn("end of reign", reign.close())
        self._dismiss(reason)

    def _dismiss(self, reason: str) -> None:
        """Send everybody elsewhere."""
        links = {*self._links.values(), *self._early}
        self._links.clear()
        self._early.clear()
        for link in links:
            link.close(reason)

    def _reign_parts(self, term: int) -> ReignParts:
        return ReignParts(
            clock=self._clock,
            settings=self._settings,
            links=self._links,
            memory=self._memory,
            refusals=self.refusals,
            leads=lambda: self._leadership.leads(term),
            deposed=lambda: self._leadership.depose(term),
        )

    # The handler of links.

    def link_opened(self, link: Link) -> None:
        self._log.info("{node} is linked", node=_name(link))

    def link_closed(self, link: Link, reason: str) -> None:
        node = _name(link)
        self._log.info("{node} is no longer linked: {reason}", node=node, reason=reason)
        self._early.pop(link, None)
        if self._links.get(node) is link:
            del self._links[node]
            if self.reign is not None:
                self.reign.silent(node, "" if link.peer is None else link.peer.hello.boot_id)

    def handle_notice(self, link: Link, message: Message) -> None:
        node = _name(link)
        if _is_operator(link):
            self.refusals.count(Reason.ROLE, node, type(message).__name__)
        elif isinstance(message, RegisterNode):
            self._register(link, message)
        elif self._links.get(node) is not link or self.reign is None:
            self.refusals.count(Reason.UNREGISTERED, node, type(message).__name__)
        else:
            self.reign.heard(node, message)

    async def handle_request(self, link: Link, message: Message) -> Message:
        if not isinstance(message, _OF_OPERATORS if _is_operator(link) else _OF_WORKERS):
            return Failed("badRequest", f"a manager does not serve {type(message).__name__} to such a peer")
        if self.reign is None or not self.leads:
            return Failed("notLeader", "this manager does not lead")
        if isinstance(message, GetClusterStatus):
            return await self.reign.cluster_status()
        if isinstance(message, Resizing):
            return await self.reign.resize(message)
        if self._links.get(_name(link)) is link:
            self.reign.left(_name(link))
        return Result(None)

    def _register(self, link: Link, message: RegisterNode) -> None:
        if self.reign is not None and self.leads:
            self.reign.register(link, message)
        elif self._leadership.leads(self._term):
            self._early[link] = message
        else:
            self._tasks.spawn("redirect", self._redirect(link, message))

    async def _redirect(self, link: Link, message: RegisterNode) -> None:
        """Tell a worker who leads, as far as that is known; it goes there, or waits whether this one will."""
        leader = await self.last_leader()
        if self._leadership.leads(self._term):
            self._register(link, message)
            return
        if leader is None or leader.node == self._settings.node_name:
            answer = NotLeader(Epoch(0 if leader is None else leader.term), "", 0)
        else:
            answer = NotLeader(Epoch(leader.term), leader.address.host, leader.address.port)
        link.notify(answer)
        if link.is_open:
            self._early[link] = message  # it may wait here for what comes


def _name(link: Link) -> str:
    return "?" if link.peer is None else link.peer.node


def _is_operator(link: Link) -> bool:
    return link.peer is not None and link.peer.hello.role is Role.OPERATOR
