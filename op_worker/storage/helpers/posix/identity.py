"""Acting on a file system as another user, for the length of one call, in one thread.

Linux keeps the uid and gid that files are opened with for each thread (``setfsuid``, ``setfsgid``); with
another uid than root's, a thread also loses what lets root pass permission bits. The standard library does
not offer these calls. They are made without handing the interpreter over, as they take no time.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import ParamSpec, TypeVar

from attrs import frozen

P = ParamSpec("P")
R = TypeVar("R")

_SYS_SETGROUPS: Mapping[str, int] = {"x86_64": 116, "aarch64": 159, "riscv64": 159, "ppc64le": 81}
_ASK = 0xFFFFFFFF
"""No id at all: setting it changes nothing, and tells the present one."""
_SOMEBODY = 65_534
_ROOT = ctypes.c_uint(0)
"""Only a daemon that is root acts as others."""

_libc = ctypes.PyDLL(None, use_errno=True)
_thread = threading.local()


@frozen
class Identity:
    """A user and a group of the machine, without further groups."""

    uid: int
    gid: int

    def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a blocking call as this user; afterwards the thread is the daemon's own again, come what may.

        Raises: OSError(EPERM) when the system does not let the daemon act as him; what ``work`` raises.
        """
        _drop_groups()
        try:
            _enter(self.uid, self.gid)
            return work(*args, **kwargs)
        finally:
            _leave()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Be the daemon itself for a moment within ``run``; whoever has root's uid needs no group."""
        _libc.setfsuid(_ROOT)
        try:
            yield
        finally:
            _libc.setfsuid(ctypes.c_uint(self.uid))  # what was allowed before is allowed again


def identity_of(credentials: Mapping[str, str]) -> Identity | None:
    """Return who acts with these credentials; ``None`` stands for the daemon itself.

    That is so where it may not act as others, and where they are its own.
    """
    own = os.geteuid(), os.getegid()
    uid, gid = int(credentials.get("uid", own[0])), int(credentials.get("gid", own[1]))
    wanted = uid, own[1] if gid < 0 else gid
    return Identity(*wanted) if wanted != own and can_act_as_others() else None


@cache
def can_act_as_others() -> bool:
    """Whether the system lets this daemon act as other users."""
    if os.geteuid() != 0 or platform.machine() not in _SYS_SETGROUPS or not hasattr(_libc, "setfsuid"):
        return False
    try:
        return Identity(_SOMEBODY, _SOMEBODY).run(lambda: True)
    except OSError:
        return False


def _enter(uid: int, gid: int) -> None:
    if not (_set(_libc.setfsgid, gid) and _set(_libc.setfsuid, uid)):
        _leave()
        raise OSError(errno.EPERM, f"this daemon may not act as {uid}:{gid}")


def _leave() -> None:
    """Anybody may go back to his own ids, so this cannot fail."""
    _libc.setfsuid(_ROOT)
    _libc.setfsgid(ctypes.c_uint(os.getegid()))


def _set(call: Callable[[ctypes.c_uint], int], number: int) -> bool:
    """Set an id of this thread; the calls tell nothing, so the present id is asked for."""
    call(ctypes.c_uint(number))
    return call(ctypes.c_uint(_ASK)) & _ASK == number


def _drop_groups() -> None:
    """Give up the further groups of this thread for good: as root it needs none, and no user has them.

    The library's own call would change all threads, one by one; the system's changes this one.
    """
    if getattr(_thread, "has_no_groups", False):
        return
    number = _SYS_SETGROUPS[platform.machine()]
    if _libc.syscall(ctypes.c_long(number), ctypes.c_size_t(0), ctypes.c_void_p(None)) != 0:
        raise OSError(errno.EPERM, "this daemon may not give up its groups")
    _thread.has_no_groups = True
