"""Which node a call or cast goes to, and getting it there."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.node.advice import choose_node
from cluster_worker.node.calls import CallServer, call_over
from cluster_worker.node.errors import NodeUnavailable
from cluster_worker.node.peers import PeerLinks
from cluster_worker.node.state import NodeState
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.request_ids import REQUEST_ID
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.wire.call_messages import Call, Cast, NotOwner
from cluster_worker.wire.fields import Payload

CAST_TIMEOUT_S = 30.0

_MAX_ROUTES = 5
_FIRST_PAUSE_S = 0.1


@frozen
class OnNode:
    """The node of this name."""

    node: str


@frozen
class ByKey:
    """The node that the ring makes responsible for this key."""

    key: str


@frozen
class AnyNode:
    """This node, or one that is less loaded when this one has too much to do."""


Target = OnNode | ByKey | AnyNode


@frozen
class CallRouter:
    """Makes the calls of one node.

    Attributes:
        links: to other nodes; ``None`` for a node that is alone.
        chance: gives random numbers from 0 up to below 1.
    """

    node_name: str
    clock: IReactorTime
    state: NodeState
    server: CallServer
    tasks: TaskOwner
    links: PeerLinks | None
    chance: Callable[[], float]

    async def call(self, target: Target, worker: str, payload: Payload, timeout_s: float) -> Payload:
        """See ``ClusterNode.call``."""
        timeout_ms = max(1, round(timeout_s * 1000))
        if isinstance(target, ByKey):
            call = Call(worker, target.key, timeout_ms, payload, REQUEST_ID.get())
            return await self._call_owner(call, target.key)
        call = Call(worker, None, timeout_ms, payload, REQUEST_ID.get())
        answer = await self._ask(self._choose(target), call)
        if isinstance(answer, NotOwner):
            raise NodeUnavailable("a call without a key was sent elsewhere")
        return answer

    async def cast(self, target: Target, worker: str, payload: Payload) -> None:
        """See ``ClusterNode.cast``."""
        node = self._choose(target)
        cast = Cast(worker, payload, REQUEST_ID.get())
        if node == self.node_name:
            self.tasks.spawn("cast", self.server.serve_cast(cast, CAST_TIMEOUT_S))
        else:
            (await self._peers().link_to(node)).notify(cast)

    async def _call_owner(self, call: Call, key: str) -> Payload:
        """Ask the owner of ``key``, and again while the nodes' rings disagree: 5 tries, 100 ms doubling."""
        pause_s = _FIRST_PAUSE_S
        for attempt in range(_MAX_ROUTES):
            if attempt:
                await sleep(self.clock, pause_s)
                pause_s *= 2
            answer = await self._ask(self._owner(key), call)
            if not isinstance(answer, NotOwner):
                return answer
        raise NodeUnavailable(f"the nodes do not agree on who owns {key!r}")

    async def _ask(self, node: str, call: Call) -> Payload | NotOwner:
        if node == self.node_name:
            return await self.server.serve(call.worker, call.payload, call.timeout_ms / 1000)
        tally, began_s = self.server.tally, self.clock.seconds()
        try:
            return await call_over(await self._peers().link_to(node), call)
        except Exception:
            tally.made_failed += 1
            raise
        finally:
            tally.made.add(self.clock.seconds() - began_s)

    def _choose(self, target: Target) -> str:
        match target:
            case OnNode(node):
                return node
            case ByKey(key):
                return self._owner(key)
            case AnyNode():
                return choose_node(self.state.advice, self.node_name, self.chance())

    def _owner(self, key: str) -> str:
        owner = self.state.ring.owner(key)
        if owner is None:
            raise NodeUnavailable(f"no node is responsible for {key!r}")
        return owner

    def _peers(self) -> PeerLinks:
        if self.links is None:
            raise NodeUnavailable("this node is alone")
        return self.links
