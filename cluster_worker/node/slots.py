"""Hash slots: which one a key falls into, and which node owns which, moving no more than must move.

A table gives the node of each of the ``SLOTS`` slots. Every function keeps it balanced: no node owns two
slots more than another, when it was so before.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterable
from zlib import crc32

from cluster_worker.wire.slot_table import SLOTS, Table

_LABEL = re.compile(r"ch([0-9a-f]{4})")
_LABEL_LENGTH = 6


def label_of(key: str) -> str:
    """What of a key is hashed: its label (``ch`` and 4 hex digits at the end), or the key itself.

    Keys with the same label, of documents that belong together, have the same owner.
    """
    found = _LABEL.fullmatch(key, len(key) - _LABEL_LENGTH)
    return found.group(1) if found else key


def slot_of(key: str) -> int:
    """The slot of ``key``: the CRC-32 of its label, modulo the number of slots."""
    return crc32(label_of(key).encode()) % SLOTS


def even_table(nodes: Iterable[str]) -> Table:
    """A table in which each of ``nodes`` owns one run of slots, in order of name."""
    names = sorted(set(nodes))
    count = len(names)
    return tuple(names[slot * count // SLOTS] for slot in range(SLOTS)) if names else ()


def with_node(table: Table, node: str) -> Table:
    """``table`` after ``node`` has taken its share of slots from the others; they keep the rest.

    Its share is the whole part of the slots by the nodes there are then. A node that owns slots
    already gets no others; in an empty table it gets all.
    """
    owned = Counter(table)
    if node in owned:
        return table
    if not owned:
        return even_table([node])
    given = _richest(owned, SLOTS // (len(owned) + 1))
    slots = list(table)
    for slot in range(SLOTS - 1, -1, -1):
        if given[slots[slot]]:
            given[slots[slot]] -= 1
            slots[slot] = node
    return tuple(slots)


def without_node(table: Table, node: str) -> Table:
    """``table`` after the slots of ``node`` were spread over the other owners; these keep all they have.

    Without another owner the table is empty.
    """
    owned = Counter(table)
    left = owned.pop(node, 0)
    if not owned:
        return ()
    taken = _poorest(owned, left)
    inheriting = (name for name in sorted(taken) for _ in range(taken[name]))
    return tuple(next(inheriting) if owner == node else owner for owner in table)


def _richest(owned: Counter[str], count: int) -> Counter[str]:
    """From whom ``count`` slots come when each is taken from who owns most at that time."""
    return _poorest(Counter({node: -slots for node, slots in owned.items()}), count)


def _poorest(owned: Counter[str], count: int) -> Counter[str]:
    """Who gets ``count`` slots when each goes to who owns least at that time."""
    heap = [(slots, node) for node, slots in owned.items()]
    heapq.heapify(heap)
    taken: Counter[str] = Counter()
    for _ in range(count):
        slots, node = heap[0]
        taken[node] += 1
        heapq.heapreplace(heap, (slots + 1, node))
    return taken
