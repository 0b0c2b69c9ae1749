"""What a manager must know of a cluster that it did not boot itself. Pure."""

from __future__ import annotations

from attrs import frozen

from cluster_manager.membership.cluster_state import ClusterState, Phase
from cluster_manager.membership.roster import Member
from cluster_worker.wire.epochs import Epoch, optional_epoch
from cluster_worker.wire.fields import Fields
from cluster_worker.wire.membership_messages import NodeAddress
from cluster_worker.wire.slot_table import Table, decode_table, encode_table


@frozen
class RememberedMember:
    """``[address, application, boot id, incarnation or nil]``: a node as it registered last.

    ``incarnation`` is nil while it boots beside those that serve.
    """

    address: NodeAddress
    app: str
    boot_id: str
    incarnation: Epoch | None

    def encode(self) -> list[object]:
        incarnation = None if self.incarnation is None else self.incarnation.encode()
        return [self.address.encode(), self.app, self.boot_id, incarnation]

    @classmethod
    def decode(cls, fields: Fields) -> RememberedMember:
        address = NodeAddress.decode(fields.nested(0))
        return cls(address, fields.text(1), fields.text(2), optional_epoch(fields, 3))


@frozen
class Remembered:
    """``[incarnation, [member…], [away…], [draining…], [leaving…], [place, slots…]]`` of a ready cluster.

    Members are sorted by name; the last field is the table of slots as in a ring update. A node that has
    not joined yet is not remembered: it joins anew.
    """

    incarnation: Epoch
    members: tuple[RememberedMember, ...]
    away: tuple[str, ...] = ()
    draining: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    table: Table = ()

    def encode(self) -> list[object]:
        return [
            self.incarnation.encode(),
            [member.encode() for member in self.members],
            list(self.away),
            list(self.draining),
            list(self.leaving),
            encode_table(self.table, [member.address.node for member in self.members]),
        ]

    @classmethod
    def decode(cls, fields: Fields) -> Remembered:
        members = fields.each(1, RememberedMember.decode)
        table = decode_table(fields.nested(5), [member.address.node for member in members])
        incarnation = Epoch.decode(fields.nested(0))
        return cls(incarnation, members, fields.texts(2), fields.texts(3), fields.texts(4), table)


def remember(state: ClusterState) -> Remembered | None:
    """What the next leader has to know of ``state``; nothing before the cluster is ready."""
    if state.phase is not Phase.READY:
        return None
    roster = state.roster
    joined = [node for node in roster.nodes if not state.is_joining(node)]
    members = [member for node in joined if (member := roster.get(node)) is not None]
    return Remembered(
        state.incarnation,
        tuple(RememberedMember(each.address, each.app, each.boot_id, each.incarnation) for each in members),
        tuple(node for node in joined if node in roster.away),
        tuple(sorted(roster.draining)),
        tuple(sorted(roster.leaving)),
        roster.table,
    )


def recall(state: ClusterState, remembered: Remembered, now: float) -> None:
    """Lead a cluster that was ready under another manager; its members are without link so far."""
    state.phase, state.incarnation = Phase.READY, remembered.incarnation
    roster = state.roster
    for each in remembered.members:
        roster.restore(Member(each.address, each.app, each.boot_id, each.incarnation, now))
    roster.table = remembered.table
    roster.away.update(remembered.away)
    roster.draining.update(remembered.draining)
    roster.leaving.update(remembered.leaving)
