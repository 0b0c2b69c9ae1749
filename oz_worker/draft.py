"""A change of the zone while it is being decided. Pure.

Reads through a draft see the records as they will be; nothing is written before the store commits it.
"""

from __future__ import annotations

from cluster_worker.persistence.engine import Key
from onedata.errors import NotFound
from oz_worker.records import Group, NamedToken, Provider, R, Record, Space, User, key_of, record_key
from oz_worker.state import ZoneState


class Draft:
    """Records to put and documents to delete, over the state that the decision is made on."""

    def __init__(self, state: ZoneState) -> None:
        self.state = state
        self.puts: dict[Key, Record] = {}
        self.deletes: set[Key] = set()
        self.required: set[Key] = set()

    def put(self, record: Record) -> None:
        """Write a record, new or changed."""
        key = key_of(record)
        self.deletes.discard(key)
        self.puts[key] = record

    def delete(self, record: Record) -> None:
        """Remove a record."""
        key = key_of(record)
        self.puts.pop(key, None)
        self.deletes.add(key)

    def require(self, record: Record) -> None:
        """Demand that a record which is not changed here is still as it is when the draft is committed."""
        self.required.add(key_of(record))

    def user(self, user_id: str) -> User:
        """Return a user as he will be. Raises: NotFound."""
        return self._get(User, user_id)

    def group(self, group_id: str) -> Group:
        """Return a group as it will be. Raises: NotFound."""
        return self._get(Group, group_id)

    def space(self, space_id: str) -> Space:
        """Return a space as it will be. Raises: NotFound."""
        return self._get(Space, space_id)

    def provider(self, provider_id: str) -> Provider:
        """Return a provider as it will be. Raises: NotFound."""
        return self._get(Provider, provider_id)

    def token(self, token_id: str) -> NamedToken:
        """Return a named token as it will be. Raises: NotFound."""
        return self._get(NamedToken, token_id)

    def exists(self, kind: str, record_id: str) -> bool:
        """Whether the record will exist."""
        key = record_key(kind, record_id)
        return key in self.puts or (key not in self.deletes and self.state.find(key) is not None)

    def _get(self, kind: type[R], record_id: str) -> R:
        key = record_key(kind.KIND, record_id)
        record = None if key in self.deletes else self.puts.get(key, self.state.find(key))
        if not isinstance(record, kind):
            raise NotFound()
        return record
