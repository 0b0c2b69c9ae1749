"""NFS in the words of POSIX, by libnfs. Everything blocks, in a thread of a pool.

libnfs looks up every name of a path on the server. Links on the way are refused when a file is opened or
asked about; other calls first ask about the directory. No link leads out of the export in any case.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import Any

from op_worker.storage.helper import Capacity, Scanned, StorageStat
from op_worker.storage.helpers.native.sessions import Handle
from op_worker.storage.helpers.nfs.context import NfsContext
from op_worker.storage.helpers.nfs.libnfs import DIRECTORY, REGULAR, NfsCapacity, NfsName, NfsStat


class _File:
    """A handle of libnfs. One that reads ahead has a cache, which is for one thread at a time."""

    def __init__(self, pointer: ctypes.c_void_p, has_cache: bool) -> None:
        self.pointer = pointer
        self.turn: AbstractContextManager[Any] = Lock() if has_cache else nullcontext()


class NfsSession:
    """A connection for as long as one job takes.

    Args:
        is_synchronous: whether a write is on the server's disk when it is answered. It has to be for
            durability: libnfs does not notice when a server lost, by a restart, what it had answered.
    """

    def __init__(self, context: NfsContext, is_synchronous: bool) -> None:
        self._context = context
        self._sync = os.O_SYNC if is_synchronous else 0

    def open(self, path: bytes, flags: int) -> Handle:
        return self._open(path, flags | os.O_NOFOLLOW | (self._sync if flags & os.O_RDWR else 0), 0)

    def create(self, path: bytes, mode: int) -> Handle:
        self._check_folder(path)
        return self._open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | self._sync, mode)

    def close(self, handle: Handle) -> None:
        self._context.call("nfs_close", handle.pointer)

    def pread(self, handle: Handle, offset_b: int, size_b: int) -> bytes:
        buffer = ctypes.create_string_buffer(size_b)
        with handle.turn:
            count = self._context.call("nfs_pread", handle.pointer, offset_b, size_b, buffer)
        return ctypes.string_at(buffer, min(count, size_b))

    def pwrite(self, handle: Handle, offset_b: int, data: memoryview) -> int:
        content = bytes(data)
        with handle.turn:
            return self._context.call("nfs_pwrite", handle.pointer, offset_b, len(content), content)

    def forget_cached(self, handle: Handle) -> None:
        if self._context.settings.read_ahead_b:
            with handle.turn:
                self._context.give("nfs_pagecache_invalidate", handle.pointer)

    def fstat(self, handle: Handle) -> StorageStat:
        found = NfsStat()
        self._context.call("nfs_fstat64", handle.pointer, ctypes.byref(found))
        return _stat(found)

    def ftruncate(self, handle: Handle, size_b: int) -> None:
        self._context.call("nfs_ftruncate", handle.pointer, size_b)

    def fsync(self, handle: Handle) -> None:
        self._context.call("nfs_fsync", handle.pointer)

    def lstat(self, path: bytes) -> StorageStat:
        found = NfsStat()
        self._context.call("nfs_lstat64", path, ctypes.byref(found))
        return _stat(found)

    def mkdir(self, path: bytes, mode: int) -> None:
        self._check_folder(path)
        self._context.call("nfs_mkdir2", path, mode)

    def rmdir(self, path: bytes) -> None:
        self._check_folder(path)
        self._context.call("nfs_rmdir", path)

    def unlink(self, path: bytes) -> None:
        self._check_folder(path)
        self._context.call("nfs_unlink", path)

    def rename(self, source: bytes, target: bytes) -> None:
        self._check_folder(source)
        self._check_folder(target)
        self._context.call("nfs_rename", source, target)

    def link(self, source: bytes, target: bytes) -> None:
        self._check_folder(source)
        self._check_folder(target)
        self._context.call("nfs_link", source, target)

    def chmod(self, path: bytes, mode: int) -> None:
        self._check_folder(path)
        self._context.call("nfs_lchmod", path, mode)

    def chown(self, path: bytes, uid: int, gid: int) -> None:
        found = self.lstat(path)
        owner = found.uid if uid < 0 else uid
        group = found.gid if gid < 0 else gid
        assert owner is not None and group is not None
        numbers = (ctypes.c_int(number).value for number in (owner, group))
        self._context.call("nfs_lchown", path, *numbers)

    def open_directory(self, path: bytes) -> Handle:
        self._check_directory(path)
        if self._context.settings.caches_directories:
            # the cache knows names, not users: ask the server whether this one may read them
            self._context.call("nfs_access", path, os.R_OK)
        directory = ctypes.c_void_p()
        self._context.call("nfs_opendir", path, ctypes.byref(directory))
        return directory

    def read_directory(self, handle: Handle, most: int) -> Sequence[Scanned]:
        found: list[Scanned] = []
        while len(found) < most and (name := self._context.give("nfs_readdir", handle)):
            if name.contents.name not in (b".", b".."):
                found.append(_scanned(name.contents))
        return found

    def close_directory(self, handle: Handle) -> None:
        self._context.give("nfs_closedir", handle)

    def capacity(self) -> Capacity:
        found = NfsCapacity()
        self._context.call("nfs_statvfs64", b"/", ctypes.byref(found))
        return Capacity(found.frsize * found.blocks, found.frsize * found.bavail)

    def _open(self, path: bytes, flags: int, mode: int) -> Handle:
        pointer = ctypes.c_void_p()
        self._context.call("nfs_open2", path, flags, mode, ctypes.byref(pointer))
        return _File(pointer, bool(self._context.settings.read_ahead_b))

    def _check_folder(self, path: bytes) -> None:
        """Refuse a path that leads through a link."""
        above = path.rpartition(b"/")[0]
        if above:
            self._check_directory(above)

    def _check_directory(self, path: bytes) -> None:
        if not self.lstat(path).is_directory:
            raise NotADirectoryError(errno.ENOTDIR, "not a directory")


def _stat(found: NfsStat) -> StorageStat:
    mtime_s, ctime_s, atime_s = (
        seconds + nanoseconds / 1e9
        for seconds, nanoseconds in (
            (found.mtime, found.mtime_nsec),
            (found.ctime, found.ctime_nsec),
            (found.atime, found.atime_nsec),
        )
    )
    is_directory = stat.S_ISDIR(found.mode)
    return StorageStat(
        0 if is_directory else found.size,
        mtime_s,
        is_directory,
        is_other=not is_directory and not stat.S_ISREG(found.mode),
        ctime_s=ctime_s,
        atime_s=atime_s,
        mode=stat.S_IMODE(found.mode),
        uid=found.uid,
        gid=found.gid,
    )


def _scanned(found: NfsName) -> Scanned:
    is_directory = found.type == DIRECTORY
    status = StorageStat(
        0 if is_directory else found.size,
        found.mtime.seconds + found.mtime_nsec / 1e9,
        is_directory,
        is_other=found.type not in (DIRECTORY, REGULAR),
        ctime_s=found.ctime.seconds + found.ctime_nsec / 1e9,
        atime_s=found.atime.seconds + found.atime_nsec / 1e9,
        mode=stat.S_IMODE(found.mode),
        uid=found.uid,
        gid=found.gid,
    )
    return Scanned(found.name.decode("utf-8", "surrogateescape"), status)
