"""The storages of this provider, and which space each supports, as every node knows them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.feeds.following import Following
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
from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.services import OrderedService
from onedata.errors import BadValueNotAllowed
from onedata.ids import SpaceId, StorageId
from op_worker.storage.capabilities import check_flags
from op_worker.storage.capacities import Capacities
from op_worker.storage.catalogue import TYPES
from op_worker.storage.config import StorageSection
from op_worker.storage.health.probe import Detect, available
from op_worker.storage.helper import (
    StorageHelper,
    SupportsUsers,
)
from op_worker.storage.parameters import checked, path_type, stored
from op_worker.storage.records import StorageRecord, SupportRecord
from op_worker.storage.retiring import Retiring
from op_worker.storage.stack import Stack
from op_worker.storage.supports import Backing, Storage, Support
from op_worker.storage.types import (
    BadStorageError,
    Durability,
    HelperSurroundings,
    StorageType,
)
from op_worker.storage.verdict import Verdict
from op_worker.storage.wrappers.measured import StorageTally

PROVIDER = Scope("provider")
STORAGES = Key("storages")
SUPPORTS = Key("supports")
_MOST_TRIES = 20


class StorageInUseError(Exception):
    """A storage still supports spaces."""


class Storages(OrderedService):
    """Storages and supports, kept in the engine; changes made by other nodes arrive by its feed.

    Call ``load`` before the first use. Questions are answered from memory; what changes something is decided
    on what the store holds then.
    """

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        blocking: Blocking,
        clock: IReactorTime,
        durability: Durability = Durability.PROCESS,
        types: Mapping[str, StorageType] = TYPES,
        *,
        settings: StorageSection | None = None,
        detect: Detect = available,
    ) -> None:
        super().__init__()
        self._detect = detect
        self._settings = settings or StorageSection()
        self._engine = engine
        self._surroundings = HelperSurroundings(blocking, durability, clock)
        self._types = types
        self._storages: dict[StorageId, Storage] = {}
        self._supports: dict[SpaceId, Support] = {}
        self._locks = KeyedLocks()
        Following(engine, PROVIDER, self.load, clock).setServiceParent(self)
        self._tallies: dict[StorageId, StorageTally] = {}
        self.clock = clock
        self.capacities = Capacities(clock)
        self._verdicts: dict[StorageId, Verdict] = {}
        self._retiring = Retiring(clock)
        self._retiring.setServiceParent(self)

    async def load(self) -> None:
        """Read everything anew; storages that did not change keep their helpers.

        A storage that cannot be made here, such as one of a type that only newer nodes know, is left out.

        Raises: PersistenceUnavailable.
        """
        async with self._locks.hold(PROVIDER):
            records = await self._engine.get_all(PROVIDER, STORAGES)
            supports = await self._engine.get_all(PROVIDER, SUPPORTS)
            decoded = [StorageRecord.decode(each, document.data) for each, document in records.items()]
            made = map(self._kept_or_made, decoded)
            before = self._storages
            self._storages = {storage.storage_id: storage for storage in made if storage is not None}
            self._retire(before)
            self._supports = {}
            for space_id, document in supports.items():
                self._add_support(SupportRecord.decode(space_id, document.data))

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop())

    def is_healthy(self, storage_id: StorageId) -> bool:
        """Whether a storage can be used, as the last check found it."""
        verdict = self._verdicts.get(storage_id)
        return verdict is None or verdict.is_healthy

    @property
    def settings(self) -> StorageSection:
        """How storages are used and watched."""
        return self._settings

    def helper_of(self, record: StorageRecord) -> StorageHelper:
        """Return a helper of a storage, known or not; whoever asks closes it. Raises: BadStorageError."""
        return self._made(record).inner

    def checked(self, record: StorageRecord) -> StorageRecord:
        """Return a record with all parameters checked and defaults put in. Raises: BadStorageError."""
        return self._checked(record)

    @property
    def blocking(self) -> Blocking:
        """The pool that storage calls run on."""
        return self._surroundings.blocking

    def all(self) -> Collection[Storage]:
        """Return every storage."""
        return self._storages.values()

    def counted(self) -> Iterable[tuple[StorageRecord, StorageTally]]:
        """Return every storage's record with what was counted of it."""
        return [(storage.record, self._tallies[storage.storage_id]) for storage in self.all()]

    def supported(self) -> Collection[Support]:
        """Return every support."""
        return self._supports.values()

    def get(self, storage_id: StorageId) -> Storage | None:
        """Return a storage."""
        return self._storages.get(storage_id)

    @property
    def types(self) -> Mapping[str, StorageType]:
        """Every type of storage that can be added, by name."""
        return self._types

    def type_of(self, record: StorageRecord) -> StorageType | None:
        """Return what kind of storage a record speaks of; ``None`` for one that only newer nodes know."""
        return self._types.get(record.type)

    @property
    def posix_types(self) -> list[str]:
        """The types of storage where users act under a uid and a gid."""
        return [type_.name for type_ in self._types.values() if type_.is_posix]

    def as_user(self, storage: Storage, credentials: Mapping[str, str]) -> Storage:
        """Return a storage as somebody with these credentials, in the place of its own, sees it.

        Raises: BadStorageError.
        """
        record = storage.record
        if isinstance(storage.inner, SupportsUsers):
            helper = storage.inner.for_user(credentials)
        else:
            type_ = self._types[record.type]
            theirs = stored(type_, record.arguments, {**record.credentials, **credentials})
            helper = type_.make(theirs, self._surroundings)
        return Storage.of(record, helper, storage.stack, storage.path_type)

    def for_space(self, space_id: SpaceId) -> Support | None:
        """Return the support of a space; ``None`` when this provider gives it none."""
        return self._supports.get(space_id)

    async def add_storage(self, record: StorageRecord) -> Storage:
        """Add or replace a storage, after its parameters were checked and the storage was tried.

        What is kept are the values with defaults put in, so that files are found when a default changes.

        Raises: BadStorageError; StorageError, such as StorageUnavailable.
        """
        record = await self.tried(record)
        await self._commit([Put(STORAGES, record.storage_id, record.encode())])
        added = self._storages[record.storage_id]
        added.stack.verdict.problem = ""
        return added

    async def tried(self, record: StorageRecord) -> StorageRecord:
        """Return a record with defaults put in, checked, of a storage that works; nothing is kept.

        Raises: BadStorageError; StorageError.
        """
        trial = self._made(self._checked(record))
        try:
            await self._detect(trial.record, trial.inner)
        finally:
            await self._retiring.close(trial)
        trial.stack.verdict.problem = ""
        return trial.record

    async def change_storage(
        self, storage_id: StorageId, change: Callable[[StorageRecord], StorageRecord]
    ) -> None:
        """Change what is kept of a storage, decided on what is kept now. Whether it works is not tried.

        Raises: BadStorageError when there is no such storage; what ``change`` raises.
        """

        async def decide() -> list[Step]:
            stored = await self._stored(storage_id)
            if stored is None:
                raise BadStorageError(f"there is no storage {storage_id}")
            changed = change(StorageRecord.decode(storage_id, stored.data))
            return [Put(STORAGES, storage_id, changed.encode(), expect=stored.revision)]

        await self._retrying(decide)

    async def remove_storage(self, storage_id: StorageId) -> None:
        """Forget a storage; its files stay. Raises: StorageInUseError."""

        async def decide() -> list[Step]:
            stored = await self._stored(storage_id)
            supports = await self._engine.get_all(PROVIDER, SUPPORTS)
            records = [SupportRecord.decode(each, document.data) for each, document in supports.items()]
            if any(storage_id in record.sizes_b for record in records):
                raise StorageInUseError(storage_id)
            return [] if stored is None else [Delete(STORAGES, storage_id, expect=stored.revision)]

        await self._retrying(decide)

    async def support(self, space_id: SpaceId, storage_id: StorageId, size_b: int) -> Support:
        """Support a space with ``size_b`` bytes of a storage, besides others that do so, or change the size.

        Raises: BadStorageError when there is no such storage.
        """

        async def decide() -> list[Step]:
            stored = await self._stored(storage_id)
            if stored is None:
                raise BadStorageError(f"there is no storage {storage_id}")
            found = await self._stored_support(space_id)
            record = SupportRecord(space_id=space_id, sizes_b={storage_id: size_b})
            if found is not None:
                record = SupportRecord.decode(space_id, found.data)
                record = evolve(record, sizes_b={**record.sizes_b, storage_id: size_b})
            return [
                Put(SUPPORTS, space_id, record.encode(), ABSENT if found is None else found.revision),
                Put(STORAGES, storage_id, stored.data, expect=stored.revision),  # so that none removes it
            ]

        await self._retrying(decide)
        support = self._supports.get(space_id)
        if support is None:
            raise BadStorageError(f"the storage {storage_id} cannot be used by this node")
        return support

    async def withdraw(self, space_id: SpaceId, storage_id: StorageId) -> None:
        """End the support of a space by one storage, whose files stay; with the last one the support ends.

        When it was the first, names are kept on none from then on.
        """

        async def decide() -> list[Step]:
            found = await self._stored_support(space_id)
            if found is None:
                return []
            record = SupportRecord.decode(space_id, found.data)
            left = {one: size_b for one, size_b in record.sizes_b.items() if one != storage_id}
            if not left:
                return [Delete(SUPPORTS, space_id, expect=found.revision)]
            is_same = next(iter(left)) == next(iter(record.sizes_b))
            after = evolve(record, sizes_b=left, keeps_names=record.keeps_names and is_same)
            return [Put(SUPPORTS, space_id, after.encode(), found.revision)]

        await self._retrying(decide)

    async def remove_support(self, space_id: SpaceId) -> None:
        """End the support of a space; its files stay on the storage."""
        await self._commit([Delete(SUPPORTS, space_id)])

    async def _stop(self) -> None:
        await super().stopService()
        for storage in self._storages.values():
            await self._retiring.close(storage)

    async def _retrying(self, decide: Callable[[], Awaitable[Sequence[Step]]]) -> None:
        for _ in range(_MOST_TRIES):
            try:
                await self._commit(await decide())
            except PreconditionFailed:
                continue  # another node was faster
            return
        raise PersistenceUnavailable("the storages are changed all the time")

    async def _commit(self, steps: Sequence[Step]) -> None:
        """Commit changes, and know them when this returns."""
        if steps:
            await self._engine.commit(PROVIDER, Batch(steps, announce=[STORAGES]))
        await self.load()

    async def _stored(self, storage_id: StorageId) -> Document | None:
        return (await self._engine.get(PROVIDER, STORAGES, [storage_id])).get(storage_id)

    async def _stored_support(self, space_id: SpaceId) -> Document | None:
        return (await self._engine.get(PROVIDER, SUPPORTS, [space_id])).get(space_id)

    def _kept_or_made(self, record: StorageRecord) -> Storage | None:
        known = self._storages.get(record.storage_id)
        if known is not None and known.record == record:
            return known
        if known is not None and _is_used_alike(known.record, record):
            return evolve(known, record=record)
        try:
            return self._made(record)
        except BadStorageError as error:
            self._log.error("storage {name} cannot be used here: {error}", name=record.name, error=error)
            return None

    def _retire(self, before: Mapping[StorageId, Storage]) -> None:
        """Let go of helpers that were replaced or whose storages were removed, once nothing uses them."""
        used = {id(storage.inner) for storage in self._storages.values()}
        for storage in before.values():
            if id(storage.inner) not in used:
                self._retiring.retire(storage)
        for storage_id in self._verdicts.keys() - self._storages.keys():
            del self._verdicts[storage_id]

    def _checked(self, record: StorageRecord) -> StorageRecord:
        type_ = self._type_of(record)
        parameters = checked(type_, record.arguments, record.credentials)
        check_flags(type_, parameters, record)
        return evolve(record, arguments=parameters.arguments, credentials=parameters.credentials)

    def _type_of(self, record: StorageRecord) -> StorageType:
        type_ = self._types.get(record.type)
        if type_ is None:
            names = list(self._types)
            raise BadStorageError(
                f"storage type {record.type} is none of {', '.join(names)}", BadValueNotAllowed("type", names)
            )
        return type_

    def _made(self, record: StorageRecord) -> Storage:
        type_ = self._type_of(record)
        parameters = stored(type_, record.arguments, record.credentials)
        helper = type_.make(parameters, self._surroundings)
        stack = Stack(
            record,
            type_,
            parameters,
            clock=self._surroundings.reactor,
            settings=self._settings,
            tally=self._tallies.setdefault(record.storage_id, StorageTally()),
            verdict=self._verdicts.setdefault(record.storage_id, Verdict()),
        )
        return Storage.of(record, helper, stack, path_type(parameters))

    def _add_support(self, record: SupportRecord) -> None:
        """Know a support as far as its storages can be used here; without its first one there is none."""
        first = next(iter(record.sizes_b))
        backings = [
            Backing(storage, size_b)
            for storage_id, size_b in record.sizes_b.items()
            if (storage := self._storages.get(storage_id)) is not None
        ]
        if first in self._storages:
            self._supports[record.space_id] = Support(record.space_id, backings, record.keeps_names)


def _is_used_alike(one: StorageRecord, other: StorageRecord) -> bool:
    """Whether a helper made for one record does for the other: what is different is not its business."""

    def matters(record: StorageRecord) -> tuple[object, ...]:
        flags = (record.is_imported, record.is_readonly)
        return (record.type, dict(record.arguments), dict(record.credentials), flags)

    return matters(one) == matters(other)
