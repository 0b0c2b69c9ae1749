"""Searching a space: what the index finds, of it what the caller may see, a page at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Engine
from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.services import OrderedService
from onedata.errors import LimitReached, SearchDisabledForSpace, ServiceUnavailable
from onedata.ids import SpaceId, link_uuid, space_root_uuid
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileStat
from op_worker.files.translation import translated
from op_worker.search.compiling import Mark, Order, Statement, statement
from op_worker.search.grammar import parse_query
from op_worker.search.index import TooSlow
from op_worker.search.indexing import Indexing
from op_worker.search.switching import Switching
from op_worker.search.syntax import Query
from op_worker.search.tokens import mark_of, token_of
from op_worker.search.viewing import Viewing

PATIENCE_S = 2.0
"""How long a search waits for the index to have what was changed before it."""
QUERY_LIMIT_S = 2
PAGE_LIMIT_S = 2.0
"""A page ends after so long, however few of what was found the caller may see."""
_AT_ONCE = 100
_FEWEST_AT_ONCE = 10


@frozen
class Search:
    """What is searched for. ``descending`` turns the order round."""

    query: str
    order: Order = Order.NAME
    descending: bool = False
    limit: int = 100
    token: str | None = None

    @property
    def at_once(self) -> int:
        """How many results are looked at together."""
        return max(_FEWEST_AT_ONCE, min(self.limit, _AT_ONCE))


@frozen
class SearchPage:
    """Files found. ``seq`` is how far in the feed the index was; ``is_current`` that nothing was missing.

    A page may have fewer files than asked for; ``next_token`` is ``None`` after the last one.
    """

    files: Sequence[FileStat]
    next_token: str | None
    seq: int
    is_current: bool


class Searching(OrderedService):
    """Keeps indexes and answers searches. Raises what ``FileService`` raises.

    Args:
        spaces: those that we support.
        folder: where indexes are kept; ``None`` keeps them in memory.
        thread: runs one blocking call at a time.
    """

    def __init__(
        self,
        context: FilesContext,
        spaces: Callable[[], Collection[SpaceId]],
        folder: Path | None,
        *,
        thread: Blocking,
        clock: IReactorTime,
        query_limit_s: float = QUERY_LIMIT_S,
    ) -> None:
        super().__init__()
        self._context, self._thread, self._clock = context, thread, clock
        self._query_limit_s = query_limit_s
        self._engine: Engine = context.engine
        self._indexing = Indexing(context.engine, context.settings, folder, thread, clock)
        self._switching = Switching(context.engine, self._indexing, spaces, clock)
        self.reader = self._switching.reader
        for service in (self._switching.reader, self._switching):
            service.setServiceParent(self)

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop(super().stopService()))

    async def _stop(self, readers_ended: Deferred[None]) -> None:
        await readers_ended
        await self._indexing.close()

    @translated
    async def search(self, caller: Caller, space_id: SpaceId, search: Search) -> SearchPage:
        """Return a page of files of a space.

        Raises:
            SearchDisabledForSpace: it is not switched on.
            BadData: of ``query`` or ``token``.
            LimitReached: the search takes too long.
        """
        visit = await self._context.access.enter(caller, space_id)
        query = parse_query(search.query)
        bound = (space_id, search.query, search.order.value, str(search.descending))
        after = None if search.token is None else mark_of(search.token, *bound)
        _statement(visit, query, search, after)
        if not (await self._context.settings.of(space_id)).search:
            raise SearchDisabledForSpace()
        self._switching.switch_on(visit.scope)
        newest = await self._engine.last_seq(visit.scope)
        is_current = await self._indexing.caught_up(visit.scope, newest, PATIENCE_S)
        seq = (await self._indexing.index(visit.scope)).seq
        files, last = await self._collect(visit, query, search, after)
        token = None if last is None else token_of(last, *bound)
        return SearchPage(files, token, seq, is_current)

    async def _collect(
        self, visit: Visit, query: Query, search: Search, after: Mark | None
    ) -> tuple[list[FileStat], Mark | None]:
        """Return files that may be seen, and the mark to go on after unless that was all."""
        viewing = Viewing(self._context, visit, _statement(visit, query, search, after).reads_metadata)
        files: list[FileStat] = []
        end_s = self._clock.seconds() + PAGE_LIMIT_S
        while True:
            found = await self._select(visit, _statement(visit, query, search, after))
            is_all = len(found) < search.at_once
            keys = [link_uuid(link, uuid) if link else uuid for _, uuid, link in found]
            for at, stat in enumerate(await viewing.shown(keys)):
                after = Mark(*found[at])
                if stat is not None:
                    files.append(stat)
                if len(files) == search.limit:
                    return files, None if is_all and at + 1 == len(found) else after
            if is_all:
                return files, None
            if self._clock.seconds() >= end_s:
                return files, after

    async def _select(self, visit: Visit, wanted: Statement) -> list[tuple[str | int | float, str, str]]:
        index = await self._indexing.index(visit.scope)
        try:
            return await self._thread.run(index.select, wanted, self._query_limit_s)
        except TooSlow:
            raise LimitReached(QUERY_LIMIT_S, "seconds that a search may take") from None
        except sqlite3.Error as error:
            raise ServiceUnavailable() from error


def _statement(visit: Visit, query: Query, search: Search, after: Mark | None) -> Statement:
    root = space_root_uuid(visit.space_id)
    return statement(query, root, search.order, after, search.at_once, descending=search.descending)
