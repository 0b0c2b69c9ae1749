"""What helpers promise of paths, by the verbs of a session. Everything blocks, in a thread of a pool."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from op_worker.storage.helper import StorageError, StoragePath, StorageStat
from op_worker.storage.helpers.native.sessions import Handle, Session

FILE_MODE = 0o664
DIRECTORY_MODE = 0o775
_MOST_TRIES = 16
_NONE = frozenset({b"", b".", b".."})


def raw(path: StoragePath) -> bytes:
    """Return the path as sessions take it. Raises: StorageError(EINVAL) when it is none."""
    found = path.encode("utf-8", "surrogateescape")
    if b"\0" in found or any(part in _NONE for part in found.split(b"/")):
        raise StorageError(errno.EINVAL, path, "not a storage path")
    return b"/" + found


def raw_directory(path: StoragePath) -> bytes:
    """The same for a directory: empty is the root."""
    return raw(path) if path else b"/"


def open_existing(session: Session, path: bytes, flags: int) -> Handle:
    """Open a regular file; everything else is refused."""
    handle = session.open(path, flags)
    try:
        _check_regular(session.fstat(handle))
    except BaseException:
        session.close(handle)
        raise
    return handle


def open_or_make(session: Session, path: bytes) -> Handle:
    """Open a regular file for reading and writing, made with its parents when missing."""

    def attempt() -> Handle:
        try:
            return open_existing(session, path, os.O_RDWR)
        except FileNotFoundError:
            return session.create(path, FILE_MODE)

    return _with_parents(session, path, attempt)


def make_directory(session: Session, path: bytes) -> None:
    """Make a directory and its parents; an existing one is fine."""
    for _ in range(_MOST_TRIES):
        try:
            session.mkdir(path, DIRECTORY_MODE)
        except FileExistsError:
            if not session.lstat(path).is_directory:
                raise NotADirectoryError(errno.ENOTDIR, "not a directory") from None
        except FileNotFoundError:
            _make_parents(session, path)
            continue
        return
    raise OSError(errno.EBUSY, "directories vanish as fast as they are made")


def rename(session: Session, source: bytes, target: bytes) -> None:
    """Move, making parents of the target."""
    if source == target:
        session.lstat(source)
        return

    def attempt() -> None:
        try:
            session.rename(source, target)
        except FileExistsError as error:
            raise OSError(errno.ENOTEMPTY, "the target directory is not empty") from error

    _with_parents(session, target, attempt, is_missing=lambda: _is_missing(session, source))


def remove(session: Session, path: bytes) -> None:
    """Remove a file; a missing one is fine."""
    try:
        session.unlink(path)
    except FileNotFoundError:
        return


def remove_directory(session: Session, path: bytes) -> None:
    """Remove an empty directory; a missing one is fine."""
    try:
        session.rmdir(path)
    except FileNotFoundError:
        return
    except FileExistsError as error:
        raise OSError(errno.ENOTEMPTY, "the directory is not empty") from error


def _with_parents(
    session: Session,
    path: bytes,
    attempt: Callable[[], Handle],
    is_missing: Callable[[], bool] = lambda: False,
) -> Handle:
    for _ in range(_MOST_TRIES):
        try:
            return attempt()
        except FileNotFoundError:
            if is_missing():
                raise
            _make_parents(session, path)
        except FileExistsError:
            continue  # somebody made it a moment ago
    raise OSError(errno.EBUSY, "directories vanish as fast as they are made")


def _make_parents(session: Session, path: bytes) -> None:
    above = path.rpartition(b"/")[0]
    if above:
        make_directory(session, above)


def _is_missing(session: Session, path: bytes) -> bool:
    try:
        session.lstat(path)
    except FileNotFoundError:
        return True
    return False


def _check_regular(found: StorageStat) -> None:
    if found.is_directory:
        raise IsADirectoryError(errno.EISDIR, "is a directory")
    if found.is_other:
        raise OSError(errno.EINVAL, "not a regular file")
