"""A Redis Cluster: connections to all primaries, and a map of who has which slot that follows failovers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as WaitTimeout
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from cluster_worker.persistence.address import ClusterAddress, RedisAddress
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.connection import RETRY_S, RedisConnection, Uses
from cluster_worker.persistence.endpoints import make_endpoint
from cluster_worker.persistence.engine import PersistenceUnavailable
from cluster_worker.persistence.inquiry import NoAnswer, gather_answers, inquire
from cluster_worker.persistence.link import RedisLink
from cluster_worker.persistence.requests import Carrier
from cluster_worker.persistence.resp import ReplyError
from cluster_worker.persistence.slots import Place, SlotMap, View, key_slot, merge_views, read_nodes
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskOwner, TaskService

_ASK_TIMEOUT_S = 0.5
_LOOK_S = 0.2
_EAGER_LOOKS = 50
_PATIENT_LOOKS = 10
"""While something is wrong we ask at each look, ten seconds long; then at every tenth."""
_SILENT_S = 0.5
_MOST_ASKED = 16
_ELSEWHERE = frozenset({"MOVED", "CLUSTERDOWN"})


class RedisCluster(TaskService):
    """Knows which node has which slot; asks again whenever a node is away, silent, or sends us elsewhere."""

    _log = Logger()

    def __init__(self, reactor: Any, address: ClusterAddress, config: RedisConfig) -> None:
        super().__init__()
        self._reactor, self._address, self._config = reactor, address, config
        self.slots = SlotMap()
        self._opened: list[ClusterConnections] = []
        self._asking: list[Deferred[None]] | None = None
        self._troubled_looks = 0
        self._look = LoopingCall(self._look_after_nodes)
        self._look.clock = reactor

    def __str__(self) -> str:
        return str(self._address)

    def open(self, uses: Uses) -> ClusterConnections:
        """Return connections to all primaries; whoever opens them starts and stops them."""
        opened = ClusterConnections(self._reactor, self, uses)
        self._opened.append(opened)
        return opened

    def connection(self, place: Place, uses: Uses) -> RedisConnection:
        """Return a connection to one node, not yet started."""
        address = self._address.nodes[0].at(place.host, place.port)
        return RedisConnection(self._reactor, self._endpoint(address), address, self._config, uses)

    def startService(self) -> None:
        super().startService()
        self._look.start(_LOOK_S)

    def stopService(self) -> Deferred[None]:
        if self._look.running:
            self._look.stop()
        return super().stopService()

    async def refresh(self) -> None:
        """Learn the map anew, once for all who ask meanwhile; it stays as it is when no node answers."""
        if not self.running:
            return
        done: Deferred[None] = Deferred()
        if self._asking is None:
            self._asking = []
            self.spawn("learn the map of the cluster", self._refresh())
        self._asking.append(done)
        await done

    async def _refresh(self) -> None:
        try:
            await self._learn()
        finally:
            asking, self._asking = self._asking or [], None
            for done in asking:
                done.callback(None)

    async def _learn(self) -> None:
        asked = [Deferred.fromCoroutine(self._view(one)) for one in self._nodes_to_ask()]
        views = [view for view in await gather_answers(self._reactor, asked) if view is not None]
        if not views:
            return
        slots = merge_views(views)
        if slots.primaries != self.slots.primaries:
            self._log.info(
                "primaries of the {cluster}: {places}", cluster=self, places=sorted(map(str, slots.primaries))
            )
        is_new = slots != self.slots
        self.slots = slots
        if is_new:
            for opened in self._opened:
                opened.follow()

    def _nodes_to_ask(self) -> Sequence[RedisAddress]:
        like = self._address.nodes[0]
        known = [*self.slots.primaries, *(self.slots.nodes - self.slots.primaries)]
        asked = [*(like.at(place.host, place.port) for place in known), *self._address.nodes]
        return list(dict.fromkeys(asked))[:_MOST_ASKED]

    async def _view(self, node: RedisAddress) -> View | None:
        try:
            (text,) = await inquire(
                self._reactor, self._endpoint(node), node, [(b"CLUSTER", b"NODES")], _ASK_TIMEOUT_S
            )
            return read_nodes(text, node.host)
        except (NoAnswer, ValueError) as exc:
            self._log.debug("no map from {node}: {reason}", node=node, reason=str(exc))
            return None

    def _endpoint(self, address: RedisAddress) -> Any:
        return make_endpoint(self._reactor, address, self._config.ca_file, self._config.reply_timeout_s)

    def _look_after_nodes(self) -> None:
        if all(opened.is_well for opened in self._opened):
            self._troubled_looks = 0
            return
        self._troubled_looks += 1
        is_eager = self._troubled_looks <= _EAGER_LOOKS or self._troubled_looks % _PATIENT_LOOKS == 0
        if is_eager and self._asking is None:
            self.spawn("look after the cluster", self.refresh())


class ClusterConnections(Service):
    """One connection to each primary, for one use."""

    def __init__(self, clock: IReactorTime, cluster: RedisCluster, uses: Uses) -> None:
        self._clock, self._cluster = clock, cluster
        self._on_ready = uses.on_ready
        self._uses = evolve(uses, on_ready=self._connected)
        self._connections: dict[Place, RedisConnection] = {}
        self._waiters: dict[Deferred[None], None] = {}
        self._tasks = TaskOwner()

    def __str__(self) -> str:
        return str(self._cluster)

    def startService(self) -> None:
        super().startService()
        self.follow()

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._wake()
        connections, self._connections = self._connections, {}
        for connection in connections.values():
            await connection.stopService()
        await self._tasks.close()

    @property
    def is_ready(self) -> bool:
        """Whether every slot can be reached."""
        return self._cluster.slots.is_whole and all(one.is_ready for one in self._connections.values())

    @property
    def is_well(self) -> bool:
        """Whether there is no reason to ask where slots are; nothing is wrong with what does not run."""
        if not self.running:
            return True
        return self.is_ready and all(one.silent_s < _SILENT_S for one in self._connections.values())

    async def wait_ready(self) -> None:
        """Return once every slot can be reached, however long that takes."""
        while not self.is_ready:
            await self._waiter()

    def carrier(self, key: bytes) -> Carrier | None:
        """Return the way to the node that has ``key``, when it is reached."""
        place = self._cluster.slots.owners[key_slot(key)]
        connection = None if place is None else self._connections.get(place)
        return None if connection is None else connection.carrier(key)

    async def wait_for(self, key: bytes, left_s: float) -> Carrier:
        """Return the carrier once there is one. Raises: PersistenceUnavailable after ``left_s`` seconds."""
        deadline = self._clock.seconds() + left_s
        while self.running:
            carrier = self.carrier(key)
            if carrier is not None:
                return carrier
            try:
                await self._waiter().addTimeout(max(0.0, deadline - self._clock.seconds()), self._clock)
            except WaitTimeout:
                owner = self._cluster.slots.owners[key_slot(key)]
                raise PersistenceUnavailable(
                    f"{self}: no connection to {owner or 'the owner of the slot'}"
                ) from None
        raise PersistenceUnavailable("not running")

    async def refused(self, key: bytes, refusal: ReplyError, left_s: float) -> None:
        """Find out who has the key now, teach scripts to who has it, else wait a little.

        A slot that is moved key by key answers ``ASK``: a scope must not be written while one part of it is
        here and another there, so it waits until the move is done.
        """
        slot = key_slot(key)
        owner = self._cluster.slots.owners[slot]
        if refusal.code == "NOSCRIPT" and owner in self._connections:
            await self._connections[owner].refused(key, refusal, left_s)
            return
        if refusal.code in _ELSEWHERE:
            await self._cluster.refresh()
        if self._cluster.slots.owners[slot] == owner:
            await sleep(self._clock, max(0.0, min(RETRY_S, left_s)))

    def follow(self) -> None:
        """Connect to the primaries of the map, and to no others."""
        if not self.running:
            return
        primaries = self._cluster.slots.primaries
        for place in self._connections.keys() - primaries:
            left = self._connections.pop(place)
            left.renew(f"{place} is no primary any more")
            self._tasks.spawn(f"leave {place}", _stop(left))
        for place in primaries - self._connections.keys():
            connection = self._connections[place] = self._cluster.connection(place, self._uses)
            connection.startService()
        self._wake()

    def _connected(self, link: RedisLink) -> None:
        self._on_ready(link)
        self._wake()

    def _waiter(self) -> Deferred[None]:
        waiter: Deferred[None] = Deferred(lambda done: self._waiters.pop(done, None))
        self._waiters[waiter] = None
        return waiter

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters:
            waiter.callback(None)


async def _stop(connection: RedisConnection) -> None:
    await connection.stopService()
