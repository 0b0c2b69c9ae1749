"""The whole zone in memory: every record, the ways back from members to what they are members of.

A projection of the stored documents; ``apply`` keeps it current and may be called twice with the
same document. Nothing here writes anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

from attrs import frozen

from cluster_worker.persistence.engine import ABSENT, Key
from onedata.privileges import SPACE_ADMIN
from oz_worker.members import Privileges, effective_groups, effective_users, reachable
from oz_worker.records import Group, NamedToken, Provider, Record, Space, User, record_key

K = TypeVar("K")
V = TypeVar("V")
_CIRCLES = frozenset({"group", "space", "provider"})
Backlinks = defaultdict[tuple[str, str], set[str]]


@frozen
class EffectiveMembers:
    """All members of a circle through any path, with the union of their privileges."""

    users: Mapping[str, Privileges]
    groups: Mapping[str, Privileges]


class ZoneState:
    """Records by id, and effective membership computed from them and remembered until the next change."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.spaces: dict[str, Space] = {}
        self.providers: dict[str, Provider] = {}
        self.tokens: dict[str, NamedToken] = {}
        self.seq = 0
        self._revisions: dict[Key, int] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._circles_of: Backlinks = defaultdict(set)
        self._supported: dict[str, set[str]] = defaultdict(set)
        self._tokens_of: dict[tuple[str, str | None], set[str]] = defaultdict(set)
        self._effective: dict[str, EffectiveMembers] = {}
        self._ancestors: dict[tuple[str, str], frozenset[str]] = {}

    def apply(self, key: Key, revision: int, record: Record | None) -> None:
        """Take in what a document holds now; ``None`` when it is gone."""
        kind, _, record_id = key.partition(":")
        table = self._table(kind)
        if record is None:
            self._revisions.pop(key, None)
        else:
            self._revisions[key] = revision
        if table.get(record_id) == record:
            return
        self._forget(table.pop(record_id, None))
        if record is not None:
            table[record_id] = record
            self._remember(record)
        if kind in _CIRCLES:
            self._effective.clear()
            self._ancestors.clear()

    def revision(self, key: Key) -> int:
        """Return the revision of the document as known here, ``ABSENT`` when there is none."""
        return self._revisions.get(key, ABSENT)

    def find(self, key: Key) -> Record | None:
        """Return a record by the key of its document."""
        kind, _, record_id = key.partition(":")
        return self._table(kind).get(record_id)

    def user_named(self, username: str) -> User | None:
        """Return the user with this user name."""
        return self.users.get(self._names.get(("usernames", username), ""))

    def holder_of(self, directory: str, name: str) -> str | None:
        """Return the id of the record that holds a unique name."""
        return self._names.get((directory, name))

    def tokens_of(self, kind: str, subject_id: str | None) -> list[NamedToken]:
        """Return the named tokens of a subject, oldest first."""
        tokens = [self.tokens[token_id] for token_id in self._tokens_of.get((kind, subject_id), ())]
        return sorted(tokens, key=lambda token: (token.created_s, token.id))

    def groups_of_user(self, user_id: str) -> frozenset[str]:
        """Return the effective groups of a user."""
        return self._reach(("user", user_id), self.direct("user", user_id, "group"))

    def groups_of_group(self, group_id: str) -> frozenset[str]:
        """Return the effective parents of a group, itself included."""
        return self._reach(("group", group_id), {group_id})

    def direct(self, kind: str, member_id: str, circle: str) -> set[str]:
        """Return the ids of the groups, spaces or providers that a user or group is directly in."""
        wanted = circle + ":"
        return {
            key.removeprefix(wanted)
            for key in self._circles_of.get((kind, member_id), ())
            if key.startswith(wanted)
        }

    def effective(self, kind: str, member_id: str, circle: str) -> frozenset[str]:
        """Return the ids of the spaces or providers (clusters) that a user or group is effectively in."""
        if circle == "group":
            return self.groups_of_user(member_id) if kind == "user" else self.groups_of_group(member_id)
        found = set(self.direct(kind, member_id, circle))
        groups = self.groups_of_user(member_id) if kind == "user" else self.groups_of_group(member_id)
        for group_id in groups:
            found |= self.direct("group", group_id, circle)
        return frozenset(found)

    def members(self, circle: Group | Space | Provider) -> EffectiveMembers:
        """Return all effective members of a group, a space or a provider's cluster.

        Owners of a space hold every privilege there.
        """
        key = record_key(circle.KIND, circle.id)
        known = self._effective.get(key)
        if known is None or self.find(key) is not circle:
            users = effective_users(circle, self.groups)
            if isinstance(circle, Space):
                users.update((owner, SPACE_ADMIN) for owner in circle.owners if owner in users)
            known = EffectiveMembers(users, effective_groups(circle, self.groups))
            if self.find(key) is circle:
                self._effective[key] = known
        return known

    def zone_privileges(self, user: User) -> Privileges:
        """Return the zone privileges of a user: own ones and those of all effective groups."""
        return user.privileges.union(
            *(self.groups[g].privileges for g in self.groups_of_user(user.id) if g in self.groups)
        )

    def supported_by(self, provider_id: str) -> frozenset[str]:
        """Return the ids of the spaces a provider supports."""
        return frozenset(self._supported.get(provider_id, ()))

    def users_of_provider(self, provider: Provider) -> frozenset[str]:
        """Return the effective users of a provider: of its spaces and of its cluster."""
        found = set(self.members(provider).users)
        for space_id in self.supported_by(provider.id):
            found.update(self.members(self.spaces[space_id]).users)
        return frozenset(found)

    def groups_of_provider(self, provider: Provider) -> frozenset[str]:
        """Return the effective groups of a provider: of its spaces and of its cluster."""
        found = set(self.members(provider).groups)
        for space_id in self.supported_by(provider.id):
            found.update(self.members(self.spaces[space_id]).groups)
        return frozenset(found)

    def providers_of(self, kind: str, member_id: str) -> frozenset[str]:
        """Return the providers that support an effective space of a user or group."""
        return frozenset(
            provider_id
            for space_id in self.effective(kind, member_id, "space")
            for provider_id in self.spaces[space_id].supports
        )

    def _reach(self, memo: tuple[str, str], start: Iterable[str]) -> frozenset[str]:
        known = self._ancestors.get(memo)
        if known is None:
            known = reachable(start, lambda item: self.direct("group", item, "group"))
            self._ancestors[memo] = known
        return known

    def _table(self, kind: str) -> dict[str, Record]:
        tables = {
            "user": self.users,
            "group": self.groups,
            "space": self.spaces,
            "provider": self.providers,
            "token": self.tokens,
        }
        return cast("dict[str, Record]", tables[kind])

    def _remember(self, record: Record) -> None:
        for name in record.names():
            self._names[name] = record.id
        for member in _direct_members(record):
            self._circles_of[member].add(record_key(record.KIND, record.id))
        if isinstance(record, Space):
            for provider_id in record.supports:
                self._supported[provider_id].add(record.id)
        if isinstance(record, NamedToken):
            self._tokens_of[record.subject.kind, record.subject.id].add(record.id)

    def _forget(self, record: Record | None) -> None:
        if record is None:
            return
        for name in record.names():
            if self._names.get(name) == record.id:
                del self._names[name]
        for member in _direct_members(record):
            _discard(self._circles_of, member, record_key(record.KIND, record.id))
        if isinstance(record, Space):
            for provider_id in record.supports:
                _discard(self._supported, provider_id, record.id)
        if isinstance(record, NamedToken):
            _discard(self._tokens_of, (record.subject.kind, record.subject.id), record.id)


def _direct_members(record: Record) -> Iterable[tuple[str, str]]:
    if isinstance(record, Group | Space | Provider):
        yield from (("user", user_id) for user_id in record.users)
        yield from (("group", group_id) for group_id in record.groups)


def _discard(links: dict[K, set[V]], key: K, value: V) -> None:
    linked = links.get(key)
    if linked is not None:
        linked.discard(value)
        if not linked:
            del links[key]
