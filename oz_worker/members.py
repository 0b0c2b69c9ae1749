"""Who belongs to what through nested groups, and with which privileges. Pure.

A group nested in another passes the privileges it holds there on to all its effective members,
users and groups alike. Cycles cannot be made (see ``would_close_a_cycle``); if stored data holds
one all the same, every walk here still ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

Privileges = frozenset[str]
EMPTY: Privileges = frozenset()


class Group(Protocol):
    """The part of a group that membership is made of."""

    @property
    def users(self) -> Mapping[str, Privileges]: ...
    @property
    def groups(self) -> Mapping[str, Privileges]: ...


class Circle(Protocol):
    """Anything with direct members: a space, a group, a cluster."""

    @property
    def users(self) -> Mapping[str, Privileges]: ...
    @property
    def groups(self) -> Mapping[str, Privileges]: ...


Groups = Mapping[str, Group]


def reachable(start: Iterable[str], step: Callable[[str], Collection[str]]) -> frozenset[str]:
    """Return everything reached from ``start`` by repeated ``step``, ``start`` included."""
    found = set(start)
    queue = deque(found)
    while queue:
        for item in step(queue.popleft()):
            if item not in found:
                found.add(item)
                queue.append(item)
    return frozenset(found)


def descendants(group_id: str, groups: Groups) -> frozenset[str]:
    """Return the group and every group nested in it, at any depth."""
    return reachable([group_id], lambda item: groups[item].groups.keys() if item in groups else ())


def would_close_a_cycle(parent_id: str, child_id: str, groups: Groups) -> bool:
    """Whether nesting ``child_id`` in ``parent_id`` would put a group into itself."""
    return parent_id in descendants(child_id, groups)


def effective_users(circle: Circle, groups: Groups) -> dict[str, Privileges]:
    """Return all users of a circle, direct ones and those of nested groups, with the union of privileges."""
    found: dict[str, Privileges] = dict(circle.users)
    for group_id, privileges in circle.groups.items():
        for nested in descendants(group_id, groups):
            for user_id in groups[nested].users if nested in groups else ():
                found[user_id] = found.get(user_id, EMPTY) | privileges
    return found


def effective_groups(circle: Circle, groups: Groups) -> dict[str, Privileges]:
    """Return all groups of a circle, direct and nested, with the union of privileges."""
    found: dict[str, Privileges] = {}
    for group_id, privileges in circle.groups.items():
        for nested in descendants(group_id, groups):
            if nested in groups:
                found[nested] = found.get(nested, EMPTY) | privileges
    return found


def user_intermediaries(circle: Circle, user_id: str, user_groups: Collection[str]) -> list[str]:
    """Return the direct group members of a circle that lead to a user.

    Args:
        user_groups: ids of all effective groups of the user.
    """
    return sorted(group_id for group_id in circle.groups if group_id in user_groups)


def group_intermediaries(circle: Circle, ancestors: Collection[str]) -> list[str]:
    """Return the direct group members of a circle that lead to a group with these ``ancestors``."""
    return sorted(group_id for group_id in circle.groups if group_id in ancestors)
