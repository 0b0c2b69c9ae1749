"""Messages between a worker node and the cluster's manager. Those of a manager carry its epoch."""

from __future__ import annotations

from typing import ClassVar

from attrs import field, frozen

from cluster_worker.wire.epochs import Epoch, optional_epoch
from cluster_worker.wire.fields import BadField, Fields
from cluster_worker.wire.slot_table import Table, decode_table, encode_table


@frozen
class RegisterNode:
    """``[host, port, latest epoch, incarnation or nil, ring or nil]``, a worker asks to be a member.

    ``host`` and ``port`` are where other nodes reach it. ``latest epoch`` is the newest it has seen.
    ``incarnation`` is set when the node has booted and serves: it names the boot it took part in. ``ring``
    is then the last ``RingUpdate`` it was told, as an array of its fields: a manager that starts anew
    learns the other members from it.
    """

    TYPE: ClassVar[int] = 16
    host: str
    port: int
    latest: Epoch
    incarnation: Epoch | None
    ring: RingUpdate | None = field(default=None, repr=False)

    def encode(self) -> list[object]:
        incarnation = None if self.incarnation is None else self.incarnation.encode()
        ring = None if self.ring is None else self.ring.encode()
        return [self.host, self.port, self.latest.encode(), incarnation, ring]

    @classmethod
    def decode(cls, fields: Fields) -> RegisterNode:
        port = fields.integer(1)
        if port > 65535:
            raise BadField("the port is beyond 65535")
        ring = None if fields.any(4) is None else RingUpdate.decode(fields.nested(4))
        return cls(fields.text(0), port, Epoch.decode(fields.nested(2)), optional_epoch(fields, 3), ring)

    def address_of(self, node: str) -> NodeAddress:
        """Where ``node``, which sent this, listens for others."""
        return NodeAddress(node, self.host, self.port)


@frozen
class Registered:
    """``[epoch]``, the node is a member; it sends heartbeats from now on."""

    TYPE: ClassVar[int] = 17
    epoch: Epoch

    def encode(self) -> list[object]:
        return [self.epoch.encode()]

    @classmethod
    def decode(cls, fields: Fields) -> Registered:
        return cls(Epoch.decode(fields.nested(0)))


@frozen
class Refused:
    """``[epoch, reason]``, the node is no member; it may try again later."""

    TYPE: ClassVar[int] = 18
    epoch: Epoch
    reason: str

    def encode(self) -> list[object]:
        return [self.epoch.encode(), self.reason]

    @classmethod
    def decode(cls, fields: Fields) -> Refused:
        return cls(Epoch.decode(fields.nested(0)), fields.text(1))


@frozen
class InitStep:
    """``[epoch, step]``, the node runs a boot step and reports; a step that it has done it reports again."""

    TYPE: ClassVar[int] = 19
    epoch: Epoch
    step: str

    def encode(self) -> list[object]:
        return [self.epoch.encode(), self.step]

    @classmethod
    def decode(cls, fields: Fields) -> InitStep:
        return cls(Epoch.decode(fields.nested(0)), fields.text(1))


@frozen
class StepReport:
    """``[epoch, step, error or nil]``, how a step ended; the epoch is that of its ``InitStep``."""

    TYPE: ClassVar[int] = 20
    epoch: Epoch
    step: str
    error: str | None

    def encode(self) -> list[object]:
        return [self.epoch.encode(), self.step, self.error]

    @classmethod
    def decode(cls, fields: Fields) -> StepReport:
        return cls(Epoch.decode(fields.nested(0)), fields.text(1), fields.optional_text(2))


@frozen
class Heartbeat:
    """``[cpu %, mem %, net %, [[queue, length]…]]``, every 500 ms from each member."""

    TYPE: ClassVar[int] = 21
    cpu: float
    mem: float
    net: float
    queues: tuple[tuple[str, int], ...]

    def encode(self) -> list[object]:
        return [self.cpu, self.mem, self.net, [list(queue) for queue in self.queues]]

    @classmethod
    def decode(cls, fields: Fields) -> Heartbeat:
        queues = fields.each(3, lambda queue: (queue.text(0), queue.integer(1)))
        return cls(fields.number(0), fields.number(1), fields.number(2), queues)


