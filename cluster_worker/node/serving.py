"""Serving the calls and casts of other nodes."""

from __future__ import annotations

from cluster_worker.node.calls import KEYED_CALLS, CallServer
from cluster_worker.node.peers import PeerLinks
from cluster_worker.node.routing import CAST_TIMEOUT_S
from cluster_worker.node.state import NodeState
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.wire.call_messages import Call, Cast, NotOwner
from cluster_worker.wire.errors import BadRequest
from cluster_worker.wire.link import Link
from cluster_worker.wire.messages import Message


class PeerHandler:
    """The handler of links between workers.

    Attributes:
        links: is told which links there are; set once, before the first link.
    """

    links: PeerLinks

    def __init__(self, name: str, state: NodeState, server: CallServer, tasks: TaskOwner) -> None:
        self._name, self._state, self._server, self._tasks = name, state, server, tasks

    def link_opened(self, link: Link) -> None:
        self.links.opened(link)

    def link_closed(self, link: Link, reason: str) -> None:
        self.links.closed(link)

    async def handle_request(self, link: Link, message: Message) -> Message:
        if not isinstance(message, Call):
            raise BadRequest(f"a worker does not serve {type(message).__name__}")
        owner = self._other_owner(link, message.key)
        if owner is not None:
            return NotOwner(self._state.ring_epoch, owner)
        return await self._server.answer(message)

    def handle_notice(self, link: Link, message: Message) -> None:
        if isinstance(message, Cast):
            self._tasks.spawn("cast", self._server.serve_cast(message, CAST_TIMEOUT_S))

    def _other_owner(self, link: Link, key: str | None) -> str | None:
        """The node that has to serve ``key`` instead of this one."""
        if key is None or link.peer is None or KEYED_CALLS not in link.peer.capabilities:
            return None
        responsible = self._state.ring.responsible(key)
        return None if not responsible or self._name in responsible else responsible[0]
