"""Blocking operations below one folder, none of which can leave it.

Every path is walked component by component with directory descriptors and ``O_NOFOLLOW``, so a
symbolic link that somebody planted on the storage, at any depth and at any moment, is refused with
ENOTDIR or ELOOP and never followed. Paths are relative to the root, bytes, joined by ``/``.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

FILE_MODE = 0o664
DIRECTORY_MODE = 0o775
_PASS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SAFE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_MOST_TRIES = 16


class RootMissingError(Exception):
    """The root folder itself cannot be opened."""


class PosixTree:
    """The files below ``root``. Every method blocks and raises ``OSError`` or ``RootMissingError``."""

    def __init__(self, root: str) -> None:
        self._root = root

    def check(self) -> None:
        """Raise unless the root is a folder that can be read and written."""
        fd = self._open_root()
        os.close(fd)
        if not os.access(self._root, os.R_OK | os.W_OK | os.X_OK):
            raise RootMissingError("no permission to read and write the storage folder")

    def open_existing(self, path: bytes, flags: int) -> int:
        """Return the descriptor of an existing regular file."""
        with self._parent(path) as (parent, name):
            return _regular(os.open(name, flags | _SAFE, dir_fd=parent))

    def open_or_make(self, path: bytes, flags: int) -> int:
        """Return the descriptor of a regular file, made with its parents when missing."""
        for _ in range(_MOST_TRIES):
            try:
                with self._parent(path) as (parent, name):
                    return _open_or_make(name, flags, parent)
            except FileNotFoundError:
                self._make_parents(path)
        raise OSError(errno.EBUSY, "directories vanish as fast as they are made")

    def rename(self, source: bytes, target: bytes) -> bytes:
        """Move ``source`` to ``target``, making parents; return the folder that ``target`` is in."""
        for _ in range(_MOST_TRIES):
            try:
                with self._parent(source) as (old, old_name), self._parent(target) as (new, new_name):
                    os.rename(old_name, new_name, src_dir_fd=old, dst_dir_fd=new)
                    return target.rpartition(b"/")[0]
            except FileNotFoundError:
                self.stat(source)
                self._make_parents(target)
        raise OSError(errno.EBUSY, "directories vanish as fast as they are made")

    def unlink(self, path: bytes) -> None:
        """Remove a file or link; a missing one is fine."""
        try:
            with self._parent(path) as (parent, name):
                os.unlink(name, dir_fd=parent)
        except FileNotFoundError:
            return

    def stat(self, path: bytes) -> os.stat_result:
        """Return the status of whatever is at ``path``, links not followed."""
        with self._parent(path) as (parent, name):
            return os.stat(name, dir_fd=parent, follow_symlinks=False)

    def make_directory(self, path: bytes) -> None:
        """Make a directory and its parents; an existing one is fine."""
        os.close(self._walk_making(_parts(path)))

    def remove_directory(self, path: bytes) -> None:
        """Remove an empty directory; a missing one is fine."""
        try:
            with self._parent(path) as (parent, name):
                os.rmdir(name, dir_fd=parent)
        except FileNotFoundError:
            return

    def list_directory(self, path: bytes) -> list[str]:
        """Return the names in a directory; ``b""`` is the root."""
        if not path:
            return os.listdir(self._root)
        with self._parent(path) as (parent, name):
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _SAFE, dir_fd=parent)
            try:
                return os.listdir(fd)
            finally:
                os.close(fd)

    def set_mode(self, path: bytes, mode: int) -> None:
        """Set the permission bits of a file or directory."""
        with self._parent(path) as (parent, name):
            fd = os.open(name, os.O_RDONLY | _SAFE, dir_fd=parent)
            try:
                os.fchmod(fd, mode)
            finally:
                os.close(fd)

    def sync_directory(self, path: bytes) -> None:
        """Make the entries of a directory survive power loss."""
        with self._parent(path) as (parent, name):
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _SAFE, dir_fd=parent)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    def _open_root(self) -> int:
        try:
            return os.open(self._root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise RootMissingError(os.strerror(error.errno or errno.EIO)) from error

    @contextmanager
    def _parent(self, path: bytes) -> Iterator[tuple[int, bytes]]:
        """Give the descriptor of the folder that ``path`` is in, and its last name."""
        *above, name = _parts(path)
        fd = self._open_root()
        try:
            for part in above:
                inner = os.open(part, _PASS, dir_fd=fd)
                os.close(fd)
                fd = inner
            yield fd, name
        finally:
            os.close(fd)

    def _make_parents(self, path: bytes) -> None:
        os.close(self._walk_making(_parts(path)[:-1]))

    def _walk_making(self, parts: list[bytes]) -> int:
        fd = self._open_root()
        for part in parts:
            try:
                inner = _enter_or_make(fd, part)
            finally:
                os.close(fd)
            fd = inner
        return fd


def _enter_or_make(parent: int, name: bytes) -> int:
    try:
        return os.open(name, _PASS, dir_fd=parent)
    except FileNotFoundError:
        pass
    try:
        os.mkdir(name, DIRECTORY_MODE, dir_fd=parent)
    except FileExistsError:
        return os.open(name, _PASS, dir_fd=parent)
    fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _SAFE, dir_fd=parent)
    os.fchmod(fd, DIRECTORY_MODE)  # whatever the umask of the daemon is
    return fd


def _open_or_make(name: bytes, flags: int, parent: int) -> int:
    try:
        return _regular(os.open(name, flags | _SAFE, dir_fd=parent))
    except FileNotFoundError:
        pass
    try:
        fd = os.open(name, flags | os.O_CREAT | os.O_EXCL | _SAFE, FILE_MODE, dir_fd=parent)
    except FileExistsError:
        return _regular(os.open(name, flags | _SAFE, dir_fd=parent))
    os.fchmod(fd, FILE_MODE)
    return fd


def _regular(fd: int) -> int:
    """Return ``fd`` when it is a regular file; devices, pipes and directories are closed and refused."""
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return fd
    os.close(fd)
    raise OSError(errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL, "not a regular file")


def _parts(path: bytes) -> list[bytes]:
    parts = path.split(b"/")
    if any(part in (b"", b".", b"..") or b"\0" in part for part in parts):
        raise OSError(errno.EINVAL, "not a storage path")
    return parts
