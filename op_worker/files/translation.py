"""Errors of the floors below, as users of the file service get them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from cluster_worker.persistence.engine import PersistenceUnavailable, PreconditionFailed
from onedata.errors import Posix, ServiceUnavailable
from op_worker.storage.helper import StorageError, StorageUnavailable

P = ParamSpec("P")
R = TypeVar("R")


def to_onedata_error(error: StorageError) -> Posix | ServiceUnavailable:
    """Return what a user is told about a storage's refusal; never the path on the storage."""
    if isinstance(error, StorageUnavailable):
        return ServiceUnavailable()
    return Posix.from_oserror(OSError(error.errno, ""))


def translated(
    method: Callable[P, Coroutine[Any, Any, R]],
) -> Callable[P, Coroutine[Any, Any, R]]:
    """Make a method raise only errors of ``onedata.errors`` (and what its streams raise)."""

    @wraps(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await method(*args, **kwargs)
        except StorageError as error:
            raise to_onedata_error(error) from error
        except (PersistenceUnavailable, PreconditionFailed) as error:
            raise ServiceUnavailable() from error

    return call
