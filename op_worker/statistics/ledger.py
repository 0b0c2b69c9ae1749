"""Totals of directories under changes of what is in them, in memory, for one batch of changes. Pure.

The ledger remembers for each key which directory it was counted in. The total of a directory is the sum
over everything that is below it in this remembered tree, at every moment; a change of one key takes what
it was (with the total below it) from the old directories above and adds what it is to the new ones. When
every change has been recorded the remembered tree is the real one, so the totals are those of a recount.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import define, field

from cluster_worker.persistence.engine import Key
from op_worker.statistics.contributions import UNKNOWN, Contribution
from op_worker.statistics.counts import NOTHING, Counts, add, is_nothing, negative


@define(eq=False)
class Ledger:
    """Holds what a batch touches; load with ``known`` and ``totals`` before anything is recorded.

    Args:
        root: the root of the space, whose totals stay also when there is nothing.
        known: contributions by key, ``None`` for a key without one. Those of every directory above must
            be there.
        totals: present counts of directories that have any.
    """

    root: Key
    known: dict[Key, Contribution | None] = field(factory=dict)
    totals: dict[Key, Counts] = field(factory=dict)
    changed: set[Key] = field(factory=set)
    deltas: dict[Key, Counts] = field(factory=dict)
    _pending: dict[Key, Counts] = field(factory=dict)

    def record(self, key: Key, new: Contribution | None) -> None:
        """Take in what a key contributes now. Must not make a loop; see ``makes_loop``."""
        old = self.known.get(key)
        if old == new:
            return
        if _is_directory(old) or _is_directory(new):
            self._record_directory(key, old, new)
        else:
            self._replace(old, new, NOTHING)
        if new is not None or old != UNKNOWN:
            self._set(key, new)

    def makes_loop(self, key: Key, new: Contribution | None) -> bool:
        """Whether the remembered tree would have a directory below itself: others moved meanwhile."""
        old = self.known.get(key)
        if new is None or not new.is_directory or (old is not None and old.parent == new.parent):
            return False
        return any(above == key for above in self._upwards(Key(new.parent)))

    def finish(self) -> None:
        """Sum up; afterwards ``deltas`` and ``changed`` are what is to be stored."""
        self._flush()
        for key in list(self.deltas):
            if self.known.get(key) == UNKNOWN and key != self.root and is_nothing(self.total(key)):
                self._set(key, None)

    def total(self, key: Key) -> Counts:
        """Return the counts of everything below a directory, as far as summed up."""
        return add(self.totals.get(key, NOTHING), self.deltas.get(key, NOTHING))

    def _record_directory(self, key: Key, old: Contribution | None, new: Contribution | None) -> None:
        self._flush()
        self._replace(old, new, self.total(key))

    def _replace(self, old: Contribution | None, new: Contribution | None, below: Counts) -> None:
        for parent, counts in () if old is None else old.placements:
            self._add(parent, negative(add(counts, below)))
        for parent, counts in () if new is None else new.placements:
            self._add(parent, add(counts, below))

    def _set(self, key: Key, new: Contribution | None) -> None:
        """Remember a contribution. What was removed with something still below it stays as unknown."""
        if new is None and not is_nothing(self.total(key)):
            new = UNKNOWN
        self.known[key] = new
        self.changed.add(key)

    def _add(self, parent: str, counts: Counts) -> None:
        key = Key(parent)
        if self.known.get(key) is None:
            self.known[key] = UNKNOWN
            self.changed.add(key)
        self._pending[key] = add(self._pending.get(key, NOTHING), counts)

    def _flush(self) -> None:
        pending, self._pending = self._pending, {}
        for key, counts in pending.items():
            for above in self._upwards(key):
                self.deltas[above] = add(self.deltas.get(above, NOTHING), counts)

    def _upwards(self, key: Key) -> Iterator[Key]:
        """Yield a directory and every one above it."""
        while True:
            yield key
            found = self.known.get(key)
            if found is None or not found.parent:
                return
            key = Key(found.parent)


def parents(contributions: Mapping[Key, Contribution | None]) -> set[Key]:
    """Return the directories that these contributions are counted in."""
    known = [one for one in contributions.values() if one is not None]
    return {Key(parent) for one in known for parent in (one.parent, *one.further) if parent}


def _is_directory(contribution: Contribution | None) -> bool:
    return contribution is not None and contribution.is_directory
