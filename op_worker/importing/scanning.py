"""One directory of an imported storage, looked at whole; whatever its size, in bounded memory."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from contextlib import aclosing

from attrs import define, evolve, field, frozen

from cluster_worker.persistence.engine import PreconditionFailed, Put, Step
from onedata.errors import Posix
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.stored.documents import TIMES
from op_worker.files.stored.paths import RESERVED_PREFIX, check_name
from op_worker.importing.commits import Commit
from op_worker.importing.configuration import ScanOptions
from op_worker.importing.ending import Ending
from op_worker.importing.places import Place, Places, stat_or_none
from op_worker.importing.reconciling import Reconciling
from op_worker.importing.seen import LISTED, NO_DIGEST, Listed, digest_of, is_settled
from op_worker.importing.tallying import Tally
from op_worker.storage.helper import Scanned, StorageError, StorageStat, StorageUnavailable
from op_worker.storage.supports import Storage

MOST_NAMES = 20_000
"""The most names of a directory that are remembered; in a longer one each name is asked for by itself."""
MOST_DIRECTORIES = 1000
"""The most directories in a directory that are remembered; more are read from the space again."""


@frozen(eq=False)
class Scanner:
    """A space that is scanned: as whom, on which storage, and how."""

    visit: Visit
    storage: Storage
    options: ScanOptions


@define(eq=False)
class Listing:
    """What a directory was found to hold.

    Attributes:
        directories: the names of directories in it; ``None`` when there are too many to be remembered.
        names: all names; ``None`` when there are too many.
        entries: how many there are.
        is_new: whether the space knew nothing of what is in it.
    """

    directories: list[str] | None = field(factory=list)
    names: set[str] | None = field(factory=set)
    digests: list[bytes] = field(factory=list)
    entries: int = 0
    is_new: bool = False

    def add(self, batch: Sequence[Scanned]) -> None:
        """Remember a batch, as far as there is room."""
        self.entries += len(batch)
        if self.names is not None:
            self.names.update(item.name for item in batch)
            if len(self.names) > MOST_NAMES:
                self.names = None
        if self.directories is not None:
            self.directories += [item.name for item in batch if _is_entered(item)]
            if len(self.directories) > MOST_DIRECTORIES:
                self.directories = None


@frozen(eq=False)
class DirectoryScan:
    """Scans directories. Raises: StorageUnavailable; PersistenceError; what commits raise."""

    _context: FilesContext
    _places: Places
    _reconciling: Reconciling
    _ending: Ending

    async def scan(
        self, scanner: Scanner, names: tuple[str, ...], commit: Commit, tally: Tally, *, is_new: bool = False
    ) -> Listing | None:
        """Make a directory in the space what it is on the storage; directories in it are not entered.

        Returns ``None`` when it is not there, or cannot be read, which is a failure in the tally.

        Args:
            is_new: whether it was made known just now.
        """
        place = await self._places.at(scanner.visit, scanner.storage, names, scanner.options, is_new=is_new)
        if place is None:
            return None
        try:
            own = None if place.chain.is_root else await stat_or_none(place.storage, place.chain.storage_path)
            return await self._scan(place, own, commit, tally.part())
        except StorageError as error:
            if place.chain.is_root or error.errno not in (errno.ENOENT, errno.ENOTDIR):
                if place.chain.is_root or _is_of_storage(error):
                    raise
                tally.failed(place.chain.path, f"it cannot be listed: {error}")
        return None

    async def _scan(
        self, place: Place, own: StorageStat | None, commit: Commit, tally: Tally
    ) -> Listing | None:
        scanning = place.storage.scanning
        if scanning is None:
            raise StorageError(errno.ENOTSUP, place.chain.storage_path, "this storage cannot be scanned")
        before = place.listed
        listing, wall_clock = Listing(is_new=place.count == 0), self._context.wall_clock
        async with aclosing(scanning.scan(place.chain.storage_path)) as batches:  # type: ignore[type-var]
            async for batch in batches:
                digest = digest_of(batch, wall_clock())
                if before.has_digest(len(listing.digests), digest):
                    tally.unmodified(len(batch))
                else:
                    was_postponed = tally.postponed
                    await self._reconciling.reconcile(place, batch, commit, tally)
                    digest = digest if tally.postponed == was_postponed else NO_DIGEST
                listing.digests.append(digest)
                listing.add(batch)
        if place.options.detect_deletions and place.count and not before.has_names_of(own):
            await self._end_missing(place, listing, commit, tally)
        is_whole = not tally.postponed and own is not None and is_settled(own, wall_clock())
        listed = Listed.now(own, listing.digests, is_whole=is_whole)
        made = tally.counts.created or tally.counts.deleted
        await self._keep(place, listed, own if made and place.count else None, commit)
        return listing

    async def _end_missing(self, place: Place, listing: Listing, commit: Commit, tally: Tally) -> None:
        after: bytes | None = None
        while page := await self._places.page(place, after):
            after = page[-1]
            known = [name.decode() for name in page]
            if listing.names is not None:
                known = [name for name in known if name not in listing.names]
            if known:
                await self._ending.missing(place, known, commit, tally)

    async def _keep(self, place: Place, listed: Listed, own: StorageStat | None, commit: Commit) -> None:
        """Remember how a directory was listed, and take over its time when its entries changed."""
        if listed != place.listed:
            await commit([Put(place.key, LISTED, listed.encode())], [])
        now = None if own is None else await self._places.again(place)
        if own is None or now is None:
            return
        file = now.chain.file
        times = evolve(file.times, mtime_ms=int(own.mtime_s * 1000))
        steps: list[Step] = [Put(file.key, TIMES, times.encode(), expect=file.revision(TIMES))]
        try:
            await commit(steps, [file.key])
        except PreconditionFailed:
            return  # somebody changes its entries, so its time is now


def _is_entered(item: Scanned) -> bool:
    if not item.stat.is_directory or item.name.startswith(RESERVED_PREFIX):
        return False
    try:
        check_name(item.name)
    except Posix:
        return False
    return True


def _is_of_storage(error: StorageError) -> bool:
    """Whether the storage itself is in trouble, and not this directory."""
    return isinstance(error, StorageUnavailable)
