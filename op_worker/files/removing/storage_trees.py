"""Whole trees on a storage: removing one, and looking into a folder that may be missing."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from op_worker.storage.helper import StorageError, StoragePath, SupportsDirectories
from op_worker.storage.supports import Storage


async def remove_tree(storage: Storage, path: StoragePath) -> None:
    """Remove whatever is at a storage path with all below; symbolic links are removed, not followed."""
    directories = storage.directories
    stack = [path]
    while stack:
        top = stack[-1]
        try:
            await storage.helper.remove(top)
            stack.pop()
            continue
        except StorageError as error:
            if directories is None or error.errno not in (errno.EISDIR, errno.EPERM):
                raise
        names = await names_in(directories, top)
        if names:
            stack.extend(StoragePath(f"{top}/{name}") for name in names)
        else:
            await directories.remove_directory(top)
            stack.pop()


async def names_in(directories: SupportsDirectories, path: StoragePath) -> Sequence[str]:
    """Return the names in a folder, none when it is missing."""
    try:
        return await directories.list_directory(path)
    except StorageError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return ()
        raise
