"""The ``posix`` helper: files below a folder of this machine, or of a file system mounted on it."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from cluster_worker.runtime.pool import Blocking
from op_worker.storage.helper import (
    Opened,
    Scanned,
    StorageError,
    StorageFile,
    StoragePath,
    StorageStat,
    StorageUnavailable,
)
from op_worker.storage.helpers.posix.descriptor import SharedDescriptor
from op_worker.storage.helpers.posix.identity import identity_of
from op_worker.storage.helpers.posix.scanning import FolderScan, status
from op_worker.storage.helpers.posix.tree import PosixTree, RootMissingError
from op_worker.storage.types import (
    BadStorageError,
    Durability,
    HelperSurroundings,
    Kind,
    Parameter,
    Parameters,
    StorageType,
)

P = ParamSpec("P")
R = TypeVar("R")

_AWAY = frozenset({errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.ENXIO})
_NOWAIT = getattr(os, "RWF_NOWAIT", 0)
_FAST_READ_B = 1 << 20


class PosixHelper:
    """Files below ``root``; see ``PosixTree`` for what keeps every path inside it.

    Args:
        tree: the folder, or its path.
        blocking: runs every call that may touch the disk.
    """

    def __init__(
        self, tree: PosixTree | str, blocking: Blocking, durability: Durability = Durability.PROCESS
    ) -> None:
        self._tree = PosixTree(tree) if isinstance(tree, str) else tree
        self._blocking = blocking
        self._durability = durability

    def for_user(self, credentials: Mapping[str, str]) -> PosixHelper:
        """See ``SupportsUsers``; a daemon that may not act as others acts as itself for everybody."""
        identity = identity_of(credentials)
        if identity is None:
            return self
        return PosixHelper(self._tree.for_identity(identity), self._blocking, self._durability)

    async def open_read(self, path: StoragePath) -> StorageFile:
        fd = await self._run(path, self._tree.open_existing, _raw(path), os.O_RDONLY)
        return self._file(path, fd)

    async def open_write(self, path: StoragePath) -> StorageFile:
        fd = await self._run(path, self._tree.open_or_make, _raw(path), os.O_RDWR)
        return self._file(path, fd)

    async def open_update(self, path: StoragePath) -> StorageFile:
        fd = await self._run(path, self._tree.open_existing, _raw(path), os.O_RDWR)
        return self._file(path, fd)

    async def open_with_first(self, path: StoragePath, size_b: int) -> Opened:
        fd, found_b, first = await self._run(path, _open_with_first, self._tree, _raw(path), size_b)
        return Opened(found_b, first, None if fd is None else self._file(path, fd))

    async def write_whole(self, path: StoragePath, data: bytes) -> None:
        await self._run(path, _write_whole, self._tree, _raw(path), data, self._durability)

    async def remove(self, path: StoragePath) -> None:
        await self._run(path, self._tree.unlink, _raw(path))

    async def rename(self, source: StoragePath, target: StoragePath) -> None:
        await self._run(source, _rename, self._tree, _raw(source), _raw(target), self._durability)

    async def stat(self, path: StoragePath) -> StorageStat:
        return status(await self._run(path, self._tree.stat, _raw(path)))

    async def scan(self, path: StoragePath) -> AsyncIterator[Sequence[Scanned]]:
        folder = FolderScan(await self._run(path, self._tree.open_directory, _raw(path)))
        try:
            while (batch := await self._run(path, folder.batch)) is not None:
                if batch:
                    yield batch
        finally:
            await self._blocking.run(folder.close)

    async def make_directory(self, path: StoragePath) -> None:
        await self._run(path, self._tree.make_directory, _raw(path))

    async def remove_directory(self, path: StoragePath) -> None:
        await self._run(path, self._tree.remove_directory, _raw(path))

    async def list_directory(self, path: StoragePath) -> Sequence[str]:
        return await self._run(path, self._tree.list_directory, _raw(path))

    async def set_mode(self, path: StoragePath, mode: int) -> None:
        await self._run(path, self._tree.set_mode, _raw(path), mode)

    async def set_owner(self, path: StoragePath, uid: int, gid: int) -> None:
        await self._run(path, self._tree.set_owner, _raw(path), uid, gid)

    async def check(self) -> None:
        await self._run(StoragePath(""), self._tree.check)

    def _file(self, path: StoragePath, fd: int) -> PosixFile:
        return PosixFile(path, SharedDescriptor(fd), self._blocking, self._durability)

    async def _run(self, path: StoragePath, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await self._blocking.run(lambda: self._tree.run(work, *args, **kwargs))
        except OSError as error:
            raise _storage_error(error, path) from error
        except RootMissingError as error:
            raise StorageUnavailable(errno.EIO, "", str(error)) from error


class PosixFile:
    """An open file of a posix storage."""

    def __init__(
        self, path: StoragePath, shared: SharedDescriptor, blocking: Blocking, durability: Durability
    ) -> None:
        self._path = path
        self._shared = shared
        self._blocking = blocking
        self._durability = durability
        self._nowait = _NOWAIT

    async def read(self, offset_b: int, size_b: int) -> bytes:
        found = self._cached(offset_b, min(size_b, _FAST_READ_B)) if self._nowait else b""
        if len(found) == size_b:
            return found
        rest = await self._run(_read, offset_b + len(found), size_b - len(found))
        return found + rest if found else rest

    async def write(self, offset_b: int, data: bytes) -> None:
        await self._run(_write, offset_b, data)

    async def size(self) -> int:
        return (await self._run(os.fstat)).st_size

    async def truncate(self, size_b: int) -> None:
        await self._run(os.ftruncate, size_b)

    async def sync(self) -> None:
        if self._durability is Durability.POWER:
            await self._run(os.fsync)

    async def close(self) -> None:
        if not self._shared.is_closed:
            await self._blocking.run(self._shared.close)

    def _cached(self, offset_b: int, size_b: int) -> bytes:
        """Return what the page cache holds from ``offset_b``; it takes no disk and no thread to know."""
        if self._shared.is_closed:
            return b""
        buffer = bytearray(size_b)
        try:
            count = os.preadv(self._shared.fd, [buffer], offset_b, self._nowait)
        except BlockingIOError:
            return b""
        except OSError:
            self._nowait = 0  # this file system cannot tell
            return b""
        return bytes(memoryview(buffer)[:count])

    async def _run(self, work: Callable[Concatenate[int, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        def use() -> R:
            return self._shared.run(work, *args, **kwargs)

        try:
            self._shared.enter()
            return await self._blocking.run(use)
        except OSError as error:
            raise _storage_error(error, self._path) from error


def _open_with_first(tree: PosixTree, path: bytes, size_b: int) -> tuple[int | None, int, bytes]:
    fd = tree.open_existing(path, os.O_RDONLY)
    try:
        found_b = os.fstat(fd).st_size
        first = os.pread(fd, size_b, 0)
    except BaseException:
        os.close(fd)
        raise
    if found_b > len(first):
        return fd, found_b, first
    os.close(fd)
    return None, len(first), first


def _write_whole(tree: PosixTree, path: bytes, data: bytes, durability: Durability) -> None:
    fd = tree.make_or_open(path, os.O_WRONLY | os.O_TRUNC)
    try:
        _write(fd, 0, data)
        if durability is Durability.POWER:
            os.fsync(fd)
    finally:
        os.close(fd)


def _rename(tree: PosixTree, source: bytes, target: bytes, durability: Durability) -> None:
    folder = tree.rename(source, target)
    if durability is Durability.POWER and folder:
        tree.sync_directory(folder)


def _read(fd: int, offset_b: int, size_b: int) -> bytes:
    """Read until ``size_b`` or the end of the file; the system may give less at a time."""
    data = os.pread(fd, size_b, offset_b)
    while data and len(data) < size_b:
        more = os.pread(fd, size_b - len(data), offset_b + len(data))
        if not more:
            break
        data += more
    return data


def _write(fd: int, offset_b: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(fd, view, offset_b)
        view, offset_b = view[count:], offset_b + count


def _raw(path: StoragePath) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _storage_error(error: OSError, path: StoragePath) -> StorageError:
    number = error.errno or errno.EIO
    kind = StorageUnavailable if number in _AWAY else StorageError
    return kind(number, path, error.strerror or "")


def _made(parameters: Parameters, surroundings: HelperSurroundings) -> PosixHelper:
    mount_point = parameters.text("mountPoint")
    if not mount_point.startswith("/"):
        raise BadStorageError("a posix storage needs an absolute mountPoint")
    return PosixHelper(mount_point, surroundings.blocking, surroundings.durability).for_user(
        parameters.credentials
    )


POSIX = StorageType(
    name="posix",
    arguments=[Parameter(name="mountPoint")],
    credentials=[
        Parameter(name="uid", kind=Kind.INTEGER, default="0"),
        Parameter(name="gid", kind=Kind.INTEGER, default="0", minimum=-1),
    ],
    make=_made,
    is_posix=True,
    is_buffered=False,
)
