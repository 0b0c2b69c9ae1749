"""Scans as background jobs: a job walks a part of the tree, and leaves what is too much to others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from attrs import define, evolve, field

from cluster_worker.jobs.pool import Limits, Pool
from cluster_worker.jobs.task import MasterJob
from cluster_worker.jobs.traverse import JobContext, MasterOutcome, QuietTraverse
from cluster_worker.persistence.engine import Batch, Key, Scope, Step
from onedata.ids import SpaceId
from op_worker.files.context import FilesContext
from op_worker.files.model import FileType
from op_worker.files.stored.documents import EntryValue
from op_worker.importing.books import Book, trim
from op_worker.importing.commits import Commit
from op_worker.importing.places import Places
from op_worker.importing.records import SCAN, ScanState, ScanStatus
from op_worker.importing.scanning import DirectoryScan, Scanner
from op_worker.importing.walking import Item, Portion, Way
from op_worker.storage.helper import StorageError, StorageUnavailable

POOL = Pool("storage-import", Limits(masters=4, slaves=1, tasks=10))
TASK = "storage-import"
"""The name of the task in the scope of its space."""

ScannerOf = Callable[[SpaceId], Awaitable[Scanner | None]]
"""Returns how a space is scanned; ``None`` when it is not to be, now."""


@define(eq=False)
class StorageScan(QuietTraverse):
    """One task for each space: its masters walk, and come to further masters."""

    _context: FilesContext
    _places: Places
    _directories: DirectoryScan
    _scanner_of: ScannerOf
    pool: Pool = field(default=POOL, init=False)
    _books: dict[SpaceId, Book] = field(factory=dict, init=False)

    async def task_started(self, context: JobContext) -> None:
        """Begin to count, or go on after a crash."""
        space_id, now_s = _space_of(context), self._context.wall_clock()
        scan_id = Portion.decode(context.payload).scan_id
        engine, random_bytes = self._context.engine, self._context.random_bytes
        book = await Book.read(SCAN, engine, Scope(space_id), self._context.wall_clock, random_bytes)
        status = book.status
        assert isinstance(status, ScanStatus)
        self._books[space_id] = book
        if status.scan_id == scan_id and status.state.is_over:
            return  # it was told already how it went
        if status.scan_id != scan_id or status.state is not ScanState.RUNNING:
            book.status = ScanStatus(scan_id=scan_id, state=ScanState.RUNNING, started_s=now_s)
            book.begin_counting()
            book.tally.note("the scan begins")
        await context.commit(Batch(book.steps()))

    async def task_finished(self, context: JobContext) -> None:
        """Tell how it went."""
        is_failed = bool(self._books[_space_of(context)].failing)
        await self._end(context, ScanState.FAILED if is_failed else ScanState.COMPLETED)

    async def task_cancelled(self, context: JobContext) -> None:
        """Tell that it was ended."""
        await self._end(context, ScanState.ABORTED)

    async def do_master(self, job: MasterJob, context: JobContext) -> MasterOutcome:
        """Walk a part of the tree."""
        space_id = _space_of(context)
        portion, book = Portion.decode(job.payload), self._books[space_id]
        if _is_over(book):
            return MasterOutcome()
        scanner = await self._scanner_of(space_id)
        if scanner is None:
            book.fails(job.number, "the storage of the space is not known here, or is not imported any more")
            return MasterOutcome(steps=book.steps())
        way = Way(portion.items)
        commit = self._commit_of(context, book)
        try:
            while not way.is_long_enough and (item := way.next()) is not None:
                context.check()
                await self._go(scanner, item, way, commit, book)
                book.queue_length = len(way.waiting)
        except StorageError as error:
            book.fails(job.number, str(error))
            if isinstance(error, StorageUnavailable):
                raise
            return MasterOutcome(steps=book.steps())
        book.failing.pop(job.number, None)
        masters = [rest.encode() for rest in way.portions(portion.scan_id)]
        return MasterOutcome(masters=masters, steps=book.steps())

    async def _go(self, scanner: Scanner, item: Item, way: Way, commit: Commit, book: Book) -> None:
        """Scan a directory, or read the directories in one from the space."""
        if item.after is not None:
            await self._read_directories(scanner, item, item.after, way)
            return
        listing = await self._directories.scan(scanner, item.names, commit, book.tally, is_new=item.is_new)
        if listing is None:
            return
        is_deepest = len(item.names) + 1 >= scanner.options.max_depth
        way.found(
            item,
            () if is_deepest or listing.directories is None else listing.directories,
            listing.entries,
            is_new=listing.is_new,
        )
        if listing.directories is None and not is_deepest:
            way.read_again(item)

    async def _read_directories(self, scanner: Scanner, item: Item, after: str, way: Way) -> None:
        """Go into the next directories of one that has too many of them."""
        place = await self._places.at(
            scanner.visit, scanner.storage, item.names, scanner.options, is_new=True
        )
        if place is None:
            return
        start = after.encode() or None
        found = await self._context.engine.page(place.scope, place.key, start, 1000, ())
        if not found:
            return
        names = [
            entry.entry.name.decode()
            for entry in found
            if EntryValue.decode(entry.entry.value).type is FileType.DIR
        ]
        way.read_again(item, found[-1].entry.name.decode())
        way.found(item, names, 0, is_new=False)

    def _commit_of(self, context: JobContext, book: Book) -> Commit:
        async def commit(steps: Sequence[Step], announce: Sequence[Key]) -> None:
            await context.commit(Batch(steps, announce))
            if book.is_due:
                await context.commit(Batch(book.steps()))
            if book.is_long():
                await trim(self._context.engine, Scope(context.task_id.scope))

        return commit

    async def _end(self, context: JobContext, state: ScanState) -> None:
        book = self._books[_space_of(context)]
        if _is_over(book):
            return
        book.queue_length = 0
        counts = book.tally.counts
        book.tally.note(
            f"the scan is {state.value}: {counts.created} created, {counts.modified} modified, "
            f"{counts.deleted} deleted, {counts.unmodified} unmodified, {counts.failed} failed"
        )
        reason = next(iter(book.failing.values()), "")
        ended_s = self._context.wall_clock()
        assert isinstance(book.status, ScanStatus)
        book.status = evolve(book.status, state=state, ended_s=ended_s, reason=reason)
        await context.commit(Batch(book.steps()))


def _space_of(context: JobContext) -> SpaceId:
    return SpaceId(context.task_id.scope)


def _is_over(book: Book) -> bool:
    return isinstance(book.status, ScanStatus) and book.status.state.is_over
