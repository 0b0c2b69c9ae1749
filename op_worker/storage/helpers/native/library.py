"""Shared libraries of the operating system, loaded when a storage needs them."""

from __future__ import annotations

import ctypes
from functools import cache

from op_worker.storage.types import BadStorageError


@cache
def loaded(name: str, package: str) -> ctypes.CDLL:
    """Return the library ``name``; its calls let other threads run.

    Raises: BadStorageError that names the Debian ``package`` which has it.
    """
    try:
        return ctypes.CDLL(name, use_errno=True)
    except OSError as error:
        raise BadStorageError(
            f"this storage needs the library {name}: install the package {package} ({error})"
        ) from error
