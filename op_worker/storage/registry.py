"""The storages of this provider, which space each supports, and the table of storage types."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from attrs import frozen
from twisted.internet.defer import Deferred

from cluster_worker.persistence.engine import Batch, Delete, Engine, Key, Put, Scope
from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.services import TaskService
from onedata.ids import SpaceId, StorageId
from op_worker.storage.helper import (
    StorageHelper,
    SupportsDirectories,
    SupportsOpenWithFirst,
    SupportsRename,
    SupportsWholeWrites,
)
from op_worker.storage.memory import MemoryHelper
from op_worker.storage.null import NullHelper
from op_worker.storage.posix import Durability, PosixHelper
from op_worker.storage.records import StorageRecord, SupportRecord

PROVIDER = Scope("provider")
STORAGES = Key("storages")
SUPPORTS = Key("supports")


class BadStorageError(Exception):
    """A storage cannot be made from its record; the text says what to change."""


class StorageInUseError(Exception):
    """A storage still supports spaces."""


@frozen
class HelperSurroundings:
    """What helpers are made with besides their own arguments."""

    blocking: Blocking
    durability: Durability


HelperFactory = Callable[[StorageRecord, HelperSurroundings], StorageHelper]


def _posix(record: StorageRecord, surroundings: HelperSurroundings) -> StorageHelper:
    mount_point = record.arguments.get("mountPoint", "")
    if not mount_point.startswith("/"):
        raise BadStorageError("a posix storage needs an absolute mountPoint")
    return PosixHelper(mount_point, surroundings.blocking, surroundings.durability)


FACTORIES: Mapping[str, HelperFactory] = {
    "posix": _posix,
    "memory": lambda record, surroundings: MemoryHelper(),
    "nulldevice": lambda record, surroundings: NullHelper(),
}
"""Every storage type that can be added."""


@frozen(eq=False)
class Storage:
    """A storage ready for use: its record, its helper, and the powers that the helper has."""

    record: StorageRecord
    helper: StorageHelper
    renames: SupportsRename | None
    directories: SupportsDirectories | None
    first: SupportsOpenWithFirst | None
    whole: SupportsWholeWrites | None

    @classmethod
    def of(cls, record: StorageRecord, helper: StorageHelper) -> Storage:
        """Ask the helper for its powers, once."""
        return cls(
            record,
            helper,
            helper if isinstance(helper, SupportsRename) else None,
            helper if isinstance(helper, SupportsDirectories) else None,
            helper if isinstance(helper, SupportsOpenWithFirst) else None,
            helper if isinstance(helper, SupportsWholeWrites) else None,
        )

    @property
    def storage_id(self) -> StorageId:
        return self.record.storage_id


@frozen(eq=False)
class Support:
    """The storage that supports a space, with the most bytes it gives."""

    space_id: SpaceId
    storage: Storage
    size_b: int


class Storages(TaskService):
    """Storages and supports, kept in the engine; changes made by other nodes arrive by its feed.

    Call ``load`` before the first use.
    """

    def __init__(
        self,
        engine: Engine,
        blocking: Blocking,
        durability: Durability = Durability.PROCESS,
        factories: Mapping[str, HelperFactory] = FACTORIES,
    ) -> None:
        super().__init__()
        self._engine = engine
        self._surroundings = HelperSurroundings(blocking, durability)
        self._factories = factories
        self._storages: dict[StorageId, Storage] = {}
        self._supports: dict[SpaceId, Support] = {}
        self._unwatch: Callable[[], None] | None = None

    def startService(self) -> None:
        super().startService()
        self._unwatch = self._engine.watch(self._moved)

    def stopService(self) -> Deferred[None]:
        if self._unwatch is not None:
            self._unwatch()
        return super().stopService()

    async def load(self) -> None:
        """Read everything anew; storages that did not change keep their helpers."""
        records = await self._engine.get_all(PROVIDER, STORAGES)
        supports = await self._engine.get_all(PROVIDER, SUPPORTS)
        kept = self._storages
        self._storages = {}
        for storage_id, document in records.items():
            record = StorageRecord.decode(storage_id, document.data)
            known = kept.get(record.storage_id)
            fresh = known is None or known.record != record
            self._storages[record.storage_id] = self._made(record) if fresh or known is None else known
        self._supports = {}
        for space_id, document in supports.items():
            self._add_support(SupportRecord.decode(space_id, document.data))

    @property
    def blocking(self) -> Blocking:
        """The pool that storage calls run on."""
        return self._surroundings.blocking

    def all(self) -> Collection[Storage]:
        """Return every storage."""
        return self._storages.values()

    def supported(self) -> Collection[Support]:
        """Return every support."""
        return self._supports.values()

    def get(self, storage_id: StorageId) -> Storage | None:
        """Return a storage."""
        return self._storages.get(storage_id)

    def for_space(self, space_id: SpaceId) -> Support | None:
        """Return the support of a space; ``None`` when this provider gives it none."""
        return self._supports.get(space_id)

    async def add_storage(self, record: StorageRecord) -> Storage:
        """Add or replace a storage, after trying whether it can be used.

        Raises: BadStorageError; StorageUnavailable.
        """
        storage = self._made(record)
        await storage.helper.check()
        await self._commit(Put(STORAGES, record.storage_id, record.encode()), STORAGES)
        self._storages[record.storage_id] = storage
        return storage

    async def remove_storage(self, storage_id: StorageId) -> None:
        """Forget a storage; its files stay. Raises: StorageInUseError."""
        if any(support.storage.storage_id == storage_id for support in self._supports.values()):
            raise StorageInUseError(storage_id)
        await self._commit(Delete(STORAGES, storage_id), STORAGES)
        self._storages.pop(storage_id, None)

    async def support(self, space_id: SpaceId, storage_id: StorageId, size_b: int) -> Support:
        """Support a space with ``size_b`` bytes of a storage, or change the size.

        Raises: BadStorageError when there is no such storage.
        """
        if storage_id not in self._storages:
            raise BadStorageError(f"there is no storage {storage_id}")
        record = SupportRecord(space_id=space_id, storage_id=storage_id, size_b=size_b)
        await self._commit(Put(SUPPORTS, space_id, record.encode()), SUPPORTS)
        self._add_support(record)
        return self._supports[space_id]

    async def remove_support(self, space_id: SpaceId) -> None:
        """End the support of a space; its files stay on the storage."""
        await self._commit(Delete(SUPPORTS, space_id), SUPPORTS)
        self._supports.pop(space_id, None)

    async def _commit(self, step: Put | Delete, key: Key) -> None:
        await self._engine.commit(PROVIDER, Batch([step], announce=[key]))

    def _made(self, record: StorageRecord) -> Storage:
        factory = self._factories.get(record.type)
        if factory is None:
            raise BadStorageError(f"storage type {record.type} is none of {', '.join(self._factories)}")
        return Storage.of(record, factory(record, self._surroundings))

    def _add_support(self, record: SupportRecord) -> None:
        storage = self._storages.get(record.storage_id)
        if storage is not None:
            self._supports[record.space_id] = Support(record.space_id, storage, record.size_b)

    def _moved(self, scope: Scope) -> None:
        if scope == PROVIDER:
            self.spawn("reload storages", self.load())
