"""The cluster-manager at work: links to workers, a clock, and what membership decides."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from attrs import frozen
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger

from cluster_manager.assignment import Assignment, NodeLoad, assign, load_of
from cluster_manager.leadership import Leadership
from cluster_manager.membership import Membership, Phase
from cluster_manager.membership_events import (
    CheckHealth,
    Event,
    HealthReported,
    NodeLeft,
    NodeRegistered,
    NodeSilent,
    Send,
    StepReported,
    Ticked,
)
from cluster_manager.rules import MembershipRules
from cluster_manager.status import NODE_DOWN, TIMED_OUT, StatusCache, first_problem, gather
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.services import OrderedService, TaskOwner
from cluster_worker.wire.connections import Address, LinkListener, LinkReactor
from cluster_worker.wire.conversation import Expectation
from cluster_worker.wire.errors import RequestTimedOut, WireError
from cluster_worker.wire.handlers import LinkParts
from cluster_worker.wire.health_messages import (
    ClusterStatus,
    ComponentStatuses,
    GetClusterStatus,
    Health,
    Healthcheck,
)
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Failed, Hello, Result, Role, VersionRange
from cluster_worker.wire.membership_messages import (
    ForceStop,
    Heartbeat,
    Leave,
    LoadAdvice,
    NodeAddress,
    Refused,
    RegisterNode,
    StepReport,
)
from cluster_worker.wire.messages import Message
from cluster_worker.wire.tls import NodeCredentials

VERSIONS = VersionRange(1, 1)
_WORKERS = Expectation(frozenset({Role.WORKER}))


@frozen(kw_only=True)
class ManagerSettings:
    """What a manager is told about its cluster. Times in seconds."""

    node_name: str
    listen: Address
    rules: MembershipRules
    heartbeat_interval_s: float = 0.5
    advice_interval_s: float = 0.5
    tick_s: float = 1.0
    healthcheck_timeout_s: float = 10.0
    status_lifetime_s: float = 15.0
    release: str = ""


class ClusterManager(OrderedService):
    """Listens for workers and leads them through their boot.

    Nothing is stored: a manager that starts again learns the state of the cluster from the workers.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: LinkReactor,
        settings: ManagerSettings,
        credentials: NodeCredentials,
        leadership: Leadership,
        *,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        super().__init__()
        self._clock, self._settings = reactor, settings
        self._hello = Hello(
            VERSIONS,
            frozenset(),
            Role.MANAGER,
            settings.node_name,
            "cluster_manager",
            settings.release,
            random_bytes(16).hex(),
        )
        self._tasks = TaskOwner()
        self._locks = KeyedLocks()
        self._membership = Membership(settings.rules, leadership.term)
        self._links: dict[str, Link] = {}
        self._loads: dict[str, NodeLoad] = {}
        self._assignment = Assignment({})
        self._status = StatusCache(settings.status_lifetime_s)
        parts = LinkParts(clock=reactor, hello=lambda: self._hello, handler=self, tasks=self._tasks)
        self._listener = LinkListener(reactor, settings.listen, credentials, parts, _WORKERS)
        self._listener.setServiceParent(self)

    @property
    def port(self) -> int:
        """The port that workers connect to."""
        return self._listener.port

    @property
    def is_ready(self) -> bool:
        """Whether the cluster is ready."""
        return self._membership.phase is Phase.READY

    def startService(self) -> None:
        super().startService()
        self._tasks.spawn("ticks", self._tick())
        self._tasks.spawn("load advice", self._advise())

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await super().stopService()
        for link in list(self._links.values()):
            link.close("the manager stops")
        await self._tasks.close()

    # The handler of links.

    def link_opened(self, link: Link) -> None:
        self._log.info("{node} is linked", node=_name(link))

    def link_closed(self, link: Link, reason: str) -> None:
        node = _name(link)
        self._log.info("{node} is no longer linked: {reason}", node=node, reason=reason)
        if self._links.get(node) is link:
            del self._links[node]
            self._handle(NodeSilent(node, _boot_id(link)))

    def handle_notice(self, link: Link, message: Message) -> None:
        node = _name(link)
        if isinstance(message, RegisterNode):
            self._register(link, message)
        elif self._links.get(node) is not link:
            return  # it is not registered, or has another link by now
        elif isinstance(message, Heartbeat):
            self._loads[node] = NodeLoad(message.cpu, message.mem, self._clock.seconds())
        elif isinstance(message, StepReport):
            self._handle(StepReported(node, message.epoch, message.step, message.error))

    async def handle_request(self, link: Link, message: Message) -> Message:
        if isinstance(message, GetClusterStatus):
            return await self._cluster_status()
        if isinstance(message, Leave):
            self._log.info("{node} leaves", node=_name(link))
            if self._links.get(_name(link)) is link:
                self._handle(NodeLeft(_name(link)))
            return Result(None)
        return Failed("badRequest", f"a manager does not serve {type(message).__name__}")

    # Membership.

    def _register(self, link: Link, message: RegisterNode) -> None:
        node = _name(link)
        old = self._links.get(node)
        self._links[node] = link
        if old is not None and old is not link:
            old.close("another link of the same node took its place")
        self._membership.outrun(message.latest)
        app = "" if link.peer is None else link.peer.hello.app
        address = NodeAddress(node, message.host, message.port)
        self._handle(NodeRegistered(address, app, _boot_id(link), message.incarnation))

    def _handle(self, event: Event) -> None:
        before = self._membership.phase
        effects = self._membership.handle(event, self._clock.seconds())
        if not isinstance(event, Ticked) or effects:
            self._status.clear()
        for effect in effects:
            if isinstance(effect, Send):
                self._send(effect)
            else:
                self._tasks.spawn("health check", self._check_health(effect))
        if self._membership.phase is not before:
            self._log.info("the cluster is {phase}", phase=self._membership.phase.value)

    def _send(self, effect: Send) -> None:
        if isinstance(effect.message, ForceStop):
            self._log.error(
                "forced stop of {nodes}: {reason}", nodes=effect.nodes, reason=effect.message.reason
            )
        for node in effect.nodes:
            link = self._links.get(node)
            if link is not None:
                link.notify(effect.message)
                if isinstance(effect.message, ForceStop | Refused):
                    del self._links[node]  # it comes back on a new link

    async def _tick(self) -> None:
        while True:
            await sleep(self._clock, self._settings.tick_s)
            self._handle(Ticked())

    # Load.

    async def _advise(self) -> None:
        while True:
            await sleep(self._clock, self._settings.advice_interval_s)
            self._advise_once()

    def _advise_once(self) -> None:
        """Send advice to all nodes in service; a node learns from it that it may dispatch work."""
        if self._membership.phase is Phase.GATHERING:
            return
        now, stale_s = self._clock.seconds(), 2 * self._settings.heartbeat_interval_s
        loads = {
            node: load_of(self._loads.get(node), now, stale_s) for node in self._membership.roster.present
        }
        self._assignment = assign(loads, self._assignment.discounts)
        for node, advice in self._assignment.advice.items():
            link = self._links.get(node)
            if link is not None:
                link.notify(LoadAdvice(self._membership.epoch, advice.should_delegate, advice.shares))

    # Health.

    async def _check_health(self, wanted: CheckHealth) -> None:
        if self._locks.is_held("boot health"):
            return
        self._advise_once()  # without advice no dispatcher is well
        async with self._locks.hold("boot health"):
            status = await self._ask_all(wanted.nodes, booting=True)
        self._handle(HealthReported(wanted.epoch, first_problem(status)))

    async def _cluster_status(self) -> Message:
        if self._membership.phase is not Phase.READY:
            return Failed("clusterNotReady", f"the cluster is {self._membership.phase.value}")
        async with self._locks.hold("status"):
            status = self._status.get(self._clock.seconds())
            if status is None:
                status = await self._ask_all(self._membership.roster.nodes, booting=False)
                self._status.put(status, self._clock.seconds())
            return status

    async def _ask_all(self, nodes: tuple[str, ...], *, booting: bool) -> ClusterStatus:
        answers = [Deferred.fromCoroutine(self._ask(node, booting)) for node in nodes]
        return gather(dict(zip(nodes, await gatherResults(answers, consumeErrors=True), strict=True)))

    async def _ask(self, node: str, booting: bool) -> ComponentStatuses:
        link = self._links.get(node)
        if link is None or (node in self._membership.roster.away and not booting):
            return NODE_DOWN
        try:
            request = Healthcheck(self._membership.epoch, booting)
            reply = await link.request(request, self._settings.healthcheck_timeout_s)
        except RequestTimedOut:
            return TIMED_OUT
        except WireError:
            return NODE_DOWN
        return reply.components if isinstance(reply, Health) else NODE_DOWN


def _name(link: Link) -> str:
    return "?" if link.peer is None else link.peer.node


def _boot_id(link: Link) -> str:
    return "" if link.peer is None else link.peer.hello.boot_id
