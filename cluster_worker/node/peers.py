"""Links to the other nodes of the cluster, made when they are needed and kept."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from cluster_worker.node.errors import NodeUnavailable
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.wire.connections import Address, LinkReactor, open_link
from cluster_worker.wire.conversation import Expectation
from cluster_worker.wire.errors import LinkClosed
from cluster_worker.wire.handlers import LinkParts
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Role
from cluster_worker.wire.tls import NodeCredentials

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 8.0
_LOOK_EVERY_S = 0.02
_ON_ITS_WAY_S = 0.25


@frozen
class _Pause:
    """A node could not be reached: until when it is not tried again, and why."""

    until_s: float
    length_s: float
    reason: str


class PeerLinks:
    """One link for each node that was talked to, whichever side opened it."""

    def __init__(self, reactor: LinkReactor, credentials: NodeCredentials, parts: LinkParts) -> None:
        self._reactor, self._credentials, self._parts = reactor, credentials, parts
        self._addresses: dict[str, Address] = {}
        self._links: dict[str, Link] = {}
        self._pauses: dict[str, _Pause] = {}
        self._opening = KeyedLocks()

    @property
    def links(self) -> tuple[Link, ...]:
        return tuple(self._links.values())

    def know(self, addresses: Mapping[str, Address]) -> None:
        """These are the nodes there are, and all may be tried again at once.

        Links to others end. One on which a call is under way stays until the next change or the end of that
        node, which stops in good order.
        """
        self._addresses = dict(addresses)
        self._pauses.clear()
        for node, link in list(self._links.items()):
            if node not in addresses and not link.waiting and not link.serving:
                link.close("not a node of this cluster any more")

    def opened(self, link: Link) -> None:
        """A link is open, in or out; the newest to a node is used."""
        if link.peer is not None:
            self._links[link.peer.node] = link

    def closed(self, link: Link) -> None:
        """A link has ended."""
        if link.peer is not None and self._links.get(link.peer.node) is link:
            del self._links[link.peer.node]

    def close_all(self, reason: str) -> None:
        for link in self.links:
            link.close(reason)

    async def finish(self, limit_s: float) -> None:
        """Return when no request of another node is being served, after ``limit_s`` at the latest.

        While there are links it takes a moment at least: what others sent before they heard that this node
        stops is still on its way.
        """
        began_s = self._reactor.seconds()
        while self.links and (waited_s := self._reactor.seconds() - began_s) < limit_s:
            if waited_s >= _ON_ITS_WAY_S and not any(link.serving for link in self.links):
                return
            await sleep(self._reactor, _LOOK_EVERY_S)

    async def link_to(self, node: str) -> Link:
        """Return an open link to ``node``.

        Raises:
            NodeUnavailable: it is not known or cannot be reached; at once while it is not tried again.
        """
        async with self._opening.hold(node):
            link = self._links.get(node)
            if link is not None and link.is_open:
                return link
            return await self._open(node)

    async def _open(self, node: str) -> Link:
        address = self._addresses.get(node)
        if address is None:
            raise NodeUnavailable(f"{node!r} is not a node of this cluster")
        pause = self._pauses.get(node)
        if pause is not None and self._reactor.seconds() < pause.until_s:
            raise NodeUnavailable(pause.reason)
        expectation = Expectation(frozenset({Role.WORKER}), node)
        try:
            link = await open_link(self._reactor, address, self._credentials, self._parts, expectation)
        except LinkClosed as problem:
            self._pauses[node] = self._next_pause(pause, str(problem))
            raise NodeUnavailable(f"{node}: {problem}") from problem
        self._pauses.pop(node, None)
        return link

    def _next_pause(self, last: _Pause | None, reason: str) -> _Pause:
        length_s = _FIRST_PAUSE_S if last is None else min(last.length_s * 2, _LONGEST_PAUSE_S)
        return _Pause(self._reactor.seconds() + length_s, length_s, reason)
