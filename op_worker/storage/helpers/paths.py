"""Storage paths taken apart. Pure."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from op_worker.storage.helper import StorageError, StoragePath


def parts(path: StoragePath) -> Sequence[str]:
    """Return the names on the way to a path. Raises: StorageError(EINVAL) when it is not a storage path."""
    names = path.split("/")
    if any(name in ("", ".", "..") or "\0" in name for name in names):
        raise StorageError(errno.EINVAL, path, "not a storage path")
    return names


def parent(path: StoragePath) -> StoragePath:
    """Return the directory that a path is in; ``""`` is the root."""
    return StoragePath(path.rpartition("/")[0])


def is_below(path: StoragePath, directory: StoragePath) -> bool:
    """Whether a path leads through a directory."""
    return path.startswith(f"{directory}/")


def moved(path: StoragePath, source: StoragePath, target: StoragePath) -> StoragePath | None:
    """Return where a path is after ``source`` became ``target``; ``None`` when it did not move."""
    if path == source or is_below(path, source):
        return StoragePath(target + path[len(source) :])
    return None


def raw(path: StoragePath) -> bytes:
    """Return the bytes of a path; names need not be UTF-8."""
    return path.encode("utf-8", "surrogateescape")


def name(raw_name: bytes) -> str:
    """Return a name of these bytes; the opposite of ``raw``."""
    return raw_name.decode("utf-8", "surrogateescape")
