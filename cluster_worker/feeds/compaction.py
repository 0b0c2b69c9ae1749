"""Forgetting in feeds what has long been gone, so that they do not grow with everything that ever was.

A feed keeps every key at the number of its last change, also keys that were removed. Their entries are
dropped when they are older than ``KEEP_S`` and every reader with a shared position is past them. First the
horizon is written, then entries are dropped, so whoever reads from before it can be told in time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from attrs import evolve
from twisted.logger import Logger

from cluster_worker.feeds.history import MARK_EVERY_S, FeedHistory
from cluster_worker.feeds.position import POSITIONS
from cluster_worker.persistence.engine import (
    ABSENT,
    Batch,
    Engine,
    Key,
    PersistenceError,
    PreconditionFailed,
    Put,
    Scope,
    Seq,
)
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.services import OrderedService
from cluster_worker.tenure.tenure import Tenure
from cluster_worker.tenure.works import Works

HISTORY = Key("feed")
"""The document that a scope's history is kept in."""
_FIELD = "h"
_PAGE = 500


async def horizon_of(engine: Engine, scope: Scope) -> int:
    """Return the number up to which what is gone was forgotten."""
    return (await _load(engine, scope))[0].horizon


async def _load(engine: Engine, scope: Scope) -> tuple[FeedHistory, int]:
    found = (await engine.get(scope, HISTORY, [_FIELD])).get(_FIELD)
    return (FeedHistory(), ABSENT) if found is None else (FeedHistory.decode(found.data), found.revision)


class FeedCompaction(OrderedService):
    """Looks after the feeds of scopes once an hour, on one node.

    Args:
        scopes: which feeds; asked again at each look.
        field: a document that a key has for as long as it is there.
        is_forgettable: whether a key is of the kind that comes and goes, and never comes again.
    """

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        scopes: Callable[[], Collection[Scope]],
        *,
        field: str,
        is_forgettable: Callable[[Key], bool],
        wall_clock: WallClock,
        works: Works,
    ) -> None:
        super().__init__()
        self._engine, self._scopes, self._wall_clock = engine, scopes, wall_clock
        self._field, self._is_forgettable = field, is_forgettable
        works.one("compaction of feeds", self._compact_all, MARK_EVERY_S).setServiceParent(self)

    async def _compact_all(self, tenure: Tenure) -> None:
        for scope in list(self._scopes()):
            tenure.require()
            try:
                await self.compact(scope)
            except PreconditionFailed:
                self._log.debug("another node compacts the feed of {scope}", scope=scope)
            except PersistenceError as error:
                self._log.warn("feed {scope} is compacted later: {error}", scope=scope, error=error)

    async def compact(self, scope: Scope) -> None:
        """Take note of the time, and forget what may be forgotten now.

        Raises: PreconditionFailed when another node does so at the same time; PersistenceUnavailable.
        """
        engine, now_s = self._engine, self._wall_clock()
        history, revision = await _load(engine, scope)
        stored = (await engine.get_all(scope, POSITIONS)).values()
        positions = [int.from_bytes(document.data, "big") for document in stored]
        newest = await engine.last_seq(scope)
        wanted = history.advanced(positions, now_s).marked(newest, now_s)
        if wanted != history:
            revision = await self._store(scope, wanted, revision)
        if wanted.swept < wanted.horizon:
            count = await self._sweep(scope, wanted.swept, wanted.horizon)
            await self._store(scope, evolve(wanted, swept=wanted.horizon), revision)
            self._log.info(
                "the feed of {scope} forgot {count} keys that are gone since before number {horizon}",
                scope=scope,
                count=count,
                horizon=wanted.horizon,
            )

    async def _store(self, scope: Scope, history: FeedHistory, revision: int) -> int:
        step = Put(HISTORY, _FIELD, history.encode(), expect=revision)
        await self._engine.commit(scope, Batch([step]))
        return revision + 1

    async def _sweep(self, scope: Scope, after: int, until: int) -> int:
        """Drop entries of keys that are no more, numbered above ``after`` and up to ``until``."""
        engine, count, at = self._engine, 0, Seq(after)
        while changes := await engine.changes(scope, at, _PAGE):
            at = changes[-1].seq
            old = [each for each in changes if each.seq <= until and self._is_forgettable(each.key)]
            found = await engine.get_many(scope, [each.key for each in old], [self._field])
            gone = [each for each, documents in zip(old, found, strict=True) if not documents]
            await engine.forget(scope, gone)
            count += len(gone)
            if at >= until:
                break
        return count
