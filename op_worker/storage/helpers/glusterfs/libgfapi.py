"""The calls of libgfapi that we make, and the structures of the C library that they fill."""

from __future__ import annotations

import ctypes
import platform
from ctypes import (
    POINTER,
    c_char,
    c_char_p,
    c_int,
    c_int64,
    c_size_t,
    c_ssize_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from functools import cache

from op_worker.storage.helpers.native.library import loaded

NAME, PACKAGE = "libgfapi.so.0", "libglusterfs0"


class Time(ctypes.Structure):
    """``struct timespec``."""

    _fields_ = [("seconds", c_int64), ("nanoseconds", c_int64)]
    seconds: int
    nanoseconds: int


_HEADS = {
    "x86_64": [("dev", c_uint64), ("ino", c_uint64), ("nlink", c_uint64), ("mode", c_uint32)],
}
_USUAL_HEAD = [("dev", c_uint64), ("ino", c_uint64), ("mode", c_uint32), ("nlink", c_uint32)]
_TAILS = {
    "x86_64": [("pad", c_uint32), ("rdev", c_uint64), ("size", c_int64), ("blksize", c_int64)],
}
_USUAL_TAIL = [("rdev", c_uint64), ("pad", c_uint64), ("size", c_int64), ("blksize", c_int64)]


class Stat(ctypes.Structure):
    """``struct stat`` of this machine, which has 64 bits."""

    _fields_ = [
        *_HEADS.get(platform.machine(), _USUAL_HEAD),
        ("uid", c_uint32),
        ("gid", c_uint32),
        *_TAILS.get(platform.machine(), _USUAL_TAIL),
        ("blocks", c_int64),
        ("atime", Time),
        ("mtime", Time),
        ("ctime", Time),
        ("reserved", c_int64 * 3),
    ]
    mode: int
    nlink: int
    uid: int
    gid: int
    size: int
    atime: Time
    mtime: Time
    ctime: Time


class Room(ctypes.Structure):
    """``struct statvfs`` of a machine with 64 bits."""

    _fields_ = [
        *((name, c_uint64) for name in ("bsize", "frsize", "blocks", "bfree", "bavail", "files")),
        *((name, c_uint64) for name in ("ffree", "favail", "fsid", "flag", "namemax")),
        ("spare", c_int * 6),
    ]
    frsize: int
    blocks: int
    bavail: int


class Name(ctypes.Structure):
    """``struct dirent``."""

    _fields_ = [
        ("ino", c_uint64),
        ("off", c_int64),
        ("reclen", ctypes.c_uint16),
        ("type", ctypes.c_uint8),
        ("name", c_char * 256),
    ]
    name: bytes


SET_MODE, SET_OWNER, SET_GROUP = 1, 2, 4
"""What ``glfs_h_setattrs`` changes."""

_VOLUME = _OBJECT = _FILE = c_void_p
_CALLS = {
    "glfs_new": (_VOLUME, (c_char_p,)),
    "glfs_set_volfile_server": (c_int, (_VOLUME, c_char_p, c_char_p, c_int)),
    "glfs_set_logging": (c_int, (_VOLUME, c_char_p, c_int)),
    "glfs_set_xlator_option": (c_int, (_VOLUME, c_char_p, c_char_p, c_char_p)),
    "glfs_init": (c_int, (_VOLUME,)),
    "glfs_fini": (c_int, (_VOLUME,)),
    "glfs_setfsuid": (c_int, (c_uint32,)),
    "glfs_setfsgid": (c_int, (c_uint32,)),
    "glfs_setfsgroups": (c_int, (c_size_t, POINTER(c_uint32))),
    "glfs_h_lookupat": (_OBJECT, (_VOLUME, _OBJECT, c_char_p, POINTER(Stat), c_int)),
    "glfs_h_close": (c_int, (_OBJECT,)),
    "glfs_h_open": (_FILE, (_VOLUME, _OBJECT, c_int)),
    "glfs_h_creat_open": (
        _OBJECT,
        (_VOLUME, _OBJECT, c_char_p, c_int, c_uint32, POINTER(Stat), POINTER(_FILE)),
    ),
    "glfs_h_mkdir": (_OBJECT, (_VOLUME, _OBJECT, c_char_p, c_uint32, POINTER(Stat))),
    "glfs_h_unlink": (c_int, (_VOLUME, _OBJECT, c_char_p)),
    "glfs_h_rename": (c_int, (_VOLUME, _OBJECT, c_char_p, _OBJECT, c_char_p)),
    "glfs_h_link": (c_int, (_VOLUME, _OBJECT, _OBJECT, c_char_p)),
    "glfs_h_setattrs": (c_int, (_VOLUME, _OBJECT, POINTER(Stat), c_int)),
    "glfs_h_stat": (c_int, (_VOLUME, _OBJECT, POINTER(Stat))),
    "glfs_h_statfs": (c_int, (_VOLUME, _OBJECT, POINTER(Room))),
    "glfs_h_opendir": (_FILE, (_VOLUME, _OBJECT)),
    "glfs_readdirplus": (POINTER(Name), (_FILE, POINTER(Stat))),
    "glfs_closedir": (c_int, (_FILE,)),
    "glfs_close": (c_int, (_FILE,)),
    "glfs_pread": (c_ssize_t, (_FILE, c_void_p, c_size_t, c_int64, c_int, c_void_p)),
    "glfs_pwrite": (c_ssize_t, (_FILE, c_void_p, c_size_t, c_int64, c_int, c_void_p, c_void_p)),
    "glfs_fstat": (c_int, (_FILE, POINTER(Stat))),
    "glfs_ftruncate": (c_int, (_FILE, c_int64, c_void_p, c_void_p)),
    "glfs_fsync": (c_int, (_FILE, c_void_p, c_void_p)),
}


@cache
def libgfapi() -> ctypes.CDLL:
    """Return the library with the types of its calls. Raises: BadStorageError when it is not installed."""
    library = loaded(NAME, PACKAGE)
    for name, (result, arguments) in _CALLS.items():
        call = getattr(library, name)
        call.restype, call.argtypes = result, arguments
    return library
