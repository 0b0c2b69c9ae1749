"""The tables of mappings, in the provider's own scope of the store."""

from __future__ import annotations

import json
from collections.abc import Callable

from attrs import frozen

from cluster_worker.persistence.engine import (
    ABSENT,
    Batch,
    Delete,
    Document,
    Engine,
    Key,
    PersistenceUnavailable,
    PreconditionFailed,
    Put,
    Scope,
    Step,
)
from onedata.errors import AlreadyExists, NotFound
from op_worker.mapping.entries import Entry, OnedataSubject, StorageUser, Table, entry_of, json_of
from op_worker.storage.types import StorageType

PROVIDER = Scope("provider")
PREFIX = "mapping:"
_MOST_TRIES = 20

Decide = Callable[[Entry | None], Entry | None]
"""Given the present record, returns the one to keep; ``None`` stands for none in both places."""


@frozen
class TableSet:
    """The tables of one storage as its present feed fills them."""

    name: str
    type: StorageType

    def key(self, table: Table) -> Key:
        """Return the document whose fields are a table's records."""
        return Key(f"{PREFIX}{self.name}:{table.name.lower()}")


@frozen(eq=False)
class Tables:
    """Records by table and key. Every method may raise PersistenceUnavailable.

    A user of a storage with owners also owns what his uid owns there: the record of the uid comes and goes
    with his, in the same commit.
    """

    _engine: Engine

    async def get(self, tables: TableSet, table: Table, key: str) -> Entry | None:
        """Return a record."""
        return _entry(tables, table, await self._document(tables, table, key))

    async def create(self, tables: TableSet, table: Table, key: str, entry: Entry) -> None:
        """Add a record. Raises: AlreadyExists."""

        def decide(present: Entry | None) -> Entry:
            if present is not None:
                raise AlreadyExists
            return entry

        await self.change(tables, table, key, decide)

    async def put(self, tables: TableSet, table: Table, key: str, entry: Entry) -> None:
        """Add or replace a record."""
        await self.change(tables, table, key, lambda _: entry)

    async def delete(self, tables: TableSet, table: Table, key: str) -> None:
        """Remove a record. Raises: NotFound."""

        def decide(present: Entry | None) -> None:
            if present is None:
                raise NotFound

        await self.change(tables, table, key, decide)

    async def change(self, tables: TableSet, table: Table, key: str, decide: Decide) -> None:
        """Decide anew on a record until nobody else changes it meanwhile. Raises what ``decide`` raises."""
        for _ in range(_MOST_TRIES):
            found = await self._document(tables, table, key)
            before = _entry(tables, table, found)
            after = decide(before)
            if after == before:
                return
            steps = [_step(tables, table, key, after, found)]
            if table is Table.USERS and tables.type.is_posix:
                steps += await self._owner_steps(tables, key, before, after)
            try:
                await self._engine.commit(PROVIDER, Batch(steps, announce=[tables.key(table)]))
            except PreconditionFailed:
                continue
            return
        raise PersistenceUnavailable("a mapping is changed all the time")

    async def clear(self, tables: TableSet) -> None:
        """Remove every record."""
        keys = [tables.key(table) for table in Table]
        await self._engine.commit(PROVIDER, Batch([Delete(key) for key in keys], announce=keys))

    async def _owner_steps(
        self, tables: TableSet, user_id: str, before: Entry | None, after: Entry | None
    ) -> list[Step]:
        """Return what makes the uid of a user lead back to him."""
        old, new = _uid(before), _uid(after)
        steps: list[Step] = []
        if old is not None and old != new:
            found = await self._document(tables, Table.OWNERS, str(old))
            if found is not None and _entry(tables, Table.OWNERS, found) == OnedataSubject(subject=user_id):
                steps.append(_step(tables, Table.OWNERS, str(old), None, found))
        if new is not None and old != new:
            found = await self._document(tables, Table.OWNERS, str(new))
            steps.append(_step(tables, Table.OWNERS, str(new), OnedataSubject(subject=user_id), found))
        return steps

    async def _document(self, tables: TableSet, table: Table, key: str) -> Document | None:
        return (await self._engine.get(PROVIDER, tables.key(table), [key])).get(key)


def _uid(entry: Entry | None) -> int | None:
    return entry.uid if isinstance(entry, StorageUser) else None


def _entry(tables: TableSet, table: Table, found: Document | None) -> Entry | None:
    return None if found is None else entry_of(table, tables.type, json.loads(found.data))


def _step(tables: TableSet, table: Table, key: str, after: Entry | None, found: Document | None) -> Step:
    revision = ABSENT if found is None else found.revision
    if after is None:
        return Delete(tables.key(table), key, expect=revision)
    return Put(tables.key(table), key, json.dumps(json_of(table, after)).encode(), expect=revision)
