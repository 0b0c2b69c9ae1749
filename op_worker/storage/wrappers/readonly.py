"""A storage helper that changes nothing."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from op_worker.storage.helper import StorageError, StorageFile, StoragePath
from op_worker.storage.wrappers.wrapping import CHANGING, WrappedFile, Wrapper

R = TypeVar("R")


class ReadonlyHelper(Wrapper):
    """See ``StorageHelper``. Whatever would change the storage is refused with EROFS before it reaches it."""

    async def _do(self, verb: str, path: StoragePath, work: Callable[..., Awaitable[R]], *args: Any) -> R:
        if verb in CHANGING:
            raise StorageError(errno.EROFS, path, "the storage is readonly")
        return await work(*args)

    def _file(self, file: StorageFile, path: StoragePath) -> StorageFile:
        return WrappedFile(self._do, file, path)
