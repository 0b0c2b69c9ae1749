"""What a manager must know of a cluster that it did not boot itself. Pure."""

from __future__ import annotations

from attrs import frozen

from cluster_worker.wire.epochs import Epoch, optional_epoch
from cluster_worker.wire.fields import Fields
from cluster_worker.wire.membership_messages import NodeAddress


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
    """``[incarnation, [member…], [lost node…], [left node…]]`` of a cluster that is ready."""

    incarnation: Epoch
    members: tuple[RememberedMember, ...]
    lost: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def encode(self) -> list[object]:
        members = [member.encode() for member in self.members]
        return [self.incarnation.encode(), members, list(self.lost), list(self.left)]

    @classmethod
    def decode(cls, fields: Fields) -> Remembered:
        members = fields.each(1, RememberedMember.decode)
        return cls(Epoch.decode(fields.nested(0)), members, fields.texts(2), fields.texts(3))
