"""Keeping the search indexes of this node up to date: a reader of the feeds of spaces."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.feeds.compaction import horizon_of
from cluster_worker.persistence.engine import (
    Change,
    Document,
    Engine,
    Key,
    PersistenceUnavailable,
    Scope,
    Seq,
)
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.pool import Blocking
from onedata.ids import SpaceId
from op_worker.files.metadata.custom import FIELDS, xattrs_of
from op_worker.files.settings import Settings
from op_worker.files.stored.documents import BASE, JSON, NAME, PARENT, RDF, decode_json
from op_worker.files.stored.hard_links import MAX_NAMES, links_key
from op_worker.files.stored.nodes import Node
from op_worker.search.index import Index, remove_files
from op_worker.search.schema import Indexed, NameRow, field_rows

_CUSTOM_AT_ONCE = 16
"""Custom metadata may take megabytes a file, so few files' are in memory at a time."""
_LOOK_S = 0.01


@define(eq=False)
class Indexing:
    """The indexes of spaces that can be searched; a ``Consumer`` of their feeds.

    Args:
        folder: where the indexes are kept; ``None`` keeps them in memory.
        thread: runs one blocking call at a time, so no index is used by two.
    """

    _engine: Engine
    _settings: Settings
    _folder: Path | None
    _thread: Blocking
    _clock: IReactorTime
    _open: dict[Scope, Index] = field(factory=dict)
    _absent: set[Scope] = field(factory=set)
    name: str = "search index"
    _log = Logger()

    async def position(self, scope: Scope) -> Seq | None:
        """Return how far the index is; ``None`` while search is off, when the index is removed."""
        if not (await self._settings.of(SpaceId(scope))).search:
            await self._remove(scope)
            return None
        return Seq((await self.index(scope)).seq)

    async def consume(self, scope: Scope, changes: Sequence[Change]) -> None:
        """Take changed files into the index together with the new position."""
        index = await self.index(scope)
        keys = [change.key for change in changes]
        files = await self._read(scope, keys)
        await self._in_thread(scope, lambda: index.apply(changes[-1].seq, files))

    async def index(self, scope: Scope) -> Index:
        """Return the index of a space, opened or made. Raises: PersistenceUnavailable."""
        if scope not in self._open:
            await self._in_thread(scope, lambda: self._open_index(scope))
            if await self._is_out_of_touch(scope, self._open[scope].seq):
                await self._remove(scope)
                await self._in_thread(scope, lambda: self._open_index(scope))
        return self._open[scope]

    async def _is_out_of_touch(self, scope: Scope, seq: int) -> bool:
        """Whether the feed cannot be read on from here: it is another one, or forgot removals meanwhile."""
        is_ahead = seq > await self._engine.last_seq(scope)
        return is_ahead or 0 < seq < await horizon_of(self._engine, scope)

    async def caught_up(self, scope: Scope, seq: Seq, patience_s: float) -> bool:
        """Return whether the index has everything up to ``seq``, after waiting for it a while."""
        end_s = self._clock.seconds() + patience_s
        while (index := await self.index(scope)).seq < seq:
            if self._clock.seconds() >= end_s:
                return False
            await sleep(self._clock, _LOOK_S)
        return index.seq >= seq

    async def close(self) -> None:
        """Close every index."""
        indexes = list(self._open.values())
        self._open.clear()
        for index in indexes:
            await self._thread.run(index.close)

    def _open_index(self, scope: Scope) -> None:
        if scope not in self._open:
            self._absent.discard(scope)
            self._open[scope] = Index(self._file(scope))

    async def _remove(self, scope: Scope) -> None:
        index = self._open.pop(scope, None)
        if index is not None:
            await self._in_thread(scope, index.remove)
        elif self._folder is not None and scope not in self._absent:
            await self._thread.run(remove_files, self._file(scope))
        self._absent.add(scope)

    def _file(self, scope: Scope) -> Path | None:
        return None if self._folder is None else self._folder / f"{scope}.sqlite"

    async def _in_thread(self, scope: Scope, work: Callable[[], None]) -> None:
        """Run a call on an index; one that turns out to be broken is thrown away."""
        try:
            await self._thread.run(work)
        except sqlite3.OperationalError as error:
            raise PersistenceUnavailable(f"the search index of {scope}: {error}") from error
        except sqlite3.DatabaseError as error:
            self._log.error("the search index of {scope} is made anew: {error}", scope=scope, error=error)
            index = self._open.pop(scope, None)
            if index is not None:
                await self._thread.run(index.remove)
            raise PersistenceUnavailable(f"the search index of {scope}: {error}") from error

    async def _read(self, scope: Scope, keys: Sequence[Key]) -> dict[str, Indexed | None]:
        found = await self._engine.get_many(scope, keys, BASE)
        nodes = [Node(key, "", documents) for key, documents in zip(keys, found, strict=True)]
        files: dict[str, Indexed | None] = dict.fromkeys(map(str, keys))
        named = [(node, await self._names(scope, node)) for node in nodes if node.exists]
        plain: list[_Read] = [(node, names, {}) for node, names in named if not node.meta.has_metadata]
        files.update(await self._thread.run(_indexed, plain))
        rich = [(node, names) for node, names in named if node.meta.has_metadata]
        for start in range(0, len(rich), _CUSTOM_AT_ONCE):
            part = rich[start : start + _CUSTOM_AT_ONCE]
            custom = await self._engine.get_many(scope, [node.key for node, _ in part], FIELDS)
            whole = [(*each, documents) for each, documents in zip(part, custom, strict=True)]
            files.update(await self._thread.run(_indexed, whole))
        return files

    async def _names(self, scope: Scope, node: Node) -> list[NameRow]:
        """Return every name of a file. The root of a space has none."""
        parent = node.parent_key
        names: list[NameRow] = [] if parent is None else [("", parent, node.meta.name)]
        if node.meta.links > len(names) and not node.is_directory:
            links = await self._engine.page(scope, links_key(node.key), None, MAX_NAMES, (NAME, PARENT))
            for link in links:
                if NAME in link.documents:
                    place, name = link.documents[PARENT].data.decode(), link.documents[NAME].data.decode()
                    names.append((link.entry.name.decode(), place, name))
        return names


_Read = tuple[Node, Sequence[NameRow], Mapping[str, Document]]
"""A file with its names and its custom metadata."""


def _indexed(files: Sequence[_Read]) -> dict[str, Indexed]:
    """Return the rows of files by their uuids; takes time when their metadata are large."""
    return {node.key: _rows(node, names, custom) for node, names, custom in files}


def _rows(node: Node, names: Sequence[NameRow], custom: Mapping[str, Document]) -> Indexed:
    meta, times, location = node.meta, node.times, node.location
    xattrs = xattrs_of(custom)
    has_json = JSON in custom
    return Indexed(
        names,
        (
            *(meta.type.value, None if location is None else location.size_b, meta.mode, meta.owner),
            *(times.mtime_ms / 1000, times.atime_ms / 1000, times.ctime_ms / 1000, float(meta.created_s)),
            *(bool(xattrs), has_json, RDF in custom),
        ),
        field_rows(xattrs, decode_json(custom[JSON].data) if has_json else None, has_document=has_json),
    )
