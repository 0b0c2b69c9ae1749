"""Locks by storage path that also know who is busy below a directory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from cluster_worker.runtime.locks import KeyedLocks
from op_worker.files.stored.paths import is_below
from op_worker.storage.helper import StoragePath


class PathLocks:
    """One lock for each storage path. Nobody waits for one while holding another, so nobody waits in a
    circle; but whoever holds a directory may wait for those who are busy below it.
    """

    def __init__(self) -> None:
        self._locks = KeyedLocks()
        self._busy: set[StoragePath] = set()

    @asynccontextmanager
    async def hold(self, *paths: StoragePath) -> AsyncIterator[None]:
        """Hold all of ``paths`` for the body; they are taken together, once all are free."""
        wanted = list(dict.fromkeys(paths))
        first = wanted[0]
        while True:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(self._one(first))
                others = [path for path in wanted if path != first]
                taken = next(filter(self.is_held, others), None)
                if taken is None:
                    for path in others:
                        await stack.enter_async_context(self._one(path))  # free, so it does not wait
                    yield
                    return
            first = taken

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
