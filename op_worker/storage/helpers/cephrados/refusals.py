"""What RADOS refuses, as errors of storages. Pure."""

from __future__ import annotations

import errno
import os

from op_worker.storage.helper import StorageError, StorageUnavailable

_FORBIDDEN = frozenset({errno.EPERM, errno.EACCES})
_TOO_LARGE = frozenset({errno.EMSGSIZE, errno.EFBIG})
_FINAL = frozenset(
    {
        errno.ENOENT,
        errno.EEXIST,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EINVAL,
        errno.ENAMETOOLONG,
        errno.EOPNOTSUPP,
        errno.ERANGE,
        errno.EIO,
    }
)
"""What is the same when it is tried again soon."""


def refusal(code: int, path: str, reason: str = "") -> StorageError:
    """Return the error for a number of RADOS, which is an errno."""
    if code in _FORBIDDEN:
        return StorageError(errno.EACCES, path, reason or "the user may not do this in the pool")
    if code in _TOO_LARGE:
        return StorageError(errno.EFBIG, path, reason or "the cluster takes no object of this size")
    if code in _FINAL:
        return StorageError(code, path, reason)
    return StorageUnavailable(code, path, reason or f"Ceph: {os.strerror(code)}")
