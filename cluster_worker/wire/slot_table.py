"""The table of hash slots as it travels: runs of slots that one node owns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from cluster_worker.wire.fields import BadField, Fields

SLOTS = 16_384
"""How many hash slots a ring has."""

Table = tuple[str, ...]
"""The node of each slot; empty when there is no ring."""


def encode_table(table: Table, nodes: Sequence[str]) -> list[int]:
    """``[node, slots, node, slots…]``: which of ``nodes`` (by its place) owns the next so many slots.

    At most 64 KiB in a frame, however the slots are spread over however many nodes.
    """
    places = {node: place for place, node in enumerate(nodes)}
    return [number for node, run in groupby(table) for number in (places[node], sum(1 for _ in run))]


def decode_table(fields: Fields, nodes: Sequence[str]) -> Table:
    """Read what ``encode_table`` has made.

    Raises:
        BadField: not a whole table of these nodes.
    """
    table: list[str] = []
    for place, count in _pairs(fields):
        if place >= len(nodes) or count > SLOTS - len(table):
            raise BadField("the slots are not a table of these nodes")
        table += [nodes[place]] * count
    if len(table) not in (0, SLOTS):
        raise BadField(f"the table has {len(table)} slots")
    return tuple(table)


def _pairs(fields: Fields) -> Iterator[tuple[int, int]]:
    if len(fields) % 2:
        raise BadField("the last run of slots has no length")
    for index in range(0, len(fields), 2):
        yield fields.integer(index), fields.integer(index + 1)
