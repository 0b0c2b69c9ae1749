"""Which node is responsible for a key: the SHA-1 space, cut into as many parts as there are nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha1

from attrs import field, frozen

_LABEL = re.compile(r"ch([0-9a-f]{4})$")
_SPACE_BITS = 160


def label_of(key: str) -> str:
    """What of a key is hashed: its label (``ch`` and 4 hex digits at the end), or the key itself.

    Keys with the same label, of documents that belong together, have the same owner.
    """
    found = _LABEL.search(key)
    return found.group(1) if found else key


def _sorted_names(nodes: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(nodes)))


@frozen
class Ring:
    """The nodes of a cluster in order of name, and which of them are away.

    Attributes:
        nodes: sorted; the ``i``-th of ``n`` owns the ``i``-th part of the hash space.
        owners: how many nodes are responsible for a key, the owner of its part and its successors.
        away: nodes that are down or have left; their keys go to their successors.
    """

    nodes: tuple[str, ...] = field(converter=_sorted_names)
    owners: int = 1
    away: frozenset[str] = frozenset()

    def responsible(self, key: str) -> tuple[str, ...]:
        """The nodes that serve ``key``, at most ``owners``, the first one foremost.

        Empty when every node is away.
        """
        start = self._part(key)
        count = len(self.nodes)
        in_order = (self.nodes[(start + step) % count] for step in range(count))
        return tuple(node for node in in_order if node not in self.away)[: self.owners]

    def owner(self, key: str) -> str | None:
        """The first of ``responsible``."""
        return next(iter(self.responsible(key)), None)

    @property
    def present(self) -> tuple[str, ...]:
        """The nodes that are not away."""
        return tuple(node for node in self.nodes if node not in self.away)

    def _part(self, key: str) -> int:
        digest = int.from_bytes(sha1(label_of(key).encode(), usedforsecurity=False).digest(), "big")
        return (digest * len(self.nodes)) >> _SPACE_BITS


NO_RING = Ring(())
"""Before a manager has sent one: nobody is responsible for anything."""
