"""Blocking operations below one folder, none of which can leave it.

Every path is opened by ``beneath``, so a symbolic link that somebody planted on the storage, at any depth
and at any moment, is refused with ENOTDIR or ELOOP and never followed. The root is opened anew for each
operation, so that a storage that was moved or unmounted is noticed. Paths are relative to the root,
bytes, joined by ``/``.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from op_worker.storage.helpers.posix.beneath import OpenBeneath, best_opener
from op_worker.storage.helpers.posix.identity import Identity

P = ParamSpec("P")
R = TypeVar("R")

FILE_MODE = 0o664
DIRECTORY_MODE = 0o775
_PASS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SAFE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_MOST_TRIES = 16


class RootMissingError(Exception):
    """The root folder itself cannot be opened."""


class PosixTree:
    """The files below ``root``. Every method blocks and raises ``OSError`` or ``RootMissingError``."""

    def __init__(
        self, root: str, open_beneath: OpenBeneath | None = None, identity: Identity | None = None
    ) -> None:
        self._root = root
        self._open = open_beneath or best_opener()
        self._identity = identity

    def for_identity(self, identity: Identity) -> PosixTree:
        """Return the same tree for calls that ``identity`` runs."""
        return PosixTree(self._root, self._open, identity)

    def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``work``, which uses this tree, as whoever the tree is for."""
        if self._identity is None:
            return work(*args, **kwargs)
        return self._identity.run(work, *args, **kwargs)

    def check(self) -> None:
        """Raise unless the root is a folder that can be read and written."""
        fd = self._open_root()
        os.close(fd)
        if not os.access(self._root, os.R_OK | os.W_OK | os.X_OK):
            raise RootMissingError("no permission to read and write the storage folder")

    def open_existing(self, path: bytes, flags: int) -> int:
        """Return the descriptor of an existing regular file."""
        return _regular(self._beneath(path, flags | _SAFE))

    def open_or_make(self, path: bytes, flags: int) -> int:
        """Return the descriptor of a regular file, made with its parents when missing."""
        return self._until_found(path, lambda: self._open_or_make(path, flags))

    def make_or_open(self, path: bytes, flags: int) -> int:
        """The same, for a file that is probably missing."""
        return self._until_found(path, lambda: self._make_or_open(path, flags))

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
        """Return the status of whatever is at ``path``, links not followed; ``b""`` is the root."""
        if not path:
            return self._stat_root()
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
        fd = self._beneath(path, os.O_RDONLY | os.O_DIRECTORY | _SAFE)
        try:
            return os.listdir(fd)
        finally:
            os.close(fd)

    def open_directory(self, path: bytes) -> int:
        """Return the descriptor of a directory for reading its names; ``b""`` is the root."""
        if path:
            return self._beneath(path, os.O_RDONLY | os.O_DIRECTORY | _SAFE)
        try:
            return os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise RootMissingError(os.strerror(error.errno or errno.EIO)) from error

    def set_mode(self, path: bytes, mode: int) -> None:
        """Set the permission bits of a file or directory."""
        fd = self._beneath(path, os.O_RDONLY | _SAFE)
        try:
            os.fchmod(fd, mode)
        finally:
            os.close(fd)

    def set_owner(self, path: bytes, uid: int, gid: int) -> None:
        """Set owner and group of whatever is at ``path``, links not followed; -1 keeps one."""
        with self._parent(path) as (parent, name):
            os.chown(name, uid, gid, dir_fd=parent, follow_symlinks=False)

    def sync_directory(self, path: bytes) -> None:
        """Make the entries of a directory survive power loss."""
        fd = self._beneath(path, os.O_RDONLY | os.O_DIRECTORY | _SAFE)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def _open_root(self) -> int:
        """Open the root as the daemon itself: what is above it is no user's business."""
        if self._identity is None:
            return self._open_root_now()
        with self._identity.suspended():
            return self._open_root_now()

    def _stat_root(self) -> os.stat_result:
        fd = self._open_root()
        try:
            return os.fstat(fd)
        finally:
            os.close(fd)

    def _open_root_now(self) -> int:
        try:
            return os.open(self._root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise RootMissingError(os.strerror(error.errno or errno.EIO)) from error

    @contextmanager
    def _parent(self, path: bytes) -> Iterator[tuple[int, bytes]]:
        """Give the descriptor of the folder that ``path`` is in, and its last name."""
        _parts(path)
        above, _, name = path.rpartition(b"/")
        fd = self._beneath(above, _PASS) if above else self._open_root()
        try:
            yield fd, name
        finally:
            os.close(fd)

    def _beneath(self, path: bytes, flags: int, mode: int = 0) -> int:
        """Open a path below the root."""
        _parts(path)
        root = self._open_root()
        try:
            return self._open(root, path, flags, mode)
        finally:
            os.close(root)

    def _until_found(self, path: bytes, attempt: Callable[[], int]) -> int:
        for _ in range(_MOST_TRIES):
            try:
                return attempt()
            except FileNotFoundError:
                self._make_parents(path)
        raise OSError(errno.EBUSY, "directories vanish as fast as they are made")

    def _open_or_make(self, path: bytes, flags: int) -> int:
        try:
            return self.open_existing(path, flags)
        except FileNotFoundError:
            return self._make_or_open(path, flags)

    def _make_or_open(self, path: bytes, flags: int) -> int:
        try:
            fd = self._beneath(path, flags | os.O_CREAT | os.O_EXCL | _SAFE, FILE_MODE)
        except FileExistsError:
            return self.open_existing(path, flags)
        os.fchmod(fd, FILE_MODE)  # whatever the umask of the daemon is
        return fd

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
    inherited = os.fstat(fd).st_mode & stat.S_ISGID
    os.fchmod(fd, DIRECTORY_MODE | inherited)  # whatever the umask of the daemon is
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
