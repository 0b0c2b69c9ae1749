"""What external feeds answer: each question is asked once at a time, and an answer is kept in the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from cluster_worker.runtime.services import TaskService
from onedata.errors import NoConnectionToOnezone, NotFound, OnedataError
from onedata.ids import UserId
from op_worker.mapping.entries import Entry, Table, entry_of
from op_worker.mapping.external import FeedUnavailable
from op_worker.mapping.feeds import FeedSettings
from op_worker.mapping.tables import Tables, TableSet
from op_worker.storage.records import StorageRecord
from op_worker.zone.directory import Zone


class AsksFeeds(Protocol):
    """Asks the servers of external feeds; see ``ExternalFeed``."""

    async def ask(
        self, feed: FeedSettings, table: Table, question: Mapping[str, object]
    ) -> object | None: ...


@frozen(eq=False)
class Question:
    """A record that an external feed may know, and what it is asked by."""

    record: StorageRecord
    tables: TableSet
    table: Table
    key: str
    details: Mapping[str, object]

    @property
    def place(self) -> tuple[str, Table, str]:
        """What is the same for the same question."""
        return self.tables.name, self.table, self.key


class Asking(TaskService):
    """Asks; whoever has the same question meanwhile gets the same answer.

    The answer is not lost when those who asked have given up.
    """

    _log = Logger()

    def __init__(self, feeds: AsksFeeds, tables: Tables, zone: Zone) -> None:
        super().__init__()
        self._feeds, self._tables, self._zone = feeds, tables, zone
        self._waiting: dict[tuple[str, Table, str], list[Deferred[Entry | None]]] = {}

    async def ask(self, question: Question) -> Entry | None:
        """Return what the feed knows. A feed that fails knows nothing, this once.

        Raises: PersistenceUnavailable when the answer cannot be kept.
        """
        is_first = question.place not in self._waiting
        waiting = self._waiting.setdefault(question.place, [])
        answer: Deferred[Entry | None] = Deferred(waiting.remove)
        waiting.append(answer)
        if is_first:
            self.spawn("ask a feed of users", self._answer(question))
        return await answer

    async def _answer(self, question: Question) -> None:
        result: Entry | Failure | None
        try:
            result = await self._asked(question)
        except Exception:  # noqa: BLE001 - it is of those who asked
            result = Failure()
        for waiter in self._waiting.pop(question.place):
            waiter.callback(result)

    async def _asked(self, question: Question) -> Entry | None:
        record, table, key = question.record, question.table, question.key
        whole: dict[str, object] = {"storageId": record.storage_id, **question.details}
        if table is Table.USERS:
            whole |= await self._description(UserId(key))
        try:
            answer = await self._feeds.ask(FeedSettings.of(record), table, whole)
            found = None if answer is None else entry_of(table, question.tables.type, answer)
        except (FeedUnavailable, OnedataError) as error:
            self._log.warn(
                "the feed of users of storage {name} is of no use for {table}: {error}",
                name=record.name,
                table=table.value,
                error=str(error),
            )
            return None
        if found is not None:
            await self._tables.put(question.tables, table, key, found)
        return found

    async def _description(self, user_id: UserId) -> dict[str, object]:
        """Return what a feed is told of a user, as far as he is known here."""
        try:
            username = (await self._zone.user(user_id)).username
        except (NotFound, NoConnectionToOnezone):
            username = None
        details: Mapping[str, object] = {
            "id": user_id,
            "username": username,
            "emails": [],
            "linkedAccounts": [],
        }
        return {"idpIdentities": [], "userDetails": details, "additionalUserDetails": details}
