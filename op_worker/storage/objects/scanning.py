"""Folders of a store that lists, where every file is one object."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Sequence

from attrs import frozen

from op_worker.storage.helper import Scanned, StorageError, StoragePath
from op_worker.storage.objects.access import ObjectAccess
from op_worker.storage.objects.listing import FolderNames, Modes
from op_worker.storage.objects.store import ObjectKey, SupportsListingObjects

SCANNED_AT_ONCE = 1000


@frozen
class Folders:
    """What lies in folders, as the keys of a store show them."""

    _access: ObjectAccess
    _lists: SupportsListingObjects
    _modes: Modes

    async def scan(self, path: StoragePath) -> AsyncIterator[Sequence[Scanned]]:
        """See ``SupportsScanning``."""
        prefix = f"{path}/" if path else ""
        names, start, is_there = FolderNames(prefix, self._modes), "", not path
        while True:
            page = await self._lists.list(prefix, start, SCANNED_AT_ONCE, "/")
            is_there = is_there or bool(page.objects or page.prefixes)
            if found := names.take(page):
                yield found
            start = page.follows
            if not start:
                break
        if not is_there:
            is_file = await self._access.size(ObjectKey(path)) is not None
            raise StorageError(errno.ENOTDIR if is_file else errno.ENOENT, path)
