"""Following what a storage tells of its changes: each name is looked at soon after it changed.

Notices only say where to look. A scan that begins after all directories are watched finds what changed
before; one that begins after events were lost finds these. So nothing depends on notices being complete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as WaitedTooLong
from twisted.logger import Logger

from cluster_worker.persistence.engine import Batch, Key, PersistenceError, Scope, Step
from cluster_worker.runtime.clock import sleep
from cluster_worker.tenure.tenure import Deposed, Fence, Tenure
from onedata.errors import BadData, NotFound, OnedataError
from onedata.ids import SpaceId
from op_worker.files.context import FilesContext
from op_worker.importing.books import Book, trim
from op_worker.importing.commits import Commit
from op_worker.importing.folder_watch import Changes, FolderWatch, NoWatching, WatchOf
from op_worker.importing.looking import Looking
from op_worker.importing.records import NOTICES, NoticeState, NoticeStatus
from op_worker.importing.scanning import DirectoryScan, Scanner
from op_worker.importing.service import Imports
from op_worker.importing.watches import Names
from op_worker.storage.helper import StorageError

GATHER_S = 0.1
"""How long changes are gathered before they are looked at."""
ASK_EVERY_S = 1.0
"""How often it is asked whether notices are wanted still."""
AGAIN_S = 60.0
"""When it is tried again to watch what could not be watched."""
MOST_ENTRIES = 5000
"""A tree that appears with more entries than this is left to a scan."""

FolderOf = Callable[[Scanner], Path | None]
"""Returns the folder of this machine that is the root of a space; ``None`` when there is none."""


@frozen(eq=False)
class Followed:
    """The notices of one space while they are followed."""

    space_id: SpaceId
    scanner: Scanner
    watch: FolderWatch
    book: Book
    commit: Commit


@frozen(eq=False)
class Noticing:
    """Follows notices of spaces."""

    _context: FilesContext
    _imports: Imports
    _looking: Looking
    _directories: DirectoryScan
    _folder_of: FolderOf
    _watch_of: WatchOf
    _clock: Any
    _log = Logger()

    async def follow(self, space_id: SpaceId, tenure: Tenure) -> None:
        """Follow a space until cancelled; does nothing while its notices are not wanted."""
        while True:
            pause_s = ASK_EVERY_S
            try:
                pause_s = await self._follow_once(space_id, tenure)
            except Deposed:
                return
            except NotFound:
                pass  # nothing is chosen, or it is not imported any more
            except (PersistenceError, StorageError, OnedataError) as error:
                self._log.warn("notices of {space} begin anew: {error}", space=space_id, error=error)
            await sleep(self._clock, pause_s)

    async def _follow_once(self, space_id: SpaceId, tenure: Tenure) -> float:
        """Follow as long as notices are wanted and possible; return when to ask again."""
        scanner = await self._wanted(space_id)
        folder = None if scanner is None else self._folder_of(scanner)
        if scanner is None or folder is None:
            return ASK_EVERY_S
        fence = await tenure.fence(Scope(space_id))
        engine, wall_clock = self._context.engine, self._context.wall_clock
        book = await Book.read(NOTICES, engine, Scope(space_id), wall_clock, self._context.random_bytes)
        book.begin_counting()
        watch = self._watch_of(folder)
        following = Followed(space_id, scanner, watch, book, self._commit_of(fence))
        try:
            await self._tell(following, NoticeState.STARTING)
            watch.open()
            await watch.add_tree(())
            await self._tell(following, NoticeState.ON)
            await self._go_on(following)
            await self._tell(following, NoticeState.OFF)
        except NoWatching as error:
            await self._tell(following, NoticeState.IMPOSSIBLE, str(error))
            return AGAIN_S
        finally:
            watch.close()
        return ASK_EVERY_S

    async def _go_on(self, following: Followed) -> None:
        """Look at what changes, as long as that is wanted as it was."""
        is_scan_needed = True
        while await self._is_wanted(following):
            if is_scan_needed:
                is_scan_needed = not await self._scan(following.space_id)
            changed = Deferred.fromCoroutine(following.watch.changed())
            try:
                await changed.addTimeout(ASK_EVERY_S, self._clock)
            except WaitedTooLong:
                continue
            await sleep(self._clock, GATHER_S)
            if not await self._look(following, following.watch.take()):
                is_scan_needed = True
            await self._keep(following)

    async def _look(self, following: Followed, changes: Changes) -> bool:
        """Look at names that changed; ``False`` when only a scan finds all that changed."""
        is_complete = not changes.is_incomplete
        for directory in sorted(changes.names, key=len):
            if len(directory) >= following.scanner.options.max_depth:
                continue
            names = sorted(changes.names[directory])
            new = await self._looking.look(
                following.scanner, directory, names, following.commit, following.book.tally
            )
            for name in new or ():
                is_complete = await self._enter(following, (*directory, name)) and is_complete
            is_complete = is_complete and new is not None
        return is_complete

    async def _enter(self, following: Followed, top: Names) -> bool:
        """Watch and scan a directory that is new, with what is in it; ``False`` when that is too much."""
        await following.watch.add_tree(top)
        stack, entries = [top], 0
        while stack:
            names = stack.pop()
            if len(names) >= following.scanner.options.max_depth:
                continue
            listing = await self._directories.scan(
                following.scanner, names, following.commit, following.book.tally, is_new=True
            )
            if listing is None:
                continue
            entries += listing.entries
            if listing.directories is None or entries > MOST_ENTRIES:
                return False
            stack.extend((*names, name) for name in listing.directories)
        return True

    async def _scan(self, space_id: SpaceId) -> bool:
        """Begin a scan; ``False`` when one goes on, which may have passed by what changed."""
        try:
            await self._imports.start_scan(space_id)
        except BadData:
            return False
        return True

    async def _wanted(self, space_id: SpaceId) -> Scanner | None:
        """Return how a space is to be followed; ``None`` when it is not. Raises: NotFound."""
        config = await self._imports.config(space_id)
        if not (config.is_auto and config.options.continuous and config.options.notices):
            return None
        return await self._imports.scanner(space_id)

    async def _is_wanted(self, following: Followed) -> bool:
        now, scanner = await self._wanted(following.space_id), following.scanner
        return now is not None and (now.storage, now.options) == (scanner.storage, scanner.options)

    def _commit_of(self, fence: Fence) -> Commit:
        async def commit(steps: Sequence[Step], announce: Sequence[Key]) -> None:
            await fence.commit(self._context.engine, Batch(steps, announce))

        return commit

    async def _tell(self, following: Followed, state: NoticeState, reason: str = "") -> None:
        """Keep how the notices are."""
        book = following.book
        assert isinstance(book.status, NoticeStatus)
        book.status = evolve(book.status, state=state, reason=reason, watched=following.watch.count)
        if reason:
            book.tally.note(f"changes are not told of: {reason}")
        await following.commit(book.steps(), [])

    async def _keep(self, following: Followed) -> None:
        """Keep what was counted."""
        book = following.book
        assert isinstance(book.status, NoticeStatus)
        book.status = evolve(book.status, watched=following.watch.count)
        await following.commit(book.steps(), [])
        if book.is_long():
            await trim(self._context.engine, Scope(following.space_id))
