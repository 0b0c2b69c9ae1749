"""The members of a cluster: who registered, who is without link, who is away."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve, frozen

from cluster_manager.membership_events import NodeRegistered
from cluster_worker.node.slots import even_table
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.membership_messages import NodeAddress, RingUpdate


@frozen
class Member:
    """A node that registered. ``silent_since`` is set while it has no link (seconds of a steady clock)."""

    address: NodeAddress
    app: str
    boot_id: str
    incarnation: Epoch | None
    silent_since: float | None = None


class Roster:
    """All members by name.

    Attributes:
        lost: members that are gone without having said so.
        left: members that left on purpose.
    """

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}
        self.lost: set[str] = set()
        self.left: set[str] = set()

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, node: object) -> bool:
        return node in self._members

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def get(self, node: str) -> Member | None:
        return self._members.get(node)

    @property
    def nodes(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._members))

    @property
    def away(self) -> frozenset[str]:
        """Lost or left, and not back in service."""
        return frozenset(self.lost | self.left)

    @property
    def present(self) -> tuple[str, ...]:
        """All that are not away, sorted."""
        return tuple(node for node in self.nodes if node not in self.away)

    @property
    def silent(self) -> frozenset[str]:
        """Those without a link."""
        return frozenset(node for node, member in self._members.items() if member.silent_since is not None)

    def register(self, event: NodeRegistered, incarnation: Epoch | None) -> None:
        """The node is here with this boot, linked."""
        self._members[event.address.node] = Member(event.address, event.app, event.boot_id, incarnation)

    def booted(self, node: str, incarnation: Epoch | None) -> None:
        self._members[node] = evolve(self._members[node], incarnation=incarnation)

    def fell_silent(self, node: str, boot_id: str, now: float) -> None:
        """The link of this boot of the node ended; news of another boot changes nothing."""
        member = self._members.get(node)
        if member is not None and member.boot_id == boot_id:
            self._members[node] = evolve(member, silent_since=now)

    def remove(self, node: str) -> None:
        self._members.pop(node, None)

    def expired(self, now: float, grace_s: float) -> list[str]:
        """Those without link for longer than ``grace_s`` that are not known to be away."""
        return [
            node
            for node in self.present
            if (since := self._members[node].silent_since) is not None and now - since > grace_s
        ]

    def ring(self, epoch: Epoch, incarnation: Epoch, owners: int) -> RingUpdate:
        """What every node has to know of the others."""
        addresses = tuple(self._members[node].address for node in self.nodes)
        owners = min(owners, len(addresses))
        away = tuple(sorted(self.away))
        return RingUpdate(epoch, incarnation, owners, addresses, away, (), even_table(self.nodes))
