"""Locks by storage path that also know who is busy below a directory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from cluster_worker.runtime.locks import KeyedLocks
from op_worker.files.paths import is_below
from op_worker.storage.helper import StoragePath


class PathLocks:
    """One lock for each storage path; several are taken in one order, so nobody waits in a circle."""

    def __init__(self) -> None:
        self._locks = KeyedLocks()
        self._busy: set[StoragePath] = set()

    @asynccontextmanager
    async def hold(self, *paths: StoragePath) -> AsyncIterator[None]:
        """Hold all of ``paths`` for the body. Do not wait for other paths meanwhile, but those below."""
        async with AsyncExitStack() as stack:
            for path in sorted(set(paths)):
                await stack.enter_async_context(self._one(path))
            yield

    async def pass_by(self, path: StoragePath) -> None:
        """Return once whoever holds ``path`` now has let go."""
        if self._locks.is_held(path):
            async with self._locks.hold(path):
                return

    async def drain_below(self, *directories: StoragePath) -> None:
        """Return once nobody holds anything below the directories; newcomers are waited for too."""
        while (path := self._busy_below(directories)) is not None:
            await self.pass_by(path)

    def is_held(self, path: StoragePath) -> bool:
        """Whether somebody holds ``path``."""
        return self._locks.is_held(path)

    def _busy_below(self, directories: tuple[StoragePath, ...]) -> StoragePath | None:
        for path in self._busy:
            if any(is_below(path, directory) for directory in directories):
                return path
        return None

    @asynccontextmanager
    async def _one(self, path: StoragePath) -> AsyncIterator[None]:
        async with self._locks.hold(path):
            self._busy.add(path)
            try:
                yield
            finally:
                self._busy.discard(path)
