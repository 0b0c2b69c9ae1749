"""Storages: added, told, changed, tried, removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import evolve, frozen

from cluster_worker.persistence.engine import PersistenceUnavailable
from cluster_worker.runtime.randomness import RandomBytes
from onedata.errors import (
    AlreadyExists,
    BadData,
    BadValueIdentifierOccupied,
    BadValueNotAllowed,
    NotFound,
    StorageInUse,
    StorageTestFailed,
)
from onedata.ids import StorageId, new_id
from op_worker.administration.descriptions import Description
from op_worker.mapping.feeds import FeedSettings
from op_worker.mapping.service import UserMapping
from op_worker.storage.health.probe import ProbeFailed
from op_worker.storage.health.report import Step
from op_worker.storage.health.trying import StorageTests
from op_worker.storage.helper import StorageError
from op_worker.storage.parameters import arguments_of, changed, shown, stored, taken_apart
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import StorageInUseError, Storages
from op_worker.storage.supports import Storage
from op_worker.storage.types import BadStorageError, Parameters, StorageType

_MOST_TRIES = 5


class _ChangedMeanwhile(Exception):
    """Somebody else changed the storage since it was looked at."""


@frozen(eq=False)
class StorageAdministration:
    """The verbs of storages. Every method may raise PersistenceUnavailable."""

    _storages: Storages
    _mapping: UserMapping
    _random_bytes: RandomBytes
    _tests: StorageTests

    async def records(self) -> list[StorageRecord]:
        """Return every storage by name, whichever node added it."""
        await self._storages.load()
        return sorted((storage.record for storage in self._storages.all()), key=lambda each: each.name)

    async def add(self, description: Description) -> StorageId:
        """Add a storage after trying it; without an id it gets a new one.

        With the id of a storage that is known, and of the same kind, it takes that one's place.

        Raises: an OnedataError of a wrong description; BadValueIdentifierOccupied for a name that another
            has; AlreadyExists for the id of a storage of another kind; StorageTestFailed when it cannot be
            used now.
        """
        storage_id = description.storage_id or StorageId(new_id(self._random_bytes))
        records = await self.records()
        earlier = next((record for record in records if record.storage_id == storage_id), None)
        self._require_free_name(records, description.name, storage_id)
        record = self._new_record(storage_id, description, earlier)
        with _as_told(description.name or ""):
            await self._storages.add_storage(record)
        return storage_id

    async def get(self, storage_id: str) -> dict[str, object]:
        """Return a storage, without secrets. Raises: NotFound."""
        storage = await self._storage(storage_id)
        spaces = sorted(
            support.space_id for support in self._storages.supported() if storage in support.storages
        )
        return {
            **storage_json(storage.record, self._type(storage.record)),
            "verificationPassed": self._storages.is_healthy(storage.storage_id),
            "spaces": spaces,
        }

    async def modify(self, storage_id: str, change: Description) -> dict[str, object]:
        """Change what is named, the rest stays; the storage is tried before it counts.

        Raises: NotFound; an OnedataError of a wrong change, also of what stays as it was made; StorageInUse
            for another ``importedStorage`` while it supports spaces; StorageTestFailed.
        """
        for _ in range(_MOST_TRIES):
            storage = await self._storage(storage_id)
            self._require_free_name(await self.records(), change.name, storage.storage_id)
            with _as_told(storage.record.name):
                wanted = await self._storages.tried(self._changed(storage, change))
                try:
                    await self._storages.change_storage(
                        storage.storage_id, _replacing(storage.record, wanted)
                    )
                except _ChangedMeanwhile:
                    continue
            await self._clear_old_tables(storage.record, wanted)
            return await self.get(storage_id)
        raise PersistenceUnavailable("the storage is changed all the time")

    async def test(self, storage_id: str) -> dict[str, object]:
        """Try a storage; return each step with its outcome, how long it took, and the storage's own words.

        Raises: NotFound.
        """
        storage = await self._storage(storage_id)
        with _as_told(storage.record.name):
            report = await self._tests.test(storage.record)
        return {"steps": [_step_json(step) for step in report.steps]}

    async def remove(self, storage_id: str) -> None:
        """Forget a storage; its files stay. Raises: NotFound; StorageInUse while it supports spaces."""
        record = (await self._storage(storage_id)).record
        try:
            await self._storages.remove_storage(record.storage_id)
        except StorageInUseError:
            raise StorageInUse from None
        tables = self._mapping.table_set(record)
        if tables is not None:
            await self._mapping.tables.clear(tables)

    def _new_record(
        self, storage_id: StorageId, description: Description, earlier: StorageRecord | None
    ) -> StorageRecord:
        type_ = self._type_named(description.type or "")
        with _as_told(description.name or ""):
            parameters = taken_apart(type_, description.parameters)
        if earlier is None and type_.is_legacy:
            raise BadData("type", f"no storages of type {type_.name} are added any more")
        if earlier is not None and not _is_of_same_kind(type_, earlier, parameters):
            raise AlreadyExists
        before = FeedSettings() if earlier is None else FeedSettings.of(earlier)
        feed = FeedSettings.from_json(description.feed, before)
        return StorageRecord(
            storage_id=storage_id,
            name=description.name or "",
            type=type_.name,
            arguments=parameters.arguments,
            credentials=parameters.credentials,
            parameters=description.qos or {},
            users=feed.after(before, new_id(self._random_bytes)).to_users(),
            **description.flags,
        )

    def _changed(self, storage: Storage, change: Description) -> StorageRecord:
        record = storage.record
        if change.type not in (None, record.type):
            raise BadData("type", "it stays as it was when the storage was made")
        is_imported = change.flags.get("is_imported", record.is_imported)
        if is_imported != record.is_imported and self._supports_any(storage):
            raise StorageInUse
        old = Parameters(arguments=record.arguments, credentials=record.credentials)
        parameters = changed(self._type(record), old, change.parameters)
        before = FeedSettings.of(record)
        feed = FeedSettings.from_json(change.feed, before).after(before, new_id(self._random_bytes))
        return evolve(
            record,
            name=change.name or record.name,
            arguments=parameters.arguments,
            credentials=parameters.credentials,
            parameters=record.parameters if change.qos is None else change.qos,
            users=feed.to_users() if change.feed else record.users,
            **change.flags,
        )

    async def _clear_old_tables(self, before: StorageRecord, after: StorageRecord) -> None:
        old, new = self._mapping.table_set(before), self._mapping.table_set(after)
        if old is not None and new is not None and old.name != new.name:
            await self._mapping.tables.clear(old)
        await self._mapping.forget()

    def _supports_any(self, storage: Storage) -> bool:
        return any(storage in support.storages for support in self._storages.supported())

    def _require_free_name(
        self, records: list[StorageRecord], name: str | None, storage_id: StorageId
    ) -> None:
        if any(record.name == name and record.storage_id != storage_id for record in records):
            raise BadValueIdentifierOccupied("name")

    async def _storage(self, storage_id: str) -> Storage:
        await self._storages.load()
        storage = self._storages.get(StorageId(storage_id))
        if storage is None:
            raise NotFound
        return storage

    def _type(self, record: StorageRecord) -> StorageType:
        return self._type_named(record.type)

    def _type_named(self, name: str) -> StorageType:
        type_ = self._storages.types.get(name)
        if type_ is None:
            raise BadValueNotAllowed("type", list(self._storages.types))
        return type_


def storage_json(record: StorageRecord, type_: StorageType) -> dict[str, object]:
    """Return what is told of a storage; secrets are hidden."""
    parameters = Parameters(arguments=record.arguments, credentials=record.credentials)
    return {
        **shown(type_, parameters),
        "id": record.storage_id,
        "name": record.name,
        "type": record.type,
        "importedStorage": record.is_imported,
        "readonly": record.is_readonly,
        "skipStorageDetection": record.skips_detection,
        "draining": record.is_draining,
        "qosParameters": dict(record.parameters),
        **FeedSettings.of(record).to_json(),
    }


def _step_json(step: Step) -> dict[str, object]:
    return {
        "name": step.name,
        "outcome": step.outcome.value,
        "durationMs": round(1000 * step.took_s),
        "message": step.words,
    }


def _is_of_same_kind(type_: StorageType, earlier: StorageRecord, given: Parameters) -> bool:
    """Whether files of an earlier storage are found by a new one in its place."""
    if earlier.type != type_.name:
        return False
    before = stored(type_, earlier.arguments, earlier.credentials)
    after = stored(type_, given.arguments, given.credentials)
    fixed = [each.name for each in arguments_of(type_) if each.is_fixed]
    return all(before.text(name) == after.text(name) for name in fixed)


def _replacing(seen: StorageRecord, wanted: StorageRecord) -> Callable[[StorageRecord], StorageRecord]:
    def replace(present: StorageRecord) -> StorageRecord:
        if present != seen:
            raise _ChangedMeanwhile
        return wanted

    return replace


@contextmanager
def _as_told(name: str) -> Iterator[None]:
    """Turn what a storage of this name is refused for into what is told of it."""
    try:
        yield
    except BadStorageError as error:
        raise error.error or BadData(name, str(error)) from error
    except StorageError as error:
        operation = error.operation if isinstance(error, ProbeFailed) else "access"
        raise StorageTestFailed(operation) from error
