"""GlusterFS in the words of POSIX, by libgfapi. Everything blocks, in a thread of a pool."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from op_worker.storage.helper import Capacity, Scanned, StorageStat
from op_worker.storage.helpers.glusterfs.libgfapi import SET_GROUP, SET_MODE, SET_OWNER, Room, Stat
from op_worker.storage.helpers.native.sessions import Handle

_PLAIN = os.O_RDWR | os.O_CREAT | os.O_EXCL


@frozen(eq=False)
class _Directory:
    """An open directory, and the object by which names that came without a status are looked up."""

    handle: int
    place: int


class GlusterSession:
    """A volume for as long as one job takes.

    Args:
        checked: returns what a call gave, or raises.
        look_up: gives the object of a name in a directory.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        volume: int,
        root: int,
        checked: Callable[[Any], Any],
        look_up: Callable[[int, int | None, bytes, Stat], int],
    ) -> None:
        self._library, self._volume, self._root = library, volume, root
        self._checked, self._look_up = checked, look_up

    def open(self, path: bytes, flags: int) -> Handle:
        with self._place(path) as (place, found):
            if not stat.S_ISREG(found.mode):
                raise OSError(_not_a_file(found.mode), "not a regular file")
            return self._checked(self._library.glfs_h_open(self._volume, place, flags))

    def create(self, path: bytes, mode: int) -> Handle:
        file, found = ctypes.c_void_p(), Stat()
        with self._parent(path) as (parent, name):
            place = self._checked(
                self._library.glfs_h_creat_open(
                    self._volume, parent, name, _PLAIN, mode, ctypes.byref(found), ctypes.byref(file)
                )
            )
        self._library.glfs_h_close(place)
        return file.value

    def close(self, handle: Handle) -> None:
        self._checked(self._library.glfs_close(handle))

    def pread(self, handle: Handle, offset_b: int, size_b: int) -> bytes:
        buffer = ctypes.create_string_buffer(size_b)
        count = self._checked(self._library.glfs_pread(handle, buffer, size_b, offset_b, 0, None))
        return ctypes.string_at(buffer, min(count, size_b))

    def pwrite(self, handle: Handle, offset_b: int, data: memoryview) -> int:
        content = bytes(data)
        arguments = (content, len(content), offset_b, 0, None, None)
        count: int = self._checked(self._library.glfs_pwrite(handle, *arguments))
        return count

    def forget_cached(self, handle: Handle) -> None:
        return

    def fstat(self, handle: Handle) -> StorageStat:
        found = Stat()
        self._checked(self._library.glfs_fstat(handle, ctypes.byref(found)))
        return _stat(found)

    def ftruncate(self, handle: Handle, size_b: int) -> None:
        self._checked(self._library.glfs_ftruncate(handle, size_b, None, None))

    def fsync(self, handle: Handle) -> None:
        self._checked(self._library.glfs_fsync(handle, None, None))

    def lstat(self, path: bytes) -> StorageStat:
        with self._place(path) as (_, found):
            return _stat(found)

    def mkdir(self, path: bytes, mode: int) -> None:
        with self._parent(path) as (parent, name):
            arguments = (self._volume, parent, name, mode, ctypes.byref(Stat()))
            self._library.glfs_h_close(self._checked(self._library.glfs_h_mkdir(*arguments)))

    def rmdir(self, path: bytes) -> None:
        self._unlink(path, wants_directory=True)

    def unlink(self, path: bytes) -> None:
        self._unlink(path, wants_directory=False)

    def rename(self, source: bytes, target: bytes) -> None:
        with self._parent(source) as (old, old_name), self._parent(target) as (new, new_name):
            arguments = (self._volume, old, old_name, new, new_name)
            try:
                self._checked(self._library.glfs_h_rename(*arguments))
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # also said of kinds that do not fit
                    self._check_kinds(source, target)
                raise

    def link(self, source: bytes, target: bytes) -> None:
        with self._place(source) as (place, _), self._parent(target) as (parent, name):
            self._checked(self._library.glfs_h_link(self._volume, place, parent, name))

    def chmod(self, path: bytes, mode: int) -> None:
        self._set(path, Stat(mode=mode), SET_MODE)

    def chown(self, path: bytes, uid: int, gid: int) -> None:
        which = (SET_OWNER if uid >= 0 else 0) | (SET_GROUP if gid >= 0 else 0)
        self._set(path, Stat(uid=max(uid, 0), gid=max(gid, 0)), which)

    def open_directory(self, path: bytes) -> Handle:
        place, found = self._walked(path)
        try:
            if not stat.S_ISDIR(found.mode):
                raise NotADirectoryError(errno.ENOTDIR, "not a directory")
            return _Directory(self._checked(self._library.glfs_h_opendir(self._volume, place)), place)
        except BaseException:
            self._done_with(place)
            raise

    def read_directory(self, handle: Handle, most: int) -> Sequence[Scanned]:
        names: list[Scanned] = []
        while len(names) < most:
            found = Stat()
            ctypes.set_errno(0)
            entry = self._library.glfs_readdirplus(handle.handle, ctypes.byref(found))
            if not entry:
                if number := ctypes.get_errno():
                    raise OSError(number, os.strerror(number))
                return names
            name = entry.contents.name
            if name not in (b".", b".."):
                names += self._scanned(handle.place, name, found)
        return names

    def close_directory(self, handle: Handle) -> None:
        self._library.glfs_closedir(handle.handle)
        self._done_with(handle.place)

    def capacity(self) -> Capacity:
        found = Room()
        self._checked(self._library.glfs_h_statfs(self._volume, self._root, ctypes.byref(found)))
        return Capacity(found.frsize * found.blocks, found.frsize * found.bavail)

    def _unlink(self, path: bytes, *, wants_directory: bool) -> None:
        """Remove one name; the call makes no difference between files and directories, but we do."""
        with self._parent(path) as (parent, name):
            found = Stat()
            self._library.glfs_h_close(self._look_up(self._volume, parent, name, found))
            if stat.S_ISDIR(found.mode) != wants_directory:
                number = errno.ENOTDIR if wants_directory else errno.EISDIR
                raise OSError(number, os.strerror(number))
            self._checked(self._library.glfs_h_unlink(self._volume, parent, name))

    def _check_kinds(self, source: bytes, target: bytes) -> None:
        is_directory, into_directory = (self.lstat(path).is_directory for path in (source, target))
        if is_directory != into_directory:
            number = errno.ENOTDIR if is_directory else errno.EISDIR
            raise OSError(number, os.strerror(number))

    def _set(self, path: bytes, wanted: Stat, which: int) -> None:
        with self._place(path) as (place, found):
            if stat.S_ISLNK(found.mode):
                raise OSError(errno.ELOOP, "links are not followed")
            arguments = (self._volume, place, ctypes.byref(wanted), which)
            self._checked(self._library.glfs_h_setattrs(*arguments))

    def _scanned(self, parent: int, name: bytes, found: Stat) -> Sequence[Scanned]:
        if not found.nlink:  # bricks may leave the status out
            try:
                self._library.glfs_h_close(self._look_up(self._volume, parent, name, found))
            except FileNotFoundError:
                return []
        return [Scanned(name.decode("utf-8", "surrogateescape"), _stat(found))]

    @contextmanager
    def _place(self, path: bytes) -> Iterator[tuple[int, Stat]]:
        """Give the object at a path, and its status."""
        place, found = self._walked(path)
        try:
            yield place, found
        finally:
            self._done_with(place)

    @contextmanager
    def _parent(self, path: bytes) -> Iterator[tuple[int, bytes]]:
        """Give the object of the directory that ``path`` is in, and the last name."""
        above, _, name = path.rpartition(b"/")
        with self._place(above) as (place, found):
            if above and not stat.S_ISDIR(found.mode):
                raise NotADirectoryError(errno.ENOTDIR, "not a directory")
            yield place, name

    def _walked(self, path: bytes) -> tuple[int, Stat]:
        place, found = self._root, Stat(mode=stat.S_IFDIR)
        names = [name for name in path.split(b"/") if name]
        if not names:
            self._checked(self._library.glfs_h_stat(self._volume, place, ctypes.byref(found)))
        for name in names:
            try:
                if not stat.S_ISDIR(found.mode):
                    raise NotADirectoryError(errno.ENOTDIR, "not a directory")
                inner = self._look_up(self._volume, place, name, found)
            finally:
                self._done_with(place)
            place = inner
        return place, found

    def _done_with(self, place: int) -> None:
        if place != self._root:
            self._library.glfs_h_close(place)


def _not_a_file(mode: int) -> int:
    if stat.S_ISDIR(mode):
        return errno.EISDIR
    return errno.ELOOP if stat.S_ISLNK(mode) else errno.EINVAL


def _stat(found: Stat) -> StorageStat:
    mtime_s, ctime_s, atime_s = (
        each.seconds + each.nanoseconds / 1e9 for each in (found.mtime, found.ctime, found.atime)
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
