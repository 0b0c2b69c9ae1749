"""A look at some names of a directory, now: whatever the storage says of them is so in the space after it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from cluster_worker.persistence.engine import Key, Step
from onedata.errors import Errno, NotFound, Posix
from onedata.ids import SpaceId
from op_worker.files.context import FilesContext
from op_worker.files.stored.nodes import Chain
from op_worker.importing.commits import Commit
from op_worker.importing.ending import Ending
from op_worker.importing.places import Places
from op_worker.importing.reconciling import Reconciling
from op_worker.importing.scanning import Scanner
from op_worker.importing.service import Imports
from op_worker.importing.tallying import Counts, Tally
from op_worker.storage.helper import Scanned


@frozen(eq=False)
class Looking:
    """Looks at names. Raises: StorageError; PersistenceError; what commits raise."""

    _context: FilesContext
    _places: Places
    _reconciling: Reconciling
    _ending: Ending
    _imports: Imports

    async def look(
        self, scanner: Scanner, directory: tuple[str, ...], names: Sequence[str], commit: Commit, tally: Tally
    ) -> list[str] | None:
        """Look at names of a directory that the space knows; ``None`` when it does not.

        Returns the names of directories that were not known before; what is in them was not looked at.
        """
        place = await self._places.at(scanner.visit, scanner.storage, directory, scanner.options)
        if place is None:
            return None
        before = await self._places.nodes(place, names)
        stats = await self._places.stats(place, names)
        found = [Scanned(name, stat) for name, stat in stats.items()]
        await self._reconciling.reconcile(place, found, commit, tally)
        gone = [name for name in names if name not in stats]
        if gone and scanner.options.detect_deletions:
            await self._ending.missing(place, gone, commit, tally)
        return [
            item.name
            for item in found
            if item.stat.is_directory and (item.name not in before or not before[item.name].is_directory)
        ]

    async def look_now(self, space_id: SpaceId, names: tuple[str, ...]) -> Counts:
        """Look at one path, and tell what came of it.

        Raises: NotFound when the space is not imported by scans; Posix(ENOENT) without the directory.
        """
        scanner = await self._imports.scanner(space_id)
        if scanner is None:
            raise NotFound
        tally = Tally()
        commit = self._commit_to(space_id)
        if await self.look(scanner, names[:-1], [names[-1]], commit, tally) is None:
            raise Posix(Errno.ENOENT)
        return tally.counts

    async def refresh(self, chain: Chain) -> bool:
        """Look at a file that the storage does not show as the space does; tell whether the space changed.

        Only files of imported storages are looked at.
        """
        space_id = chain.space_id
        if chain.is_root or chain.is_apart or not self._imports.is_imported(space_id):
            return False
        scanner = await self._imports.scanner(space_id)
        if scanner is None or not scanner.options.detect_modifications:
            return False
        tally = Tally()
        commit = self._commit_to(space_id)
        await self.look(scanner, chain.above.names, [chain.file.name], commit, tally)
        return tally.counts not in (Counts(), Counts(unmodified=1))

    def _commit_to(self, space_id: SpaceId) -> Commit:
        async def commit(steps: Sequence[Step], announce: Sequence[Key]) -> None:
            await self._context.transactions.commit(space_id, steps, announce)

        return commit
