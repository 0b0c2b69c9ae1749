"""Storage helpers whose paths lie elsewhere inside."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from op_worker.storage.helper import StorageError, StorageHelper, StoragePath
from op_worker.storage.wrappers.wrapping import Wrapper

R = TypeVar("R")

_OF_THE_ROOT = frozenset({"list_directory", "scan", "stat", "check", "capacity"})
"""The verbs for which the empty path is the root; for others it is no path."""


class PrefixHelper(Wrapper):
    """See ``StorageHelper``. Its root is the folder ``prefix`` of the helper inside."""

    def __init__(self, helper: StorageHelper, prefix: StoragePath) -> None:
        super().__init__(helper)
        self._prefix = prefix

    def _at(self, path: StoragePath) -> StoragePath:
        if path.startswith("/"):
            return path  # no path at all, which the helper inside says
        return StoragePath(f"{self._prefix}/{path}" if path else self._prefix)

    async def _do(self, verb: str, path: StoragePath, work: Callable[..., Awaitable[R]], *args: Any) -> R:
        if not path and verb not in _OF_THE_ROOT:
            raise StorageError(errno.EINVAL, path)
        return await work(*args)


class SpaceRootHelper(Wrapper):
    """See ``StorageHelper``. The first component of each path is left out.

    Paths in the namespace begin with the id of a space. On an imported storage the root of the space is
    the root of the storage, so that this component has no folder there. The empty path is the root, too.
    """

    def _at(self, path: StoragePath) -> StoragePath:
        space, slash, inside = path.partition("/")
        if slash and (space in ("", ".", "..") or not inside):
            raise StorageError(errno.EINVAL, path)
        return StoragePath(inside)

    async def _do(self, verb: str, path: StoragePath, work: Callable[..., Awaitable[R]], *args: Any) -> R:
        if args == ("",) and verb in ("make_directory", "remove_directory"):
            return cast(R, None)  # the root is there, and stays
        return await work(*args)
