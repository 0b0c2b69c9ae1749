"""A pool of Ceph whose objects are striped. Its calls wait: they are made in threads."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from ctypes import byref, c_uint64, c_void_p
from threading import Lock
from typing import Any

from attrs import frozen

from op_worker.storage.helper import StorageError, StorageUnavailable
from op_worker.storage.helpers.ceph.library import StriperLibrary
from op_worker.storage.helpers.cephrados.place import CephPlace
from op_worker.storage.helpers.cephrados.refusals import refusal

STRIPE_UNIT_B = 4 << 20
STRIPE_COUNT = 8
OBJECT_SIZE_B = 16 << 20
"""How files are made that were not there. Each tells its own layout, so others are read as well."""
_POOL_NAME_B = 1024


@frozen(eq=False)
class Handles:
    """What the libraries gave for an open pool."""

    cluster: c_void_p
    pool: c_void_p
    striper: c_void_p


class StripedPool:
    """A pool as one user sees it, connected at first use. Any number of threads may call it."""

    def __init__(self, library: StriperLibrary, place: CephPlace) -> None:
        self._rados, self._striper = library.rados, library.striper
        self._place = place
        self._opening = Lock()
        self._open: Handles | None = None
        self._given_up: list[Handles] = []
        self._is_closed = False

    def read(self, key: str, offset_b: int, size_b: int) -> bytes:
        """Return at most so many bytes, fewer only at the end. Raises: as ``RadosPool.run``."""
        buffer = ctypes.create_string_buffer(size_b)
        read_b = self._call(key, self._striper.rados_striper_read, buffer, size_b, offset_b)
        return bytes(memoryview(buffer)[:read_b])

    def write(self, key: str, offset_b: int, data: bytes) -> None:
        """Write; the object is made when missing. Raises: as ``read``."""
        self._call(key, self._striper.rados_striper_write, data, len(data), offset_b)

    def write_whole(self, key: str, data: bytes) -> None:
        """Make or replace an object. Raises: as ``read``."""
        self._call(key, self._striper.rados_striper_write_full, data, len(data))

    def truncate(self, key: str, size_b: int) -> None:
        """Cut or extend with zeros. Raises: as ``read``."""
        self._call(key, self._striper.rados_striper_trunc, size_b)

    def stat(self, key: str) -> tuple[int, int]:
        """Return the size and the time of change, in seconds since the epoch. Raises: as ``read``."""
        size_b, changed = c_uint64(), c_void_p()  # a time_t is as long as a pointer
        self._call(key, self._striper.rados_striper_stat, byref(size_b), byref(changed))
        return size_b.value, changed.value or 0

    def remove(self, key: str) -> None:
        """Remove an object. Raises: as ``read``."""
        self._call(key, self._striper.rados_striper_remove)

    def close(self) -> None:
        """Let the connection go when no call is under way. Idempotent."""
        with self._opening:
            self._is_closed = True
            handles = [*self._given_up, *([] if self._open is None else [self._open])]
            self._given_up, self._open = [], None
        for each in handles:
            self._let_go(each)

    def _call(self, key: str, function: Callable[..., int], *arguments: Any) -> int:
        handles = self._opened()
        code = function(handles.striper, os.fsencode(key), *arguments)
        if code == -errno.ESHUTDOWN:
            self._give_up(handles)
        if code == -errno.ENOENT:
            self._check_pool(handles)
        if code < 0:
            raise refusal(-code, key)
        return code

    def _opened(self) -> Handles:
        with self._opening:
            if self._is_closed:
                raise StorageUnavailable(errno.ESHUTDOWN, "", "the storage was closed")
            if self._open is None:
                self._open = self._connected()
            return self._open

    def _connected(self) -> Handles:
        place, rados = self._place, self._rados
        cluster, pool, striper = c_void_p(), c_void_p(), c_void_p()
        self._check(rados.rados_create2(byref(cluster), place.cluster.encode(), place.user.encode(), 0))
        try:
            for name, value in place.options.items():
                self._check(rados.rados_conf_set(cluster, name.encode(), value.encode()))
            self._check(rados.rados_connect(cluster))
            code = rados.rados_ioctx_create(cluster, place.pool.encode(), byref(pool))
            if code == -errno.ENOENT:
                raise self._vanished()
            self._check(code)
            rados.rados_set_osdmap_full_try(pool)
            self._check(self._striper.rados_striper_create(pool, byref(striper)))
            self._striper.rados_striper_set_object_layout_object_size(striper, OBJECT_SIZE_B)
            self._striper.rados_striper_set_object_layout_stripe_unit(striper, STRIPE_UNIT_B)
            self._striper.rados_striper_set_object_layout_stripe_count(striper, STRIPE_COUNT)
        except BaseException:
            self._let_go(Handles(cluster, pool, striper))
            raise
        return Handles(cluster, pool, striper)

    def _let_go(self, handles: Handles) -> None:
        if handles.striper:
            self._striper.rados_striper_destroy(handles.striper)
        if handles.pool:
            self._rados.rados_ioctx_destroy(handles.pool)
        self._rados.rados_shutdown(handles.cluster)

    def _check(self, code: int) -> None:
        """Raise for what connecting came to."""
        if code >= 0:
            return
        reason = f"{self._place.user} at {self._place.monitors}: {os.strerror(-code)}"
        if -code in (errno.EACCES, errno.EPERM):
            raise StorageError(errno.EACCES, "", reason)
        raise StorageUnavailable(-code, "", reason)

    def _check_pool(self, handles: Handles) -> None:
        """Tell a missing object from a missing pool, which RADOS calls by the same number."""
        name = ctypes.create_string_buffer(_POOL_NAME_B)
        if self._rados.rados_ioctx_get_pool_name(handles.pool, name, _POOL_NAME_B) >= 0:
            return
        self._give_up(handles)
        raise self._vanished()

    def _give_up(self, handles: Handles) -> None:
        """Connect anew for the next call; others may still be using this connection."""
        with self._opening:
            if self._open is handles:
                self._open = None
                self._given_up.append(handles)

    def _vanished(self) -> StorageUnavailable:
        return StorageUnavailable(errno.EIO, "", f"there is no pool {self._place.pool}")
