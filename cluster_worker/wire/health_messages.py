"""Messages that ask for health: a manager asks a node, a node asks the manager about everybody."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.fields import Fields

ComponentStatuses = tuple[tuple[str, str], ...]
"""(component, status) in the order in which they are shown."""


def _component(fields: Fields) -> tuple[str, str]:
    return fields.text(0), fields.text(1)


@frozen
class Healthcheck:
    """``[epoch, booting]``, a manager's request to a node; reply: health.

    While ``booting`` a node that is joined counts as well, though the cluster is not ready yet.
    """

    TYPE: ClassVar[int] = 27
    epoch: Epoch
    booting: bool

    def encode(self) -> list[object]:
        return [self.epoch.encode(), self.booting]

    @classmethod
    def decode(cls, fields: Fields) -> Healthcheck:
        return cls(Epoch.decode(fields.nested(0)), fields.flag(1))


@frozen
class GetClusterStatus:
    """``[]``, a worker's or operator's request; reply: cluster status, or error ``clusterNotReady``."""

    TYPE: ClassVar[int] = 28

    def encode(self) -> list[object]:
        return []

    @classmethod
    def decode(cls, fields: Fields) -> GetClusterStatus:
        return cls()


@frozen
class Health:
    """``[[[component, status]…]]``, the reply to a health check."""

    TYPE: ClassVar[int] = 132
    components: ComponentStatuses

    def encode(self) -> list[object]:
        return [[list(item) for item in self.components]]

    @classmethod
    def decode(cls, fields: Fields) -> Health:
        return cls(fields.each(0, _component))


@frozen
class ClusterStatus:
    """``[[[node, [[component, status]…]]…], [[node, standing]…]]``, of every member, sorted by name.

    Standings: ``serving``, ``draining``, ``leaving``, ``away``, ``joining``, ``recovering``.
    """

    TYPE: ClassVar[int] = 133
    nodes: tuple[tuple[str, ComponentStatuses], ...]
    standings: tuple[tuple[str, str], ...] = ()

    def encode(self) -> list[object]:
        nodes = [[node, [list(item) for item in components]] for node, components in self.nodes]
        return [nodes, [list(item) for item in self.standings]]

    @classmethod
    def decode(cls, fields: Fields) -> ClusterStatus:
        nodes = fields.each(0, lambda node: (node.text(0), node.each(1, _component)))
        return cls(nodes, fields.each(1, _component))
