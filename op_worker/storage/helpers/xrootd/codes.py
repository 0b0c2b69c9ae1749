"""Errors of XRootD as numbers of POSIX. Pure."""

from __future__ import annotations

import errno
import os

_BY_CODE = {
    3000: errno.EINVAL,  # an argument is wrong
    3001: errno.EINVAL,  # an argument is missing
    3002: errno.ENAMETOOLONG,
    3003: errno.EBUSY,  # somebody else has the file open
    3004: errno.EBADF,
    3006: errno.EINVAL,
    3007: errno.EIO,
    3008: errno.ENOMEM,
    3009: errno.ENOSPC,
    3010: errno.EACCES,  # not authorized
    3011: errno.ENOENT,
    3013: errno.ENOTSUP,
    3015: errno.ESTALE,  # no such handle
    3016: errno.EISDIR,
    3018: errno.EEXIST,
    3020: errno.EDQUOT,
    3021: errno.EBADF,
    3025: errno.EROFS,
    3030: errno.EACCES,  # authentication failed
    3032: errno.EEXIST,
    3033: errno.ETIMEDOUT,
}
_BY_WORDS = {
    os.strerror(number).lower(): number
    for number in (
        *(errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.EACCES),
        *(errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG, errno.EINVAL),
    )
}
INVALID_SESSION = 109
"""The connection that a file was opened on is gone, and the file with it."""
_AWAY = frozenset({101, 102, 103, 104, 105, 106, 107, 108, 110, 201, 202, 203, 204, 205, 207, 211})
_LATE = frozenset({206})


def errno_of(code: int, protocol_errno: int, message: str) -> tuple[int, bool]:
    """Return an errno, and whether the server could not be asked at all.

    Args:
        code: of the client's status.
        protocol_errno: what the server answered, as the protocol numbers it; 0 when it did not.
        message: words that end with those of the server's system, where its number says nothing.
    """
    words = message.strip().rpartition(";")[2].strip().lower()
    if protocol_errno:
        if words == "file path marked read/only":
            return errno.EROFS, False
        return _BY_WORDS.get(words) or _BY_CODE.get(protocol_errno, errno.EIO), False
    if code == INVALID_SESSION:
        return errno.ESTALE, False
    if code in _LATE:
        return errno.ETIMEDOUT, True
    return (errno.ENOTCONN, True) if code in _AWAY else (errno.EIO, False)
