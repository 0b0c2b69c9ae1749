"""The C libraries of RADOS and of its striper, as ctypes calls them."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p

from attrs import frozen

from op_worker.storage.types import BadStorageError

_RADOS, _STRIPER = "librados.so.2", "libradosstriper.so.1"
_SIGNATURES = {
    _RADOS: {
        "rados_create2": [POINTER(c_void_p), c_char_p, c_char_p, c_uint64],
        "rados_conf_set": [c_void_p, c_char_p, c_char_p],
        "rados_connect": [c_void_p],
        "rados_shutdown": [c_void_p],
        "rados_ioctx_create": [c_void_p, c_char_p, POINTER(c_void_p)],
        "rados_ioctx_destroy": [c_void_p],
        "rados_ioctx_get_pool_name": [c_void_p, c_char_p, c_uint],
        "rados_set_osdmap_full_try": [c_void_p],
    },
    _STRIPER: {
        "rados_striper_create": [c_void_p, POINTER(c_void_p)],
        "rados_striper_destroy": [c_void_p],
        "rados_striper_set_object_layout_stripe_unit": [c_void_p, c_uint],
        "rados_striper_set_object_layout_stripe_count": [c_void_p, c_uint],
        "rados_striper_set_object_layout_object_size": [c_void_p, c_uint],
        "rados_striper_read": [c_void_p, c_char_p, c_void_p, c_size_t, c_uint64],
        "rados_striper_write": [c_void_p, c_char_p, c_char_p, c_size_t, c_uint64],
        "rados_striper_write_full": [c_void_p, c_char_p, c_char_p, c_size_t],
        "rados_striper_trunc": [c_void_p, c_char_p, c_uint64],
        "rados_striper_remove": [c_void_p, c_char_p],
        "rados_striper_stat": [c_void_p, c_char_p, POINTER(c_uint64), POINTER(c_void_p)],
    },
}
_WITHOUT_RESULT = frozenset({"rados_shutdown", "rados_ioctx_destroy", "rados_striper_destroy"})


@frozen
class StriperLibrary:
    """Both libraries. Their functions return a negative errno where they fail."""

    rados: ctypes.CDLL
    striper: ctypes.CDLL

    @classmethod
    def load(cls) -> StriperLibrary:
        """Find them. Raises: BadStorageError that tells what to install."""
        try:
            return cls(*(_loaded(name) for name in _SIGNATURES))
        except OSError as error:
            raise BadStorageError(
                "storages of type ceph need the striper of Ceph: "
                f"install the Debian package libradosstriper1 ({error})"
            ) from error


def _loaded(name: str) -> ctypes.CDLL:
    library = ctypes.CDLL(name)
    for function, arguments in _SIGNATURES[name].items():
        found = getattr(library, function)
        found.argtypes = arguments
        found.restype = None if function in _WITHOUT_RESULT else c_int
    return library