@frozen
class LoadAdvice:
    """``[epoch, should delegate, [[node, frequency]…]]``: where to do work that has no key.

    Frequencies are between 0 and 1 and sum up to 1; the receiving node is among them.
    """

    TYPE: ClassVar[int] = 22
    epoch: Epoch
    should_delegate: bool
    frequencies: tuple[tuple[str, float], ...]

    def encode(self) -> list[object]:
        return [self.epoch.encode(), self.should_delegate, [list(item) for item in self.frequencies]]

    @classmethod
    def decode(cls, fields: Fields) -> LoadAdvice:
        frequencies = fields.each(2, lambda item: (item.text(0), item.number(1)))
        return cls(Epoch.decode(fields.nested(0)), fields.flag(1), frequencies)


@frozen
class NodeAddress:
    """``[node, host, port]``: where a node listens for other nodes."""

    node: str
    host: str
    port: int

    def encode(self) -> list[object]:
        return [self.node, self.host, self.port]

    @classmethod
    def decode(cls, fields: Fields) -> NodeAddress:
        return cls(fields.text(0), fields.text(1), fields.integer(2))


@frozen
class RingUpdate:
    """``[epoch, incarnation, owners per key, [[node, host, port]…], [away…], [draining…], [place, slots…]]``.

    Who serves what. Nodes are sorted by name. ``incarnation`` is the epoch in which the cluster's boot
    began. The last field is the table of hash slots in runs: the place of a node among the nodes, and how
    many of the next slots are its own; all 16 384 slots, or none at all.
    """

    TYPE: ClassVar[int] = 23
    epoch: Epoch
    incarnation: Epoch
    owners: int
    nodes: tuple[NodeAddress, ...]
    away: tuple[str, ...]
    draining: tuple[str, ...]
    table: Table = field(repr=False)

    def encode(self) -> list[object]:
        return [
            self.epoch.encode(),
            self.incarnation.encode(),
            self.owners,
            [node.encode() for node in self.nodes],
            list(self.away),
            list(self.draining),
            encode_table(self.table, [node.node for node in self.nodes]),
        ]

    @classmethod
    def decode(cls, fields: Fields) -> RingUpdate:
        nodes = fields.each(3, NodeAddress.decode)
        return cls(
            Epoch.decode(fields.nested(0)),
            Epoch.decode(fields.nested(1)),
            fields.integer(2),
            nodes,
            fields.texts(4),
            fields.texts(5),
            decode_table(fields.nested(6), [node.node for node in nodes]),
        )


@frozen
class ClusterReady:
    """``[epoch]``, everybody has booted and is well; the node is ready."""

    TYPE: ClassVar[int] = 24
    epoch: Epoch

    def encode(self) -> list[object]:
        return [self.epoch.encode()]

    @classmethod
    def decode(cls, fields: Fields) -> ClusterReady:
        return cls(Epoch.decode(fields.nested(0)))


@frozen
class ForceStop:
    """``[epoch, reason]``, the node stops serving at once and starts over."""

    TYPE: ClassVar[int] = 25
    epoch: Epoch
    reason: str

    def encode(self) -> list[object]:
        return [self.epoch.encode(), self.reason]

    @classmethod
    def decode(cls, fields: Fields) -> ForceStop:
        return cls(Epoch.decode(fields.nested(0)), fields.text(1))


@frozen
class Leave:
    """``[]``, a request: the node stops on purpose and others go on without it; reply: result nil."""

    TYPE: ClassVar[int] = 26

    def encode(self) -> list[object]:
        return []

    @classmethod
    def decode(cls, fields: Fields) -> Leave:
        return cls()


@frozen
class NotLeader:
    """``[epoch, host, port]``, the answer of a manager that does not lead to a node that registers.

    ``host`` and ``port`` are where the leader of the epoch's term is; an empty host when nobody is known
    to lead. The node may keep the link for a while: a manager that begins to lead answers after all.
    """

    TYPE: ClassVar[int] = 29
    epoch: Epoch
    host: str
    port: int

    def encode(self) -> list[object]:
        return [self.epoch.encode(), self.host, self.port]

    @classmethod
    def decode(cls, fields: Fields) -> NotLeader:
        port = fields.integer(2)
        if port > 65535:
            raise BadField("the port is beyond 65535")
        return cls(Epoch.decode(fields.nested(0)), fields.text(1), port)
