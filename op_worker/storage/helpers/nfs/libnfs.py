"""The calls of libnfs that we make, and its structures."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_long, c_uint32, c_uint64, c_void_p
from functools import cache

from op_worker.storage.helpers.native.library import loaded

NAME, PACKAGE = "libnfs.so.13", "libnfs13"


class NfsStat(ctypes.Structure):
    """``struct nfs_stat_64``: all are 64 bits wide."""

    _fields_ = [
        (name, c_uint64)
        for name in (
            *("dev", "ino", "mode", "nlink", "uid", "gid", "rdev", "size", "blksize", "blocks"),
            *("atime", "mtime", "ctime", "atime_nsec", "mtime_nsec", "ctime_nsec", "used"),
        )
    ]
    dev: int
    ino: int
    mode: int
    uid: int
    gid: int
    size: int
    atime: int
    mtime: int
    ctime: int
    atime_nsec: int
    mtime_nsec: int
    ctime_nsec: int


class NfsCapacity(ctypes.Structure):
    """``struct nfs_statvfs_64``."""

    _fields_ = [
        (name, c_uint64)
        for name in (
            *("bsize", "frsize", "blocks", "bfree", "bavail", "files"),
            *("ffree", "favail", "fsid", "flag", "namemax"),
        )
    ]
    frsize: int
    blocks: int
    bavail: int


class _Time(ctypes.Structure):
    _fields_ = [("seconds", c_long), ("microseconds", c_long)]
    seconds: int


class NfsName(ctypes.Structure):
    """``struct nfsdirent``: a name of a directory with what it leads to. ``mode`` has no bits of the kind."""

    name: bytes
    type: int
    mode: int
    size: int
    atime: _Time
    mtime: _Time
    ctime: _Time
    uid: int
    gid: int
    atime_nsec: int
    mtime_nsec: int
    ctime_nsec: int


NfsName._fields_ = [
    ("next", POINTER(NfsName)),
    ("name", c_char_p),
    ("inode", c_uint64),
    ("type", c_uint32),
    ("mode", c_uint32),
    ("size", c_uint64),
    ("atime", _Time),
    ("mtime", _Time),
    ("ctime", _Time),
    ("uid", c_uint32),
    ("gid", c_uint32),
    ("nlink", c_uint32),
    *((name, c_uint64) for name in ("dev", "rdev", "blksize", "blocks", "used")),
    ("atime_nsec", c_uint32),
    ("mtime_nsec", c_uint32),
    ("ctime_nsec", c_uint32),
]
REGULAR, DIRECTORY = 1, 2
"""Kinds of ``NfsName.type``, as the protocol numbers them."""

_CALLS = {
    "nfs_init_context": (c_void_p, ()),
    "nfs_destroy_context": (None, (c_void_p,)),
    "nfs_parse_url_incomplete": (c_void_p, (c_void_p, c_char_p)),
    "nfs_destroy_url": (None, (c_void_p,)),
    "nfs_get_error": (c_char_p, (c_void_p,)),
    "nfs_set_uid": (None, (c_void_p, c_int)),
    "nfs_set_gid": (None, (c_void_p, c_int)),
    "nfs_set_timeout": (None, (c_void_p, c_int)),
    "nfs_set_autoreconnect": (None, (c_void_p, c_int)),
    "nfs_set_tcp_syncnt": (None, (c_void_p, c_int)),
    "nfs_set_readahead": (None, (c_void_p, c_uint32)),
    "nfs_set_dircache": (None, (c_void_p, c_int)),
    "nfs_umask": (ctypes.c_uint16, (c_void_p, ctypes.c_uint16)),
    "nfs_mount": (c_int, (c_void_p, c_char_p, c_char_p)),
    "nfs_open2": (c_int, (c_void_p, c_char_p, c_int, c_int, POINTER(c_void_p))),
    "nfs_close": (c_int, (c_void_p, c_void_p)),
    "nfs_pread": (c_int, (c_void_p, c_void_p, c_uint64, c_uint64, c_void_p)),
    "nfs_pwrite": (c_int, (c_void_p, c_void_p, c_uint64, c_uint64, c_void_p)),
    "nfs_fstat64": (c_int, (c_void_p, c_void_p, POINTER(NfsStat))),
    "nfs_lstat64": (c_int, (c_void_p, c_char_p, POINTER(NfsStat))),
    "nfs_ftruncate": (c_int, (c_void_p, c_void_p, c_uint64)),
    "nfs_fsync": (c_int, (c_void_p, c_void_p)),
    "nfs_pagecache_invalidate": (None, (c_void_p, c_void_p)),
    "nfs_mkdir2": (c_int, (c_void_p, c_char_p, c_int)),
    "nfs_rmdir": (c_int, (c_void_p, c_char_p)),
    "nfs_unlink": (c_int, (c_void_p, c_char_p)),
    "nfs_rename": (c_int, (c_void_p, c_char_p, c_char_p)),
    "nfs_link": (c_int, (c_void_p, c_char_p, c_char_p)),
    "nfs_lchmod": (c_int, (c_void_p, c_char_p, c_int)),
    "nfs_lchown": (c_int, (c_void_p, c_char_p, c_int, c_int)),
    "nfs_access": (c_int, (c_void_p, c_char_p, c_int)),
    "nfs_opendir": (c_int, (c_void_p, c_char_p, POINTER(c_void_p))),
    "nfs_readdir": (POINTER(NfsName), (c_void_p, c_void_p)),
    "nfs_closedir": (None, (c_void_p, c_void_p)),
    "nfs_statvfs64": (c_int, (c_void_p, c_char_p, POINTER(NfsCapacity))),
}


@cache
def libnfs() -> ctypes.CDLL:
    """Return the library with the types of its calls. Raises: BadStorageError when it is not installed."""
    library = loaded(NAME, PACKAGE)
    for name, (result, arguments) in _CALLS.items():
        call = getattr(library, name)
        call.restype, call.argtypes = result, arguments
    return library
