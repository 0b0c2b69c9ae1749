"""How many bytes and files each counter of a space counts, and the steps that keep them exact. Pure.

Every commit that writes a location gives back what the old one was counted with and adds what the new
one is, in the support's counter and in those of ``Location.charges``. So a counter is at every moment
the sum over all locations that name it, whatever moves and whoever dies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import frozen

from cluster_worker.persistence.engine import Add, Step
from onedata.errors import Errno, Posix
from op_worker.files.stored.documents import Location
from op_worker.files.stored.quotas import SpaceQuotas, user_of

_USED = "used:"
_SIZE = "charged:"
_FILES = "charged-files:"


@frozen(eq=False)
class Room:
    """What bounds the content of a space: the bytes that each storage gives it, and its optional quotas."""

    sizes_b: Mapping[str, int]
    quotas: SpaceQuotas

    def size_b(self, storage_id: str) -> int:
        """Return how many bytes a storage gives; none when it does not support the space."""
        return self.sizes_b.get(storage_id, 0)


def used_counter(storage_id: str) -> str:
    """Return the name of the counter of bytes that a space takes on a storage."""
    return f"{_USED}{storage_id}"


def size_counter(quota: str) -> str:
    """Return the name of the counter of bytes charged to a quota."""
    return f"{_SIZE}{quota}"


def files_counter(quota: str) -> str:
    """Return the name of the counter of files charged to a quota."""
    return f"{_FILES}{quota}"


def account(old: Location | None, new: Location, room: Room) -> list[Step]:
    """Return the steps that account for new content, and demand that the quotas are those of ``room``.

    What does not grow is never refused.
    """
    old_b = 0 if old is None else old.held_b
    steps = [room.quotas.unchanged(), *_moved_room(old, new, room)]
    if new.charges or (old is not None and old.charges):
        grows = old is None or new.held_b > old_b
        steps.extend(charge_steps(charged(old, new), room.quotas if grows else None))
    return steps


def _moved_room(old: Location | None, new: Location, room: Room) -> list[Step]:
    before, after = {} if old is None else old.held_on, new.held_on
    changes = {one: after.get(one, 0) - before.get(one, 0) for one in (*before, *after)}
    ordered = sorted(changes.items(), key=lambda change: change[1])
    return [step for one, by in ordered for step in _add(used_counter(one), by, room.size_b(one))]


def take_in(changes: Iterable[tuple[Location | None, Location]], room: Room) -> list[Step]:
    """Return the steps that account for content that came to the storage without us.

    Each change is the old location and the new one, on the same storage. It has taken its room already, so
    no limit refuses it.
    """
    bytes_: Counter[str] = Counter()
    quotas: Counter[str] = Counter()
    for old, new in changes:
        bytes_[used_counter(new.storage_id)] += new.held_b - (0 if old is None else old.held_b)
        if new.charges or (old is not None and old.charges):
            quotas.update(charged(old, new))
    steps = [step for counter, delta in bytes_.items() for step in _add(counter, delta, None)]
    return [room.quotas.unchanged(), *steps, *charge_steps(quotas, None)]


def give_back(location: Location | None) -> list[Step]:
    """Return the steps that account for the end of a location."""
    if location is None:
        return []
    steps = [
        step for one, held_b in location.held_on.items() for step in _add(used_counter(one), -held_b, None)
    ]
    return [*steps, *charge_steps(charged(location, None), None)]


def charged(old: Location | None, new: Location | None) -> Counter[str]:
    """Return by how much each counter of a quota changes between two locations of a file."""
    changes: Counter[str] = Counter()
    for location, sign in ((old, -1), (new, 1)):
        for quota in () if location is None else location.charges:
            changes[size_counter(quota)] += sign * (0 if location is None else location.held_b)
            changes[files_counter(quota)] += sign
    return changes


def charge_steps(changes: Mapping[str, int], limits: SpaceQuotas | None) -> list[Step]:
    """Return the steps of such changes, those that give back first; without ``limits`` all are admitted."""
    ordered = sorted(changes.items(), key=lambda item: item[1])
    return [step for name, delta in ordered for step in _add(name, delta, _limit(name, limits))]


def refusal(
    room: Room, charges: Iterable[str], storage_id: str, counters: Mapping[str, int], growth_b: int
) -> Posix | None:
    """Return why a file with these charges cannot grow by so much now; ``None`` when it can."""
    bounds: list[tuple[str, int | None]] = [(used_counter(storage_id), room.size_b(storage_id))]
    bounds.extend((name, _limit(name, room.quotas)) for name in map(size_counter, charges))
    for counter, limit_b in bounds:
        if limit_b is not None and counters.get(counter, 0) + growth_b > limit_b:
            return full(counter)
    return None


def full(counter: str) -> Posix:
    """Return the refusal of an addition to a counter that is at its limit."""
    for prefix, what in ((_SIZE, "bytes"), (_FILES, "files")):
        if counter.startswith(prefix):
            quota = counter.removeprefix(prefix)
            user = user_of(quota)
            whose = "of a directory above" if user is None else "of the file's owner"
            return Posix(Errno.EDQUOT, f"the quota of {what} {whose} is used up ({quota})")
    return Posix(Errno.ENOSPC, "the space has no room left")


def _add(counter: str, delta: int, limit: int | None) -> list[Step]:
    return [Add(counter, delta, limit if delta > 0 else None)] if delta else []


def _limit(counter: str, limits: SpaceQuotas | None) -> int | None:
    """Return the limit of a quota's counter; ``None`` is none."""
    if limits is None:
        return None
    if counter.startswith(_SIZE):
        quota = limits.quotas.get(counter.removeprefix(_SIZE))
        return None if quota is None else quota.size_b
    quota = limits.quotas.get(counter.removeprefix(_FILES))
    return None if quota is None else quota.files
