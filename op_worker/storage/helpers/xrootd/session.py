"""XRootD in the words of POSIX. Everything blocks, in a thread of a pool.

The server follows links by itself, and has no question that tells a link from what it leads to.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any
from urllib.parse import parse_qs

from attrs import frozen

from op_worker.storage.helper import Capacity, Scanned, StorageStat
from op_worker.storage.helpers.native.sessions import Handle, Lost, Session, User
from op_worker.storage.helpers.xrootd.address import XrootdAddress
from op_worker.storage.helpers.xrootd.client import client
from op_worker.storage.helpers.xrootd.codes import errno_of

_LONGEST_NAME_B = 254


@frozen(eq=False)
class XrootdSessions:
    """The one session that all jobs share: the library has its own connections.

    Args:
        timeout_s: how long a request may take, in whole seconds.
        file_mask, directory_mask: what is left of the modes of new files and directories.
    """

    address: XrootdAddress
    timeout_s: int
    file_mask: int
    directory_mask: int

    @contextmanager
    def session(self, user: User) -> Iterator[Session]:
        """Give the session; nobody acts as a user of the server's system."""
        yield XrootdSession(self)

    def close(self) -> None:
        return


class XrootdSession:
    """The requests that the verbs of POSIX need."""

    def __init__(self, settings: XrootdSessions) -> None:
        self._settings, self._client = settings, client()
        self._system = self._client.FileSystem(settings.address.server)
        self._limit = {"timeout": settings.timeout_s}

    def open(self, path: bytes, flags: int) -> Handle:
        # others may have it open: without FORCE the server lets one writer or some readers have a file
        kind = self._client.flags.OpenFlags
        return self._open(path, kind.UPDATE | kind.FORCE if flags & os.O_RDWR else kind.READ | kind.FORCE, 0)

    def create(self, path: bytes, mode: int) -> Handle:
        self._check_folder(path)
        kind = self._client.flags.OpenFlags
        return self._open(path, kind.NEW | kind.FORCE, mode & self._settings.file_mask)

    def close(self, handle: Handle) -> None:
        try:
            self._answer(handle.close(**self._limit))
        except Lost:
            return  # the server has forgotten it together with the connection

    def pread(self, handle: Handle, offset_b: int, size_b: int) -> bytes:
        data: bytes = self._answer(handle.read(offset_b, size_b, **self._limit))
        return data

    def pwrite(self, handle: Handle, offset_b: int, data: memoryview) -> int:
        self._answer(handle.write(bytes(data), offset_b, len(data), **self._limit))
        return len(data)

    def forget_cached(self, handle: Handle) -> None:
        return

    def fstat(self, handle: Handle) -> StorageStat:
        return self._stat(self._answer(handle.stat(True, **self._limit)))

    def ftruncate(self, handle: Handle, size_b: int) -> None:
        self._answer(handle.truncate(size_b, **self._limit))

    def fsync(self, handle: Handle) -> None:
        self._answer(handle.sync(**self._limit))

    def lstat(self, path: bytes) -> StorageStat:
        return self._stat(self._answer(self._system.stat(self._path(path), **self._limit)))

    def mkdir(self, path: bytes, mode: int) -> None:
        where, masked = self._path(path), mode & self._settings.directory_mask
        self._answer(self._system.mkdir(where, 0, masked, **self._limit))

    def rmdir(self, path: bytes) -> None:
        self._answer(self._system.rmdir(self._path(path), **self._limit))

    def unlink(self, path: bytes) -> None:
        if self.lstat(path).is_directory:  # the server would remove an empty one
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        self._answer(self._system.rm(self._path(path), **self._limit))

    def rename(self, source: bytes, target: bytes) -> None:
        self._check_folder(target)
        self._answer(self._system.mv(self._path(source), self._path(target), **self._limit))

    def link(self, source: bytes, target: bytes) -> None:
        raise OSError(errno.ENOTSUP, "XRootD has no links")

    def chmod(self, path: bytes, mode: int) -> None:
        self._answer(self._system.chmod(self._path(path), mode, **self._limit))

    def chown(self, path: bytes, uid: int, gid: int) -> None:
        raise OSError(errno.ENOTSUP, "XRootD has no owners")

    def open_directory(self, path: bytes) -> Handle:
        flags = self._client.flags.DirListFlags.STAT
        listing = self._answer(self._system.dirlist(self._path(path), flags, **self._limit))
        if listing is None:
            raise OSError(errno.EIO, "a name in the directory has a line break, which listings cannot say")
        return iter(listing)

    def read_directory(self, handle: Handle, most: int) -> Sequence[Scanned]:
        return [Scanned(each.name, self._stat(each.statinfo)) for each in islice(handle, most)]

    def close_directory(self, handle: Handle) -> None:
        return

    def capacity(self) -> Capacity:
        code = self._client.flags.QueryCode.SPACE
        answer: bytes = self._answer(self._system.query(code, self._path(b"/"), **self._limit))
        found = parse_qs(answer.rstrip(b"\0\n").decode("ascii", "replace"))
        try:
            return Capacity(int(found["oss.space"][0]), int(found["oss.free"][0]))
        except (KeyError, ValueError) as error:
            raise OSError(errno.ENOTSUP, "the server does not tell its room") from error

    def _open(self, path: bytes, flags: int, mode: int) -> Handle:
        file = self._client.File()
        for recovery in ("ReadRecovery", "WriteRecovery"):
            file.set_property(recovery, "false")  # it would open, by the path, what is another file by then
        url = self._settings.address.url(self._path(path))
        self._answer(file.open(url, flags, mode, **self._limit))
        return file

    def _check_folder(self, path: bytes) -> None:
        """Demand the directory that a path is in: the server would make it, with a mode of its own."""
        above = path.rpartition(b"/")[0]
        if above and not self.lstat(above).is_directory:
            raise NotADirectoryError(errno.ENOTDIR, "not a directory")

    def _path(self, path: bytes) -> str:
        found = self._settings.address.path(path)
        if found is None:
            raise OSError(errno.EINVAL, "XRootD cannot name files with question marks or line breaks")
        if any(len(name) > _LONGEST_NAME_B for name in path.split(b"/")):
            raise OSError(errno.ENAMETOOLONG, "listings cut longer names")
        return found

    def _answer(self, answer: tuple[Any, Any]) -> Any:
        status, response = answer
        if status.ok:
            return response
        number, is_lost = errno_of(status.code, status.errno, status.message)
        raise (Lost if is_lost else OSError)(number, status.message.strip())

    def _stat(self, found: Any) -> StorageStat:
        flags = self._client.flags.StatInfoFlags
        is_directory = bool(found.flags & flags.IS_DIR)
        return StorageStat(
            0 if is_directory else found.size,
            float(found.mtime or found.modtime),
            is_directory,
            is_other=bool(found.flags & flags.OTHER),
            ctime_s=float(found.ctime) if found.extended else None,
            atime_s=float(found.atime) if found.extended else None,
            mode=int(found.mode, 8) if found.extended else None,
        )
