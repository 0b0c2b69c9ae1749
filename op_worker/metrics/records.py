"""What metrics store in the scope of a space, and how. Pure.

| document | field | holds |
| --- | --- | --- |
| ``metrics`` | name of a metric | the series of the space |
| | ``users`` | ``Known`` of each user that has series |
| | ``order`` | what of the last samples is still to be written to series of users |
| | ``usage`` | ``Usage``: what each user held when the space was walked last |
| ``metrics:<user>`` | name of a metric | the series of a user |
| ``metrics-passed`` | one for each flush of a node | tallies, until they are taken; then when that was |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from cluster_worker.persistence.engine import Document, Key
from onedata.ids import UserId
from op_worker.files.stored.packing import SCHEMA, pack, pack_id, unpack, unpack_id
from op_worker.files.tallies import SpaceTallies, Tally
from op_worker.metrics.usage import Usage

METRICS = Key("metrics")
PASSED = Key("metrics-passed")
USERS, ORDER, USAGE = "users", "order", "usage"
KEPT_SLOTS = 2
"""The name of a parcel that was taken is kept until so many slots later, which is 300 s at least."""
MOST_USERS = 1000
"""The most users of a space that have series; who was idle for longest gives way."""
FORGOTTEN_SLOTS = 365 * 288
"""A user who did nothing for so long, and holds nothing, has no series any more."""


def user_key(user_id: UserId) -> Key:
    """Return the document with the series of a user."""
    return Key(f"metrics:{user_id}")


def encode_tallies(tallies: SpaceTallies) -> bytes:
    """Return the stored form of what one flush brings."""
    return pack([SCHEMA, [[pack_id(user), *tally.numbers] for user, tally in tallies.items()]])


def encode_taken(end: int) -> bytes:
    """Return what stays of a parcel that a sample took, so that it is not brought once more."""
    return pack([SCHEMA, end])


def is_old(document: Document, end: int) -> bool:
    """Whether a parcel was taken so long ago that nobody tries to bring it again."""
    stored = unpack(document.data, "flush of metrics")[1]
    return isinstance(stored, int) and not 0 <= end - stored < KEPT_SLOTS


def is_taken(document: Document) -> bool:
    """Whether a sample took this parcel before."""
    return isinstance(unpack(document.data, "flush of metrics")[1], int)


def sum_of(passed: Iterable[Document]) -> dict[UserId, Tally]:
    """Return what all flushes together brought, by user."""
    found: dict[UserId, Tally] = {}
    for document in (one for one in passed if not is_taken(one)):
        for user, *numbers in unpack(document.data, "flush of metrics")[1]:
            found.setdefault(UserId(unpack_id(user)), Tally()).add(Tally(*numbers))
    return found


@frozen
class Known:
    """A user with series: the end of the last slot in which he did something, and his bytes."""

    active: int
    used_b: int | None = None


def encode_users(users: Mapping[UserId, Known]) -> bytes:
    """Return the stored form of all users that have series."""
    return pack([SCHEMA, [[pack_id(user), one.active, one.used_b] for user, one in users.items()]])


def decode_users(document: Document | None) -> dict[UserId, Known]:
    """Undo ``encode_users``."""
    if document is None:
        return {}
    stored = unpack(document.data, "users of metrics")[1]
    return {UserId(unpack_id(user)): Known(active, used_b) for user, active, used_b in stored}


@frozen
class Order:
    """Samples for the slots from ``first`` to before ``end`` that users are still to get."""

    first: int
    end: int
    passed: SpaceTallies
    used_b: Mapping[UserId, int | None]

    @property
    def users(self) -> list[UserId]:
        """Everybody who gets something."""
        return [*self.passed, *(user for user in self.used_b if user not in self.passed)]

    def encode(self) -> bytes:
        """Return the stored form."""
        passed = [[pack_id(user), *tally.numbers] for user, tally in self.passed.items()]
        return pack([SCHEMA, self.first, self.end, passed, [[pack_id(u), b] for u, b in self.used_b.items()]])

    @classmethod
    def decode(cls, document: Document) -> Order:
        """Undo ``encode``."""
        _, first, end, passed, used = unpack(document.data, "order of metrics")[:5]
        tallies = {UserId(unpack_id(user)): Tally(*numbers) for user, *numbers in passed}
        return cls(first, end, tallies, {UserId(unpack_id(user)): size_b for user, size_b in used})


def kept(
    users: Mapping[UserId, Known],
    active: Iterable[UserId],
    charged: Mapping[UserId, int],
    usage: Usage | None,
    end: int,
) -> tuple[dict[UserId, Known], list[UserId]]:
    """Return who has series from now on, and whose end.

    Who holds bytes but did nothing so far takes a free place, never somebody's.

    Args:
        active: who did something since the last sample.
        charged: what is charged to the quota of each user that has one.
        usage: what the last walk found; a quota knows better.
    """
    slots = {user: one.active for user, one in users.items()}
    for user in charged:
        slots.setdefault(user, end)
    slots.update(dict.fromkeys(active, end))
    held = set() if usage is None else {user for user, size_b in usage.held.items() if size_b}
    for user in sorted(user for user in held if user not in slots)[: max(0, MOST_USERS - len(slots))]:
        slots[user] = end
    ordered = sorted(slots, key=lambda one: (-slots[one], one))
    fresh = [one for one in ordered if one in charged or one in held or slots[one] > end - FORGOTTEN_SLOTS]
    staying = {
        one: Known(slots[one], charged.get(one, None if usage is None else usage.of(one)))
        for one in fresh[:MOST_USERS]
    }
    return staying, [one for one in users if one not in staying]
