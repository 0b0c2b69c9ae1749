"""One stream of changes: the feed of a space from a number on, as far as its client reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import Change, Document, Key, PersistenceUnavailable, Seq
from cluster_worker.runtime.clock import sleep
from onedata.errors import OnedataError, Posix, ServiceUnavailable
from op_worker.changes.lines import View
from op_worker.changes.states import DOCUMENTS, FileState, file_key
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.stored.documents import META
from op_worker.files.stored.hard_links import MAX_NAMES, links_key
from op_worker.files.stored.nodes import Node

PRIVILEGE = "space_view_changes_stream"
HEARTBEAT_S = 15.0
"""So often a silent stream gives a sign of life, looks itself, and asks whether its client may listen."""
BATCH = 32
"""How many changes are read at a time; with custom metadata they may take megabytes each."""
_PAUSE_S = 1.0


@frozen
class Framing:
    """How lines become bytes. ``beat`` makes the sign of life of a silent stream from its position."""

    line: Callable[[Mapping[str, Any]], bytes]
    beat: Callable[[int], bytes] | None = None


class ChangeStream:
    """A ``ByteStream`` of changes in order of their numbers. Close it.

    It reads the feed only when it is read itself.
    """

    _log = Logger()

    def __init__(
        self,
        context: FilesContext,
        clock: IReactorTime,
        visit: Visit,
        after: Seq,
        view: View,
        framing: Framing,
        timeout_s: float | None,
        on_close: Callable[[ChangeStream], None],
    ) -> None:
        self._context, self._clock, self._visit = context, clock, visit
        self._position, self._view, self._framing, self._timeout_s = after, view, framing, timeout_s
        self._on_close = on_close
        self._last_line_s = self._asked_s = self._clock.seconds()
        self._has_moved, self._is_ended = False, False
        self._waiter: Deferred[None] | None = None
        self._unwatch = self._context.engine.watch(self._on_moved)

    async def read(self) -> bytes:
        """Return the next lines, or a sign of life; ``b""`` at the end."""
        while not self._is_ended:
            self._has_moved = False
            try:
                if not await self._still_may():
                    break
                changes = await self._context.engine.changes(self._visit.scope, self._position, BATCH)
                lines = await self._lines(changes)
            except (PersistenceUnavailable, ServiceUnavailable) as error:
                self._log.warn("a change stream goes on later: {error}", error=error)
                await sleep(self._clock, _PAUSE_S)
                continue
            if changes:
                self._position = changes[-1].seq
            if lines:
                self._last_line_s = self._clock.seconds()
                return b"".join(lines)
            if not changes and (beat := await self._silence()):
                return beat
        return b""

    def end(self) -> None:
        """Let the reader come to the end."""
        self._is_ended = True
        self._wake()

    def close(self) -> None:
        """Give back what the stream holds. Idempotent."""
        self.end()
        self._unwatch()
        self._on_close(self)

    async def _silence(self) -> bytes:
        """Wait for news; return a sign of life when there were none for long, nothing otherwise."""
        wait_s = HEARTBEAT_S
        if self._timeout_s is not None:
            left_s = self._last_line_s + self._timeout_s - self._clock.seconds()
            if left_s <= 0:
                self._is_ended = True
                return b""
            wait_s = min(wait_s, left_s)
        await self._news(wait_s)
        if self._has_moved or self._is_ended or wait_s < HEARTBEAT_S:
            return b""
        return self._framing.beat(self._position) if self._framing.beat is not None else b""

    async def _news(self, wait_s: float) -> None:
        if self._has_moved or self._is_ended:
            return
        self._waiter = Deferred()
        call = self._clock.callLater(wait_s, self._wake)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if call.active():
                call.cancel()

    def _on_moved(self, scope: str) -> None:
        if scope == self._visit.scope:
            self._has_moved = True
            self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.callback(None)

    async def _lines(self, changes: Sequence[Change]) -> list[bytes]:
        space_id = self._visit.space_id
        keys = {change.seq: file_key(change.key, space_id) for change in changes}
        wanted = [(seq, key) for seq, key in keys.items() if key is not None]
        found = await self._context.engine.get_many(self._visit.scope, [key for _, key in wanted], DOCUMENTS)
        asked = [
            Deferred.fromCoroutine(self._state(seq, key, documents))
            for (seq, key), documents in zip(wanted, found, strict=True)
        ]
        try:
            states: list[FileState | None] = await gatherResults(asked, consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()
        shown = (self._view(state) for state in states if state is not None)
        return [self._framing.line(line) for line in shown if line is not None]

    async def _state(self, seq: int, key: Key, documents: Mapping[str, Document]) -> FileState | None:
        """Return the file behind a change; ``None`` when the key holds something else."""
        visit = self._visit
        provider_id = self._context.access.provider_id
        if META not in documents:
            is_other = bool(await self._context.engine.get_all(visit.scope, key))
            return None if is_other else FileState(visit.space_id, provider_id, key, seq, {}, is_deleted=True)
        names = await self._names(key, Node(key, "", documents))
        if names is None:
            return FileState(visit.space_id, provider_id, key, seq, {}, is_deleted=True)
        path = "/" + "/".join((visit.space.name, *names))
        return FileState(visit.space_id, provider_id, key, seq, documents, path)

    async def _names(self, key: Key, node: Node) -> tuple[str, ...] | None:
        """Return the names that lead to a file, by its first name or else by any hard link."""
        names = await self._names_of(key)
        if names is not None or node.is_directory:
            return names
        engine = self._context.engine
        for link in await engine.page(self._visit.scope, links_key(key), None, MAX_NAMES, ()):
            names = await self._names_of(link.key)
            if names is not None:
                return names
        return None

    async def _names_of(self, key: Key) -> tuple[str, ...] | None:
        try:
            return (await self._context.lookup.by_id(self._visit.space_id, key)).names
        except Posix:
            return None

    async def _still_may(self) -> bool:
        """Whether the listener still may listen; asked every ``HEARTBEAT_S``."""
        visit = self._visit
        if self._clock.seconds() - self._asked_s < HEARTBEAT_S:
            return True
        self._asked_s = self._clock.seconds()
        try:
            (await self._context.access.enter(visit.caller, visit.space_id)).require_privilege(PRIVILEGE)
        except OnedataError:
            return False
        return True
