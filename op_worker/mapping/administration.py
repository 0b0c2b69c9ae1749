"""What an administrator does with the mapping of a storage: chooses its feed, keeps its records."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from cluster_worker.runtime.randomness import RandomBytes
from onedata.errors import BadData, NotFound, RequiresPosixCompatibleStorage
from onedata.ids import StorageId, new_id
from op_worker.mapping.entries import Entry, StorageUser, Table, check_key, entry_of, json_of
from op_worker.mapping.feeds import Feed, FeedSettings
from op_worker.mapping.service import UserMapping
from op_worker.mapping.tables import TableSet
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.storage.types import BadStorageError

Json = Mapping[str, object]


@frozen
class Place:
    """Where a record is kept."""

    storage_id: StorageId
    table: Table
    key: str

    @classmethod
    def of(cls, storage_id: str, path: str) -> Place:
        """Read ``<table>/<key>``. Raises: NotFound for no table; an OnedataError for what is no key."""
        for table in Table:
            if path.startswith(f"{table.value}/"):
                key = path.removeprefix(f"{table.value}/")
                check_key(table, key)
                return cls(StorageId(storage_id), table, key)
        raise NotFound


@frozen(eq=False)
class MappingAdministration:
    """Feeds and records of every storage.

    Every method may raise NotFound without the storage, and PersistenceUnavailable. Records that are
    written are those of a local feed; those that an external feed answered are shown, and removed so that it
    is asked anew.
    """

    _storages: Storages
    _mapping: UserMapping
    _random_bytes: RandomBytes

    async def feed(self, storage_id: str) -> Json:
        """Return the feed of a storage, without secrets."""
        return FeedSettings.of(await self._record(storage_id)).to_json()

    async def choose_feed(self, storage_id: str, body: Json) -> Json:
        """Change the feed of a storage; with another source the records of the earlier one are gone.

        Raises: an OnedataError of a wrong body.
        """
        before: list[StorageRecord] = []

        def changed(record: StorageRecord) -> StorageRecord:
            before[:] = [record]
            earlier = FeedSettings.of(record)
            settings = FeedSettings.from_json(body, earlier).after(earlier, new_id(self._random_bytes))
            return evolve(record, users=settings.to_users())

        try:
            await self._storages.change_storage(StorageId(storage_id), changed)
        except BadStorageError:
            raise NotFound from None
        earlier, now = self._mapping.table_set(before[0]), await self._tables(storage_id)
        if earlier is not None and earlier.name != now.name:
            await self._mapping.tables.clear(earlier)
        await self._mapping.forget()
        return await self.feed(storage_id)

    async def clear(self, storage_id: str) -> None:
        """Remove every record of a storage."""
        await self._mapping.tables.clear(await self._tables(storage_id))
        await self._mapping.forget()

    async def get(self, place: Place) -> Json:
        """Return a record, without secrets. Raises: NotFound."""
        tables = await self._tables(place.storage_id, place.table)
        found = await self._mapping.tables.get(tables, place.table, place.key)
        if found is None:
            raise NotFound
        shown = found.redacted(tables.type) if isinstance(found, StorageUser) else found
        return json_of(place.table, shown)

    async def create(self, place: Place, body: Json) -> None:
        """Add a record. Raises: AlreadyExists; an OnedataError of a wrong body."""
        tables = await self._written(place)
        entry = entry_of(place.table, tables.type, body)
        await self._mapping.tables.create(tables, place.table, place.key, entry)
        await self._mapping.forget()

    async def put(self, place: Place, body: Json) -> None:
        """Add or replace a record. Raises: an OnedataError of a wrong body."""
        tables = await self._written(place)
        entry = entry_of(place.table, tables.type, body)
        await self._mapping.tables.put(tables, place.table, place.key, entry)
        await self._mapping.forget()

    async def merge(self, place: Place, body: Json) -> None:
        """Change the fields of a record that are named. Raises: NotFound; an OnedataError of a wrong body."""
        tables = await self._written(place)

        def merged(found: Entry | None) -> Entry:
            if found is None:
                raise NotFound
            return entry_of(place.table, tables.type, _over(json_of(place.table, found), body))

        await self._mapping.tables.change(tables, place.table, place.key, merged)
        await self._mapping.forget()

    async def delete(self, place: Place) -> None:
        """Remove a record. Raises: NotFound."""
        tables = await self._tables(place.storage_id, place.table)
        await self._mapping.tables.delete(tables, place.table, place.key)
        await self._mapping.forget()

    async def _record(self, storage_id: str) -> StorageRecord:
        await self._storages.load()
        storage = self._storages.get(StorageId(storage_id))
        if storage is None:
            raise NotFound
        return storage.record

    async def _tables(self, storage_id: str, table: Table | None = None) -> TableSet:
        tables = self._mapping.table_set(await self._record(storage_id))
        if tables is None:
            raise NotFound
        if table is not None and table.is_posix_only and not tables.type.is_posix:
            raise RequiresPosixCompatibleStorage(StorageId(storage_id), self._storages.posix_types)
        return tables

    async def _written(self, place: Place) -> TableSet:
        """Return the tables that a record may be written into."""
        if FeedSettings.of(await self._record(place.storage_id)).feed is not Feed.LOCAL:
            raise BadData("lumaFeed", "records are kept here only where the feed is local")
        return await self._tables(place.storage_id, place.table)


def _over(before: Json, body: Json) -> dict[str, object]:
    """Return a record with changed fields: credentials are merged, a scheme brings all of its fields."""
    if "mappingScheme" in body:
        return dict(body)
    after = {**before, **body}
    old, new = before.get("storageCredentials"), body.get("storageCredentials")
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        after["storageCredentials"] = {**old, **new}
    return after
