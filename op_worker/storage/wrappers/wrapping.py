"""What all wrappers of storage helpers share: a wrapper can do exactly what the helper inside can.

A wrapper is a subclass of ``Wrapper`` that changes one or more of its hooks. ``wrapped`` makes one, with the
verbs of those optional powers that the helper inside has, so that ``isinstance`` tells the truth about it
however many wrappers lie around each other.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from copy import copy
from functools import cache
from typing import Any, TypeVar

from op_worker.storage.helper import (
    Capacity,
    Opened,
    Scanned,
    StorageFile,
    StorageHelper,
    StoragePath,
    StorageStat,
    SupportsCapacity,
    SupportsClosing,
    SupportsDirectories,
    SupportsModes,
    SupportsOpenWithFirst,
    SupportsOwners,
    SupportsRename,
    SupportsScanning,
    SupportsUsers,
    SupportsWholeWrites,
)

R = TypeVar("R")
W = TypeVar("W", bound="Wrapper")

CHANGING = frozenset(
    {
        *("open_write", "open_update", "write", "truncate", "write_whole", "remove", "rename"),
        *("make_directory", "remove_directory", "set_mode", "set_owner"),
    }
)
"""The verbs of helpers and files that change a storage, or open a file for that."""


class Wrapper:
    """See ``StorageHelper``: passes everything on to the helper inside.

    Every operation of the helper, and of its files when they are wrapped by ``WrappedFile``, goes through
    ``_do``; its name is that of the method. A scan goes through it once for each batch.
    """

    def __init__(self, helper: StorageHelper) -> None:
        self._helper: Any = helper

    async def _do(self, verb: str, path: StoragePath, work: Callable[..., Awaitable[R]], *args: Any) -> R:
        """Do ``work(*args)``. To be changed by wrappers that act around operations."""
        return await work(*args)

    def _at(self, path: StoragePath) -> StoragePath:
        """Return the path inside. To be changed by wrappers that move paths."""
        return path

    def _file(self, file: StorageFile, path: StoragePath) -> StorageFile:
        """Return an open file as it is given outside. To be changed by wrappers that act on files."""
        return file

    async def open_read(self, path: StoragePath) -> StorageFile:
        return self._file(await self._do("open_read", path, self._helper.open_read, self._at(path)), path)

    async def open_write(self, path: StoragePath) -> StorageFile:
        return self._file(await self._do("open_write", path, self._helper.open_write, self._at(path)), path)

    async def open_update(self, path: StoragePath) -> StorageFile:
        return self._file(await self._do("open_update", path, self._helper.open_update, self._at(path)), path)

    async def remove(self, path: StoragePath) -> None:
        await self._do("remove", path, self._helper.remove, self._at(path))

    async def stat(self, path: StoragePath) -> StorageStat:
        return await self._do("stat", path, self._helper.stat, self._at(path))

    async def check(self) -> None:
        await self._do("check", StoragePath(""), self._helper.check)


class WrappedFile:
    """See ``StorageFile``: passes everything on through the ``_do`` of a wrapper; closing goes directly."""

    __slots__ = ("_do", "_file", "_path", "close")

    def __init__(self, do: Callable[..., Awaitable[Any]], file: StorageFile, path: StoragePath) -> None:
        self._do, self._file, self._path = do, file, path
        self.close = file.close

    async def read(self, offset_b: int, size_b: int) -> bytes:
        data: bytes = await self._do("read", self._path, self._file.read, offset_b, size_b)
        return data

    async def write(self, offset_b: int, data: bytes) -> None:
        await self._do("write", self._path, self._file.write, offset_b, data)

    async def size(self) -> int:
        size_b: int = await self._do("size", self._path, self._file.size)
        return size_b

    async def truncate(self, size_b: int) -> None:
        await self._do("truncate", self._path, self._file.truncate, size_b)

    async def sync(self) -> None:
        await self._do("sync", self._path, self._file.sync)


class _Opening(Wrapper):
    async def open_with_first(self, path: StoragePath, size_b: int) -> Opened:
        opened: Opened = await self._do(
            "open_with_first", path, self._helper.open_with_first, self._at(path), size_b
        )
        if opened.file is None:
            return opened
        return Opened(opened.size_b, opened.first, self._file(opened.file, path))


class _Whole(Wrapper):
    async def write_whole(self, path: StoragePath, data: bytes) -> None:
        await self._do("write_whole", path, self._helper.write_whole, self._at(path), data)


class _Renaming(Wrapper):
    async def rename(self, source: StoragePath, target: StoragePath) -> None:
        await self._do("rename", source, self._helper.rename, self._at(source), self._at(target))


class _Directories(Wrapper):
    async def make_directory(self, path: StoragePath) -> None:
        await self._do("make_directory", path, self._helper.make_directory, self._at(path))

    async def remove_directory(self, path: StoragePath) -> None:
        await self._do("remove_directory", path, self._helper.remove_directory, self._at(path))

    async def list_directory(self, path: StoragePath) -> Sequence[str]:
        names: Sequence[str] = await self._do(
            "list_directory", path, self._helper.list_directory, self._at(path)
        )
        return names


class _Modes(Wrapper):
    async def set_mode(self, path: StoragePath, mode: int) -> None:
        await self._do("set_mode", path, self._helper.set_mode, self._at(path), mode)


class _Owners(Wrapper):
    async def set_owner(self, path: StoragePath, uid: int, gid: int) -> None:
        await self._do("set_owner", path, self._helper.set_owner, self._at(path), uid, gid)


class _Scanning(Wrapper):
    async def scan(self, path: StoragePath) -> AsyncIterator[Sequence[Scanned]]:
        batches: AsyncIterator[Sequence[Scanned]] = self._helper.scan(self._at(path))
        try:
            while (batch := await self._do("scan", path, _next, batches)) is not None:
                yield batch
        finally:
            if isinstance(batches, AsyncGenerator):
                await batches.aclose()


async def _next(batches: AsyncIterator[Sequence[Scanned]]) -> Sequence[Scanned] | None:
    return await anext(batches, None)


class _Capacity(Wrapper):
    async def capacity(self) -> Capacity:
        found: Capacity = await self._do("capacity", StoragePath(""), self._helper.capacity)
        return found


class _Users(Wrapper):
    def for_user(self, credentials: Mapping[str, str]) -> StorageHelper:
        theirs = copy(self)
        theirs._helper = self._helper.for_user(credentials)
        return theirs


class _Closing(Wrapper):
    async def close(self) -> None:
        await self._helper.close()


_POWERS: Mapping[type, type[Wrapper]] = {
    SupportsOpenWithFirst: _Opening,
    SupportsWholeWrites: _Whole,
    SupportsRename: _Renaming,
    SupportsDirectories: _Directories,
    SupportsModes: _Modes,
    SupportsOwners: _Owners,
    SupportsScanning: _Scanning,
    SupportsCapacity: _Capacity,
    SupportsUsers: _Users,
    SupportsClosing: _Closing,
}


def wrapped(kind: type[W], helper: StorageHelper, *args: Any, **named: Any) -> W:
    """Return ``kind(helper, *args, **named)`` with the optional powers that ``helper`` has."""
    powers = tuple(mixin for power, mixin in _POWERS.items() if isinstance(helper, power))
    made: W = _with_powers(kind, powers)(helper, *args, **named)  # type: ignore[arg-type]  # types are hashable
    return made


@cache
def _with_powers(kind: type[Any], powers: tuple[type[Wrapper], ...]) -> type[Any]:
    return type(kind.__name__, (kind, *powers), {})
