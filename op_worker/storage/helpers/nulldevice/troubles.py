"""Latency and timeouts of a storage that has neither."""

from __future__ import annotations

import errno
from random import Random

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from op_worker.storage.helper import StorageUnavailable
from op_worker.storage.types import BadStorageError

EVERYTHING = "*"
OPERATIONS = frozenset(
    "open read write truncate sync stat remove rename make_directory remove_directory list_directory scan"
    " set_mode set_owner capacity check close".split()
)
_OTHER_NAMES = {
    "getattr": "stat",
    "unlink": "remove",
    "mkdir": "make_directory",
    "rmdir": "remove_directory",
    "readdir": "list_directory",
    "fsync": "sync",
    "flush": "sync",
    "release": "close",
    "mknod": "open",
    "access": "check",
    "chmod": "set_mode",
    "chown": "set_owner",
}
"""Names of the file systems of old that stand for ours."""


@frozen(eq=False)
class Troubles:
    """What operations suffer before they are done.

    Args:
        latency_ms: the shortest and the longest.
        timeout_probability: from 0 to 1.
        operations: those that suffer.
    """

    clock: IReactorTime
    random: Random
    latency_ms: tuple[int, int] = (0, 0)
    timeout_probability: float = 0.0
    operations: frozenset[str] = OPERATIONS

    async def suffer(self, operation: str, path: str = "") -> None:
        """Wait, and perhaps time out. Raises: StorageUnavailable(EAGAIN)."""
        if operation not in self.operations:
            return
        shortest, longest = self.latency_ms
        if longest > 0:
            waiting: Deferred[None] = deferLater(self.clock, self.random.uniform(shortest, longest) / 1000)
            await waiting
        if self.timeout_probability and self.random.random() < self.timeout_probability:
            raise StorageUnavailable(errno.EAGAIN, path, "a simulated timeout")


def filtered(text: str) -> frozenset[str]:
    """Return the operations that a ``filter`` names. Raises: BadStorageError."""
    if text.strip() == EVERYTHING:
        return OPERATIONS
    names = {_OTHER_NAMES.get(word.strip(), word.strip()) for word in text.split(",") if word.strip()}
    unknown = names - OPERATIONS
    if unknown:
        raise BadStorageError(f"filter names operations that there are not: {', '.join(sorted(unknown))}")
    return frozenset(names)
