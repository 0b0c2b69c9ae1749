"""Which node is responsible for a key: a table of hash slots, and who steps in for nodes that are away."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from attrs import evolve, field, frozen

from cluster_worker.node.slots import even_table, slot_of, with_node, without_node
from cluster_worker.wire.slot_table import Table


def _sorted_names(nodes: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(nodes)))


@frozen(kw_only=True)
class Ring:
    """The members of a cluster and what each is responsible for.

    Attributes:
        nodes: all members, sorted; one that has just joined, or is draining, owns no slots.
        table: the node of each slot; empty when nobody owns anything.
        owners: how many nodes are responsible for a key.
        away: nodes that do not serve. They keep their slots; others step in meanwhile.
        draining: nodes that serve but are to get nothing new. They step in when no other node is there.
    """

    nodes: tuple[str, ...] = field(converter=_sorted_names)
    table: Table
    owners: int = 1
    away: frozenset[str] = frozenset()
    draining: frozenset[str] = frozenset()
    _in_order: dict[int, tuple[str, ...]] = field(init=False, factory=dict, eq=False, repr=False)

    @classmethod
    def of(cls, nodes: Iterable[str], owners: int = 1) -> Ring:
        """The ring of a cluster that begins with ``nodes``: each owns as much as another."""
        names = _sorted_names(nodes)
        return cls(nodes=names, table=even_table(names), owners=owners)

    def join(self, node: str) -> Ring:
        """The ring with one more node, which takes its share of slots from the others."""
        return evolve(self, nodes=(*self.nodes, node), table=with_node(self.table, node))

    def leave(self, node: str) -> Ring:
        """The ring without ``node``, whose slots are spread over the others."""
        return evolve(
            self,
            nodes=[name for name in self.nodes if name != node],
            table=without_node(self.table, node),
            away=self.away - {node},
            draining=self.draining - {node},
        )

    def responsible(self, key: str) -> tuple[str, ...]:
        """The nodes that serve ``key``, at most ``owners``, the first one foremost.

        It is the owner of the key's slot, and then others in an order of that slot's own, so that many
        share what a node that is away has left. Empty when every node is away.
        """
        slot = slot_of(key)
        nodes = self._in_order.get(slot)
        if nodes is None:
            nodes = self._in_order[slot] = self._order(slot)[: self.owners]
        return nodes

    def owner(self, key: str) -> str | None:
        """The first of ``responsible``."""
        if self.table and (node := self.table[slot_of(key)]) not in self.away:
            return node
        return next(iter(self.responsible(key)), None)

    @property
    def present(self) -> tuple[str, ...]:
        """The nodes that are not away."""
        return tuple(node for node in self.nodes if node not in self.away)

    def _order(self, slot: int) -> tuple[str, ...]:
        """All that may serve ``slot``: a node's place depends on nothing but the slot and the node."""
        owner = self.table[slot] if self.table else ""
        return tuple(
            sorted(self.present, key=lambda node: (node != owner, node in self.draining, _weight(slot, node)))
        )


def _weight(slot: int, node: str) -> bytes:
    return blake2b(f"{slot} {node}".encode(), digest_size=8).digest()


NO_RING = Ring(nodes=(), table=())
"""Before a manager has sent one: nobody is responsible for anything."""
