"""What happens to packets between hosts: rules for each direction of each link, and packets underway."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address

from attrs import define, field, frozen

_SHORTEST_HEADER_B = 20


@frozen(kw_only=True)
class Condition:
    """How one direction of a link is. ``loss`` is the share of packets that vanish, from 0 to 1."""

    cut: bool = False
    delay_s: float = 0.0
    loss: float = 0.0

    def delay(self, chance: float) -> float | None:
        """Return how many seconds a packet takes, or None when it is lost.

        Args:
            chance: drawn evenly from [0, 1) for this packet.
        """
        return None if self.cut or chance < self.loss else self.delay_s


GOOD = Condition()
CUT = Condition(cut=True)


@define
class Links:
    """The conditions between addresses; a link that was not spoken of is good."""

    _conditions: dict[tuple[bytes, bytes], Condition] = field(factory=dict)

    def put(self, source: str, target: str, condition: Condition) -> None:
        """Set how packets from ``source`` to ``target`` fare; the other direction stays as it is."""
        key = (IPv4Address(source).packed, IPv4Address(target).packed)
        if condition == GOOD:
            self._conditions.pop(key, None)
        else:
            self._conditions[key] = condition

    def heal(self) -> None:
        """Make every link good."""
        self._conditions.clear()

    def condition(self, source: bytes, target: bytes) -> Condition:
        """Return how packets fare between two addresses of four bytes each."""
        return self._conditions.get((source, target), GOOD)


def ends(packet: bytes) -> tuple[bytes, bytes] | None:
    """Return source and target of an IPv4 packet, four bytes each; None for anything else."""
    if len(packet) < _SHORTEST_HEADER_B or packet[0] >> 4 != 4:
        return None
    return packet[12:16], packet[16:20]


@define
class Underway:
    """Packets that are delayed, each with the moment it is due. Beyond ``most``, new ones are lost.

    Packets that are due at the same moment leave in the order in which they came.
    """

    most: int = 20_000
    _waiting: list[tuple[float, int, bytes, bytes]] = field(factory=list)
    _count: int = 0

    def put(self, due_s: float, target: bytes, packet: bytes) -> None:
        """Keep a packet until ``due_s``."""
        if len(self._waiting) < self.most:
            heapq.heappush(self._waiting, (due_s, self._count, target, packet))
            self._count += 1

    @property
    def next_due_s(self) -> float | None:
        """When the next packet is due."""
        return self._waiting[0][0] if self._waiting else None

    def due(self, now_s: float) -> Iterator[tuple[bytes, bytes]]:
        """Take out target and packet of everything that is due."""
        while self._waiting and self._waiting[0][0] <= now_s:
            _, _, target, packet = heapq.heappop(self._waiting)
            yield target, packet


def as_order(source: str, target: str, condition: Condition) -> Mapping[str, object]:
    """Return a rule as the JSON object that the switch reads."""
    return {
        "source": source,
        "target": target,
        "cut": condition.cut,
        "delay_s": condition.delay_s,
        "loss": condition.loss,
    }


def obey(links: Links, order: Mapping[str, object]) -> None:
    """Set the rule that ``as_order`` wrote."""
    values = dict(order)
    source, target = str(values.pop("source")), str(values.pop("target"))
    links.put(source, target, Condition(**values))  # type: ignore[arg-type]  # as_order wrote them
