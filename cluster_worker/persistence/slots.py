"""Which node of a Redis Cluster has which key, as pure functions."""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby

from attrs import frozen

SLOTS = 16384


@lru_cache(maxsize=4096)
def key_slot(key: bytes) -> int:
    """Return the hash slot of a key: of what stands in its first braces, if anything does."""
    start = key.find(b"{") + 1
    end = key.find(b"}", start) if start else -1
    tag = key[start:end] if end > start else key
    return crc_hqx(tag, 0) % SLOTS


@frozen
class Place:
    """Where a node of a cluster listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@frozen
class Claim:
    """What a primary is said to own, since its ``epoch``; the ends of ``ranges`` are included."""

    epoch: int
    place: Place
    ranges: tuple[tuple[int, int], ...]


@frozen
class View:
    """How one node sees the cluster."""

    claims: tuple[Claim, ...]
    nodes: frozenset[Place]


@frozen
class SlotMap:
    """Who owns which slot, and which nodes there are, replicas among them."""

    owners: Sequence[Place | None] = (None,) * SLOTS
    nodes: frozenset[Place] = frozenset()

    @property
    def primaries(self) -> frozenset[Place]:
        """The nodes that own slots."""
        return frozenset(place for place in set(self.owners) if place is not None)

    @property
    def is_whole(self) -> bool:
        """Whether every slot has an owner."""
        return None not in self.owners

    def ranges(self) -> Mapping[Place, tuple[tuple[int, int], ...]]:
        """Return the slots of each primary; the ends are included."""
        found: dict[Place, list[tuple[int, int]]] = {}
        for owner, slots in groupby(range(SLOTS), key=self.owners.__getitem__):
            if owner is not None:
                owned = list(slots)
                found.setdefault(owner, []).append((owned[0], owned[-1]))
        return {place: tuple(ranges) for place, ranges in found.items()}


def read_nodes(text: bytes, asked_host: str) -> View:
    """Read the answer to ``CLUSTER NODES`` of the node at ``asked_host``, which may not know its own name.

    Raises: ValueError when it is none.
    """
    claims: list[Claim] = []
    places: set[Place] = set()
    for line in text.decode("ascii", "replace").splitlines():
        _, address, listed, _, _, _, epoch, _, *slots = line.split(" ")
        flags = listed.split(",")
        if "noaddr" in flags or "handshake" in flags:
            continue
        place = _place(address, asked_host)
        places.add(place)
        ranges = tuple(_range(text) for text in slots if not text.startswith("["))
        if ranges and "master" in flags:
            claims.append(Claim(int(epoch), place, ranges))
    return View(tuple(claims), frozenset(places))


def merge_views(views: Sequence[View]) -> SlotMap:
    """Return what nodes know together: a slot belongs to who claims it with the greatest epoch.

    So does the cluster settle it; a node that was cut off, and the primary that another one replaced, have
    lesser epochs.
    """
    owners: list[Place | None] = [None] * SLOTS
    claims = {claim for view in views for claim in view.claims}
    for claim in sorted(claims, key=lambda claim: claim.epoch):
        for first, last in claim.ranges:
            owners[first : last + 1] = [claim.place] * (last + 1 - first)
    return SlotMap(tuple(owners), frozenset[Place]().union(*(view.nodes for view in views)))


def _place(address: str, asked_host: str) -> Place:
    """Read ``ip:port@busport,hostname,...``; a hostname, when there is one, is what certificates name."""
    socket, _, more = address.partition(",")
    host, _, port = socket.partition("@")[0].rpartition(":")
    hostname = more.partition(",")[0]
    if hostname and "=" not in hostname:
        host = hostname
    return Place(host or asked_host, int(port))


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    bounds = int(first), int(last or first)
    if not 0 <= bounds[0] <= bounds[1] < SLOTS:
        raise ValueError(f"slots {text}")
    return bounds
