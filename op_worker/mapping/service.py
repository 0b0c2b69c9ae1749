"""The mapping of users: what the feed of a storage says, remembered for as long as it holds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from twisted.internet.interfaces import IReactorTime

from cluster_worker.feeds.following import Following
from cluster_worker.persistence.engine import Engine, Seq
from cluster_worker.runtime.services import OrderedService
from onedata.ids import GroupId, SpaceId, UserId
from op_worker.mapping.asking import Asking, AsksFeeds, Question
from op_worker.mapping.contract import UnmappedOwnerError
from op_worker.mapping.entries import Entry, OnedataSubject, SpaceIds, StorageUser, Table
from op_worker.mapping.feeds import Feed, FeedSettings
from op_worker.mapping.resolution import automatic_user
from op_worker.mapping.tables import PREFIX, PROVIDER, Tables, TableSet
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.zone.directory import Zone

_MOST_KNOWN = 50_000
_MOST_CHANGES = 1000


class UserMapping(OrderedService):
    """Answers from the records of each storage's feed; implements ``Owners``.

    What an external feed answered is kept in the tables, so it is asked once for each record; what it does
    not know it is asked again. Every method may raise PersistenceUnavailable.
    """

    def __init__(
        self, engine: Engine, zone: Zone, storages: Storages, external: AsksFeeds, clock: IReactorTime
    ) -> None:
        super().__init__()
        self._engine, self._zone, self._storages = engine, zone, storages
        self._known: OrderedDict[tuple[str, Table, str], Entry] = OrderedDict()
        self._seen = Seq(0)
        self.tables = Tables(engine)
        self._asking = Asking(external, self.tables, zone)
        self._asking.setServiceParent(self)
        self.changes = 0
        """Goes up whenever what was answered before may have become wrong."""
        Following(engine, PROVIDER, self._follow, clock).setServiceParent(self)

    def table_set(self, record: StorageRecord) -> TableSet | None:
        """Return the tables of a storage; ``None`` when its type is not known here."""
        type_ = self._storages.type_of(record)
        name = FeedSettings.of(record).tables or record.storage_id
        return None if type_ is None else TableSet(name, type_)

    async def storage_user(self, record: StorageRecord, user_id: UserId) -> StorageUser | None:
        """Return what the feed knows of a user; ``None`` stands for nothing."""
        tables = self.table_set(record)
        if FeedSettings.of(record).feed is Feed.AUTO:
            return automatic_user(user_id) if tables is not None and tables.type.is_posix else None
        found = await self._record(record, Table.USERS, user_id, {"onedataUserId": user_id})
        return found if isinstance(found, StorageUser) else None

    async def kept_user(self, record: StorageRecord, user_id: UserId) -> StorageUser | None:
        """Return what the tables hold of a user, whom no feed is asked about."""
        found = await self._kept(record, Table.USERS, user_id)
        return found if isinstance(found, StorageUser) else None

    async def space_defaults(self, record: StorageRecord, space_id: SpaceId) -> SpaceIds | None:
        """Return the default uid and gid of a space, as far as the feed tells them."""
        return await self._space_ids(record, Table.DEFAULTS, space_id)

    async def display_defaults(self, record: StorageRecord, space_id: SpaceId) -> SpaceIds | None:
        """Return the uid and gid that a space is shown with, as far as the feed tells them."""
        return await self._space_ids(record, Table.DISPLAY, space_id)

    async def owner_of(self, storage: StorageRecord, uid: int) -> UserId | None:
        found = await self._subject(storage, Table.OWNERS, str(uid), {"uid": uid})
        return None if found is None else UserId(found)

    async def user_of_acl(self, storage: StorageRecord, name: str) -> UserId | None:
        found = await self._subject(storage, Table.ACL_USERS, name, {"aclUser": name})
        return None if found is None else UserId(found)

    async def group_of_acl(self, storage: StorageRecord, name: str) -> GroupId | None:
        found = await self._subject(storage, Table.ACL_GROUPS, name, {"aclGroup": name})
        return None if found is None else GroupId(found)

    async def forget(self) -> None:
        """Read every record again when it is needed next."""
        self._known.clear()
        self.changes += 1

    async def _space_ids(self, record: StorageRecord, table: Table, space_id: SpaceId) -> SpaceIds | None:
        if FeedSettings.of(record).feed is Feed.AUTO:
            return None
        found = await self._record(record, table, space_id, {"spaceId": space_id})
        return found if isinstance(found, SpaceIds) else None

    async def _subject(
        self, record: StorageRecord, table: Table, key: str, question: Mapping[str, object]
    ) -> str | None:
        """Return the id of a user or group of ours. An identity provider's is known to the zone alone."""
        feed = FeedSettings.of(record).feed
        found = None if feed is Feed.AUTO else await self._record(record, table, key, question)
        if isinstance(found, OnedataSubject) and found.idp is None:
            return found.subject
        if feed is Feed.AUTO:
            return None
        raise UnmappedOwnerError(f"{key} is nobody of ours")

    async def _record(
        self, record: StorageRecord, table: Table, key: str, question: Mapping[str, object]
    ) -> Entry | None:
        found, tables = await self._kept(record, table, key), self.table_set(record)
        if found is not None or tables is None or FeedSettings.of(record).feed is not Feed.EXTERNAL:
            return found
        return await self._asking.ask(Question(record, tables, table, key, question))

    async def _kept(self, record: StorageRecord, table: Table, key: str) -> Entry | None:
        """Return a record of the tables, remembered until one of them changes."""
        tables = self.table_set(record)
        if tables is None:
            return None
        place, changes = (tables.name, table, key), self.changes
        if (known := self._known.get(place)) is not None:
            self._known.move_to_end(place)
            return known
        found = await self.tables.get(tables, table, key)
        if found is not None and changes == self.changes:
            self._known[place] = found
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return found

    async def _follow(self) -> None:
        """Forget what was answered when a record of any mapping changed, or the store lost changes."""
        found = await self._engine.changes(PROVIDER, self._seen, _MOST_CHANGES)
        last = await self._engine.last_seq(PROVIDER)
        is_lost = last < self._seen or len(found) == _MOST_CHANGES
        self._seen = found[-1].seq if found and not is_lost else last
        if is_lost or any(change.key.startswith(PREFIX) for change in found):
            await self.forget()
