"""The members of a cluster: who registered, who is without link or away, who drains, who owns which slots."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve, frozen

from cluster_manager.membership.events import NodeRegistered
from cluster_worker.node.slots import with_node, without_node
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.membership_messages import NodeAddress, RingUpdate
from cluster_worker.wire.slot_table import Table


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
        away: members that do not serve: lost, stopped, or still booting beside those that serve.
        draining: members that get nothing new; they own no slots.
        leaving: draining members that were told to stop for good.
        table: which member owns which hash slot. A member without slots is draining or has not joined yet.
    """

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}
        self.away: set[str] = set()
        self.draining: set[str] = set()
        self.leaving: set[str] = set()
        self.table: Table = ()

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
    def present(self) -> tuple[str, ...]:
        """All that are not away, sorted."""
        return tuple(node for node in self.nodes if node not in self.away)

    @property
    def working(self) -> tuple[str, ...]:
        """All that are neither away nor draining, sorted: those that get new work."""
        return tuple(node for node in self.present if node not in self.draining)

    @property
    def silent(self) -> frozenset[str]:
        """Those without a link."""
        return frozenset(node for node, member in self._members.items() if member.silent_since is not None)

    def register(self, event: NodeRegistered, incarnation: Epoch | None) -> None:
        """The node is here with this boot, linked."""
        self._members[event.address.node] = Member(event.address, event.app, event.boot_id, incarnation)

    def restore(self, member: Member) -> None:
        """The node is a member as somebody else has known it."""
        self._members[member.address.node] = member

    def booted(self, node: str, incarnation: Epoch | None) -> None:
        self._members[node] = evolve(self._members[node], incarnation=incarnation)

    def fell_silent(self, node: str, boot_id: str, now: float) -> bool:
        """The link of this boot of the node ended; news of another boot changes nothing."""
        member = self._members.get(node)
        if member is None or member.boot_id != boot_id:
            return False
        self._members[node] = evolve(member, silent_since=now)
        return True

    def remove(self, node: str) -> None:
        """It is no member any more; others own its slots."""
        if self._members.pop(node, None) is not None:
            for names in (self.away, self.draining, self.leaving):
                names.discard(node)
            self.table = without_node(self.table, node)

    def drain(self, node: str) -> None:
        self.draining.add(node)
        self.table = without_node(self.table, node)

    def undrain(self, node: str) -> None:
        self.draining.discard(node)
        self.table = with_node(self.table, node)

    def serves(self, node: str) -> None:
        """The node is not away (any more), and has its share of the slots unless it is draining."""
        self.away.discard(node)
        if node not in self.draining:
            self.table = with_node(self.table, node)

    def expired(self, now: float, grace_s: float) -> list[str]:
        """Those without link for longer than ``grace_s``, sorted."""
        return [
            node
            for node in self.nodes
            if (since := self._members[node].silent_since) is not None and now - since > grace_s
        ]

    def ring(self, epoch: Epoch, incarnation: Epoch, owners: int) -> RingUpdate:
        """What every node has to know of the others."""
        return RingUpdate(
            epoch,
            incarnation,
            min(owners, len(self._members)),
            tuple(self._members[node].address for node in self.nodes),
            tuple(sorted(self.away)),
            tuple(sorted(self.draining)),
            self.table,
        )
