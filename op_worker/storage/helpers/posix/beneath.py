"""Opening paths that cannot leave a folder: no symbolic link is followed, at any depth.

Linux has one call for it, ``openat2`` (since 5.6), which the standard library does not offer; elsewhere
the path is walked with a descriptor for each folder. Both refuse a link with ELOOP or ENOTDIR. One call
instead of two for each folder matters: every call of a pool thread hands the interpreter over twice.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable

OpenBeneath = Callable[[int, bytes, int, int], int]
"""Given the descriptor of a folder, a path below it (components joined by ``/``), flags and, for
``O_CREAT``, a mode, returns a descriptor. Blocks; raises OSError."""

_SYS_OPENAT2 = 437  # the same on every architecture
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_PASS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class _OpenHow(ctypes.Structure):
    """``struct open_how`` of openat2(2)."""

    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long
_HOW_SIZE = ctypes.c_size_t(ctypes.sizeof(_OpenHow))


def open_at_once(folder: int, path: bytes, flags: int, mode: int = 0) -> int:
    """``OpenBeneath`` by openat2."""
    how = _OpenHow(flags | os.O_CLOEXEC, mode, _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS)
    fd: int = _syscall(
        ctypes.c_long(_SYS_OPENAT2), ctypes.c_int(folder), ctypes.c_char_p(path), ctypes.byref(how), _HOW_SIZE
    )
    if fd < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return fd


def open_walking(folder: int, path: bytes, flags: int, mode: int = 0) -> int:
    """``OpenBeneath`` component by component."""
    *above, name = path.split(b"/")
    fd = os.dup(folder)
    try:
        for part in above:
            inner = os.open(part, _PASS, dir_fd=fd)
            os.close(fd)
            fd = inner
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=fd)
    finally:
        os.close(fd)


def best_opener() -> OpenBeneath:
    """The faster way that this kernel allows."""
    here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.close(open_at_once(here, b".", _PASS))
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EPERM, errno.EINVAL):
            return open_walking
        raise
    finally:
        os.close(here)
    return open_at_once
