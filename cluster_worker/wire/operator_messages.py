"""Messages by which operators resize a cluster, and the one that ends a node for good."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.fields import Fields


@frozen
class StopNode:
    """``[epoch, reason]``, a manager's notice: the node was removed; it ends its process in good order."""

    TYPE: ClassVar[int] = 30
    epoch: Epoch
    reason: str

    def encode(self) -> list[object]:
        return [self.epoch.encode(), self.reason]

    @classmethod
    def decode(cls, fields: Fields) -> StopNode:
        return cls(Epoch.decode(fields.nested(0)), fields.text(1))


@frozen
class DrainNode:
    """``[node]``, an operator's request: the node gets nothing new; reply: result nil, or a failure."""

    TYPE: ClassVar[int] = 40
    node: str

    def encode(self) -> list[object]:
        return [self.node]

    @classmethod
    def decode(cls, fields: Fields) -> DrainNode:
        return cls(fields.text(0))


@frozen
class UndrainNode:
    """``[node]``, an operator's request: a draining node works as before; reply: as for ``DrainNode``."""

    TYPE: ClassVar[int] = 41
    node: str

    def encode(self) -> list[object]:
        return [self.node]

    @classmethod
    def decode(cls, fields: Fields) -> UndrainNode:
        return cls(fields.text(0))


@frozen
class LeaveNode:
    """``[node]``, an operator's request: the node drains, stops and is no member; reply: as before.

    The reply does not wait until the node has stopped.
    """

    TYPE: ClassVar[int] = 42
    node: str

    def encode(self) -> list[object]:
        return [self.node]

    @classmethod
    def decode(cls, fields: Fields) -> LeaveNode:
        return cls(fields.text(0))
