"""Reads the change feed, which holds every file once: which files there are, and what they all count."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Document, Engine, Key, Scope, Seq
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.pool import Blocking
from onedata.ids import SpaceId
from op_worker.files.stored.detached import LEASE
from op_worker.files.stored.documents import BASE, LOCATION, META
from op_worker.files.stored.hard_links import links_key
from op_worker.files.stored.nodes import Node
from op_worker.fsck.places import NAMED, roots
from op_worker.fsck.rules import counted, judge_links, names_of, readable
from op_worker.fsck.tally import Folder, Tally
from op_worker.fsck.walk import PAGE, Progress, Suspect

_TRIES = 300
_PAUSE_S = 0.01


@define(eq=False)
class FeedPass:
    """One reading of the feed from its beginning to its end, however far that moves meanwhile."""

    _engine: Engine
    _blocking: Blocking
    _tally: Tally
    _space_id: SpaceId
    _clock: IReactorTime
    _position: Seq = field(default=Seq(0), init=False)
    _is_whole: bool = field(default=True, init=False)

    async def catch_up(self, suspect: Suspect, progress: Progress, walked_before: Seq) -> bool:
        """Read to the end; whether directories changed after ``walked_before`` and wait for a walk."""
        scope, is_moved = Scope(self._space_id), False
        while changes := await self._engine.changes(scope, self._position, PAGE):
            keys = [change.key for change in changes]
            found = await self._engine.get_many(scope, keys, (*BASE, LEASE))
            rows, folders = [], []
            for change, documents in zip(changes, found, strict=True):
                rows.append((change.key, change.seq, self._counts(change.key, documents)))
                if change.seq > walked_before and self._is_directory(change.key, documents):
                    folders.append(Folder(change.key, "", NAMED))
                await self._judge_names(change.key, documents, suspect)
            await self._blocking.run(self._tally.file, rows)
            await self._blocking.run(self._tally.add, folders, (), ())
            is_moved = is_moved or bool(folders)
            self._position = changes[-1].seq
            progress(len(changes))
        return is_moved

    async def add(self, key: Key) -> None:
        """Let a file count that the feed does not tell of."""
        documents = await self._engine.get(Scope(self._space_id), key, BASE)
        counts = self._counts(key, documents)
        await self._blocking.run(self._tally.file, [(key, 0, counts)])

    async def counters(self, suspect: Suspect, progress: Progress) -> Mapping[str, int] | None:
        """Return the counters of a moment up to which the feed was read.

        ``None`` when no moment was quiet, or what a file counts cannot be read.
        """
        for _ in range(_TRIES):
            await self.catch_up(suspect, progress, self._position)
            stored = await self._engine.counters(Scope(self._space_id))
            if await self._engine.last_seq(Scope(self._space_id)) == self._position:
                return stored if self._is_whole else None
            await sleep(self._clock, _PAUSE_S)
        return None

    async def begin(self) -> Seq:
        """Return the number of the newest change."""
        return await self._engine.last_seq(Scope(self._space_id))

    def _counts(self, key: Key, documents: Mapping[str, Document]) -> Mapping[str, int] | None:
        if META not in documents:
            return None
        located = {LOCATION: documents[LOCATION]} if LOCATION in documents else {}
        if readable(key, located) is not None:
            self._is_whole = False
            return {}
        location = Node(key, "", located).location
        return {} if location is None else counted(location)

    def _is_directory(self, key: Key, documents: Mapping[str, Document]) -> bool:
        if META not in documents or readable(key, documents) is not None:
            return False
        return Node(key, "", documents).is_directory and key not in {one.key for one in roots(self._space_id)}

    async def _judge_names(self, key: Key, documents: Mapping[str, Document], suspect: Suspect) -> None:
        if META not in documents or readable(key, documents) is not None:
            return
        node = Node(key, "", documents)
        if key in {one.key for one in roots(self._space_id)}:
            return
        if (node.is_unusual and node.meta.links > 1) or not names_of(documents, 0):
            listed = await self._engine.count(Scope(self._space_id), links_key(key))
            for finding in judge_links(key, documents, listed):
                await suspect(finding)
