"""A node of a cluster, as the application and its doors see it."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from cluster_worker.node.account import NodeAccount
from cluster_worker.node.alone import boot_alone
from cluster_worker.node.application import Application
from cluster_worker.node.calls import CallServer, CallTally
from cluster_worker.node.config import NodeConfig
from cluster_worker.node.errors import ClusterUnavailable
from cluster_worker.node.joining import Joining, JoiningHooks
from cluster_worker.node.load import LoadMeter, MachineMeter
from cluster_worker.node.manager_link import MANAGER_LIMITS, ManagerLink, RetryPolicy
from cluster_worker.node.peers import PeerLinks
from cluster_worker.node.ring import Ring
from cluster_worker.node.routing import CallRouter, Target
from cluster_worker.node.serving import PeerHandler
from cluster_worker.node.state import NodeState
from cluster_worker.runtime.pool import Blocking, Inline
from cluster_worker.runtime.services import OrderedService, TaskOwner
from cluster_worker.wire.connections import Address, LinkListener, LinkReactor
from cluster_worker.wire.conversation import Expectation
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.errors import WireError
from cluster_worker.wire.fields import Payload
from cluster_worker.wire.handlers import LinkHandler, LinkLimits, LinkParts
from cluster_worker.wire.health_messages import ClusterStatus, GetClusterStatus
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Role
from cluster_worker.wire.membership_messages import RingUpdate
from cluster_worker.wire.refusals import Refusals
from cluster_worker.wire.tls import NodeCredentials, TlsFiles

DEFAULT_CALL_TIMEOUT_S = 30.0
STATUS_TIMEOUT_S = 15.0
FINISHING_S = 2.0
"""How long a node that stops goes on with the calls of others that it has begun to serve."""

_WILDCARDS = ("", "0.0.0.0", "::")
_OTHER_WORKERS = Expectation(frozenset({Role.WORKER}))


class ClusterNode(OrderedService):
    """Joins the cluster while it runs, boots the application with it, and carries calls.

    Without managers in the configuration the node boots alone and calls stay on it. When the manager
    is lost the node keeps serving and joins again when there is one.

    Args:
        release: of the application, told to other nodes.
        blocking: where the machine's load is measured.
        retry: the pause between tries to reach a manager; as configured when not given.
        leave: ends the process in good order; called once, when the node was removed from its cluster.
        random_bytes, chance: sources of boot ids, and of numbers from 0 up to below 1.

    Attributes:
        refusals: what this node refused on its links.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: LinkReactor,
        config: NodeConfig,
        application: Application,
        *,
        release: str = "",
        blocking: Blocking | None = None,
        meter: LoadMeter | None = None,
        retry: RetryPolicy | None = None,
        leave: Callable[[], None] | None = None,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        chance: Callable[[], float] = random.random,
    ) -> None:
        super().__init__()
        self._reactor, self._config, self._application = reactor, config, application
        self._blocking = Inline() if blocking is None else blocking
        self._meter = MachineMeter(reactor) if meter is None else meter
        self._retry = (lambda failures: config.cm_connection_retry_period_s) if retry is None else retry
        self._leave = leave
        self.refusals = Refusals()
        self._tasks = TaskOwner()
        self._state = NodeState(reactor)
        self._account = NodeAccount(
            self.node_name, application, release, self._state, lambda: self.links, random_bytes
        )
        self._server = CallServer(reactor, application)
        self._joining = Joining(reactor, application, self._state, self._hooks())
        self._peers: PeerLinks | None = None
        self._listener: LinkListener | None = None
        self._manager: ManagerLink | None = None
        if config.cm_nodes:
            self._make_links()
        self._router = CallRouter(
            self.node_name, reactor, self._state, self._server, self._tasks, self._peers, chance
        )

    # What the application uses.

    @property
    def node_name(self) -> str:
        """This node's name in the cluster."""
        return self._config.node_name

    @property
    def app_name(self) -> str:
        return self._application.name

    @property
    def is_ready(self) -> bool:
        """Whether the cluster has become ready; stays so while the manager is away."""
        return self._state.ready

    @property
    def is_joined(self) -> bool:
        """Whether a manager counts this node as a member now."""
        return self._state.joined

    @property
    def ring(self) -> Ring:
        """Who is responsible for which keys, as the manager said last."""
        return self._state.ring

    @property
    def epoch(self) -> Epoch:
        """The epoch of the ring in use."""
        return self._state.ring_epoch

    @property
    def links(self) -> tuple[Link, ...]:
        """The open links to other workers."""
        return () if self._peers is None else self._peers.links

    @property
    def calls(self) -> CallTally:
        """Calls from and to other nodes."""
        return self._server.tally

    async def health(self) -> Mapping[str, str]:
        """Return the status of every component of this node, as it would tell the manager."""
        return dict(await self._account.health(False))

    @property
    def is_draining(self) -> bool:
        """Whether this node is to take no new background work and to give back what it has.

        It serves requests as before; nobody should send it new ones.
        """
        return self._state.is_draining

    def watch_draining(self, told: Callable[[bool], None]) -> None:
        """Call ``told`` whenever ``is_draining`` has changed, with what it is then."""
        self._state.watch_draining(told)

    async def when_ready(self) -> None:
        """Return when the cluster is ready."""
        await self._state.until_ready()

    def watch_queue(self, name: str, length: Callable[[], int]) -> None:
        """Report the length of a queue with every heartbeat."""
        self._account.watch_queue(name, length)

    async def call(
        self, target: Target, worker: str, payload: Payload, *, timeout_s: float = DEFAULT_CALL_TIMEOUT_S
    ) -> Payload:
        """Have ``worker`` on the target's node serve ``payload`` and return the result.

        A call to this node does not leave it. Nothing is tried twice, except that a call by key
        follows the ring until the nodes agree on it.

        Raises:
            OnedataError: as the application there raised it.
            NodeUnavailable: the node cannot be reached, or went away before it answered.
            RequestTimedOut: no result within ``timeout_s``.
            RemoteFailure, LinkBusy, BadRequest: see ``Link.request``.
        """
        return await self._router.call(target, worker, payload, timeout_s)

    async def cast(self, target: Target, worker: str, payload: Payload) -> None:
        """Have ``worker`` serve ``payload``; returns when it is on its way, its outcome is not told.

        Raises:
            NodeUnavailable: the node cannot be reached.
            BadRequest: the payload cannot be sent.
        """
        await self._router.cast(target, worker, payload)

    async def cluster_status(self) -> Mapping[str, Mapping[str, str]]:
        """The status of every component of every node, by name of node, as the manager knows it.

        Raises:
            ClusterUnavailable: there is no manager, or the cluster is not ready.
        """
        if self._manager is None:
            if not self._state.ready:
                raise ClusterUnavailable("the node has not booted yet")
            return {self.node_name: await self.health()}
        link = self._joining.link
        if link is None:
            raise ClusterUnavailable("no manager is reachable")
        try:
            status = await link.request(GetClusterStatus(), STATUS_TIMEOUT_S)
        except WireError as problem:
            raise ClusterUnavailable(str(problem)) from problem
        if not isinstance(status, ClusterStatus):
            raise ClusterUnavailable("the manager gave no status")
        return {node: dict(components) for node, components in status.nodes}

    # The service.

    def startService(self) -> None:
        super().startService()
        if self._manager is None:
            boot = boot_alone(self._reactor, self.node_name, self._application, self._state, self._retry)
            self._tasks.spawn("boot", boot)
        else:
            beat = self._joining.beat(self._meter, self._blocking, self._config.heartbeat_interval_s)
            self._tasks.spawn("heartbeats", beat)

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._joining.leave()
        await super().stopService()
        if self._peers is not None:
            await self._peers.finish(FINISHING_S)
            self._peers.close_all("the node stops")
        await self._joining.close()
        await self._tasks.close()

    # The parts.

    def _make_links(self) -> None:
        config = self._config
        credentials = NodeCredentials(
            TlsFiles(ca=Path(config.tls_ca), cert=Path(config.tls_cert), key=Path(config.tls_key))
        )
        handler = PeerHandler(self.node_name, self._state, self._server, self._tasks)
        self._peers = handler.links = PeerLinks(self._reactor, credentials, self._parts(handler))
        here = Address(config.listen_address, config.port)
        self._listener = LinkListener(self._reactor, here, credentials, self._parts(handler), _OTHER_WORKERS)
        self._listener.setServiceParent(self)
        managers = [Address.parse(text) for text in config.cm_nodes]
        parts = self._parts(self._joining, MANAGER_LIMITS)
        self._manager = ManagerLink(self._reactor, managers, credentials, parts, self._retry)
        self._manager.setServiceParent(self)

    def _parts(self, handler: LinkHandler, limits: LinkLimits | None = None) -> LinkParts:
        return LinkParts(
            clock=self._reactor,
            hello=self._account.hello,
            handler=handler,
            tasks=self._tasks,
            limits=limits or LinkLimits(),
            refusals=self.refusals,
        )

    def _hooks(self) -> JoiningHooks:
        return JoiningHooks(
            node_name=self.node_name,
            address=self._address,
            ring_changed=self._ring_changed,
            removed=self._removed,
            started_over=self._account.start_over,
            link_closed=self._manager_link_closed,
            redirected=self._redirected,
            joined=self._joined,
            health=self._account.health,
            queues=self._account.queues,
        )

    def _address(self) -> Address:
        host = self._config.listen_address
        if host in _WILDCARDS:
            host = self.node_name.partition("@")[2]
        return Address(host, 0 if self._listener is None else self._listener.port)

    def _ring_changed(self, update: RingUpdate) -> None:
        if self._peers is not None:
            self._peers.know({node.node: Address(node.host, node.port) for node in update.nodes})

    def _manager_link_closed(self, link: Link) -> None:
        if self._manager is not None:
            self._manager.closed(link)

    def _redirected(self, link: Link, leader: Address | None) -> None:
        if self._manager is not None:
            self._manager.redirected(link, leader)

    def _joined(self) -> None:
        if self._manager is not None:
            self._manager.joined()

    def _removed(self, reason: str) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
