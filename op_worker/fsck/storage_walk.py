"""Compares the storage of a space with where its files' bytes have to lie, in both directions."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from attrs import frozen

from cluster_worker.runtime.pool import Blocking
from onedata.ids import SpaceId
from op_worker.files.removing.storage_trees import names_in
from op_worker.files.stored.paths import STAGING, TRASH
from op_worker.fsck.findings import Code, Finding
from op_worker.fsck.tally import Tally
from op_worker.fsck.walk import Progress, Suspect
from op_worker.storage.helper import StorageError, StoragePath, StorageStat
from op_worker.storage.supports import Storage

_PAGE = 1000


@frozen(eq=False)
class StorageWalk:
    """Looks at every file of a space's storage."""

    _storage: Storage
    _blocking: Blocking
    _tally: Tally
    _space_id: SpaceId

    async def missing(self, suspect: Suspect, progress: Progress, *, contents: bool) -> None:
        """Tell files whose bytes are not there; with ``contents`` suspect all others of a wrong digest."""
        after = ""
        while page := await self._blocking.run(self._tally.placed_after, after, _PAGE):
            after = page[-1].path
            for placed in page:
                stat = await self._stat(StoragePath(placed.path)) if placed.upper else None
                if placed.upper and (stat is None or stat.is_directory):
                    await suspect(Finding(Code.MISSING_BYTES, placed.key, placed.path))
                elif stat is not None and stat.size_b < placed.upper:
                    detail = f"{stat.size_b} bytes of {placed.upper}"
                    await suspect(Finding(Code.SHORT_BYTES, placed.key, placed.path, detail=detail))
                elif contents:
                    await suspect(Finding(Code.WRONG_DIGEST, placed.key, placed.path))
            progress(len(page))

    async def unknown(self, suspect: Suspect, progress: Progress) -> None:
        """Tell files of the storage that no file's bytes are, and what is left of staging.

        What lies in the trash folder is removed by maintenance.
        """
        directories = self._storage.directories
        if directories is None:
            return
        trash, staging = f"{self._space_id}/{TRASH}", f"{self._space_id}/{STAGING}"
        stack = [StoragePath(self._space_id)]
        while stack:
            folder = stack.pop()
            names = await names_in(directories, folder)
            code = Code.LEFT_STAGING if folder == staging else Code.UNKNOWN_BYTES
            for first in range(0, len(names), _PAGE):
                paths = [f"{folder}/{name}" for name in names[first : first + _PAGE]]
                for path in map(StoragePath, await self._unplaced(paths)):
                    stat = await self._stat(path)
                    if stat is not None and stat.is_directory:
                        if path != trash:
                            stack.append(path)
                    elif stat is not None:
                        await suspect(Finding(code, "", path, detail=f"{stat.size_b} bytes"))
                progress(len(paths))

    async def _unplaced(self, paths: Sequence[str]) -> Sequence[str]:
        return await self._blocking.run(self._tally.unplaced, paths)

    async def _stat(self, path: StoragePath) -> StorageStat | None:
        try:
            return await self._storage.helper.stat(path)
        except StorageError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                return None
            raise
