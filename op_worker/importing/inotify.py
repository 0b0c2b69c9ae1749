"""Changes below a folder of this machine, as Linux tells of them by inotify(7).

Twisted's own reader closes itself when a watched directory is removed and passes over lost events in
silence, so events are read here. Parsing is apart from reading.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator

from attrs import frozen

IN_ATTRIB = 0x4
IN_CLOSE_WRITE = 0x8
IN_MOVED_FROM = 0x40
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_MOVE_SELF = 0x800
IN_Q_OVERFLOW = 0x4000
IN_IGNORED = 0x8000
IN_ONLYDIR = 0x1000000
IN_EXCL_UNLINK = 0x4000000
WATCHED = (
    IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ONLYDIR
) | IN_EXCL_UNLINK
"""What is told of each directory: names that come and go, files that were written, attributes."""
READ_B = 1 << 16
_HEADER = struct.Struct("=iIII")

_libc = ctypes.CDLL(None, use_errno=True)


@frozen
class Event:
    """One event: of a watch, about a name in its directory, empty for the directory itself."""

    watch: int
    mask: int
    name: str


def parse(data: bytes) -> Iterator[Event]:
    """Return the events of one read; the system never gives a part of one."""
    at = 0
    while at + _HEADER.size <= len(data):
        watch, mask, _, length = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        name = data[at : at + length].rstrip(b"\0")
        at += length
        yield Event(watch, mask, os.fsdecode(name))


def open_inotify() -> int:
    """Return a descriptor that events are read from. Raises: OSError when there are too many."""
    return _checked(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))


def add_watch(inotify: int, directory: int) -> int:
    """Watch an open directory; return the number of the watch.

    It is watched by its descriptor, so that no link planted on the way leads elsewhere.

    Raises: OSError(ENOSPC) when there are too many.
    """
    path = f"/proc/self/fd/{directory}".encode()
    return _checked(_libc.inotify_add_watch(inotify, ctypes.c_char_p(path), ctypes.c_uint32(WATCHED)))


def remove_watch(inotify: int, watch: int) -> None:
    """Watch a directory no more; one that is gone is fine."""
    _libc.inotify_rm_watch(inotify, watch)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
