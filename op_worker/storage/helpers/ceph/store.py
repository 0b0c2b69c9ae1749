"""Striped objects of a pool of Ceph, each a whole file."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from twisted.internet.defer import DeferredSemaphore
from twisted.internet.interfaces import IReactorFromThreads

from cluster_worker.runtime.pool import BlockingPool
from cluster_worker.runtime.together import together
from op_worker.storage.helper import StorageError, StorageUnavailable
from op_worker.storage.helpers.ceph.striped_pool import StripedPool
from op_worker.storage.objects.store import ObjectKey, ObjectPiece, ObjectStat

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 8
_PROBE = ".__onedata__probe"
"""An object that is never there."""


class StripedStore:
    """See ``ObjectStore`` and ``SupportsWritesInside``.

    A call that is given up keeps its thread until it ends.
    """

    def __init__(self, pool: StripedPool, reactor: IReactorFromThreads) -> None:
        self._pool, self._reactor = pool, reactor
        self._threads = BlockingPool(reactor, THREADS, "ceph")
        self._turns = DeferredSemaphore(THREADS)
        self._is_closed = False

    async def get(self, key: ObjectKey, offset_b: int, size_b: int, tag: str = "") -> ObjectPiece:
        return ObjectPiece(await self._run(self._pool.read, key, offset_b, size_b))

    async def put(self, key: ObjectKey, data: bytes) -> str:
        await self._run(self._pool.write_whole, key, data)
        return ""

    async def delete(self, keys: Sequence[ObjectKey]) -> None:
        await together(self._remove(key) for key in keys)

    async def stat(self, key: ObjectKey) -> ObjectStat:
        size_b, changed_s = await self._run(self._pool.stat, key)
        return ObjectStat(key, size_b, float(changed_s))

    async def write(self, key: ObjectKey, offset_b: int, data: bytes) -> None:
        await self._run(self._pool.write, key, offset_b, data)

    async def truncate(self, key: ObjectKey, size_b: int) -> None:
        await self._run(self._pool.truncate, key, size_b)

    async def check(self) -> None:
        try:
            await self.stat(ObjectKey(_PROBE))
        except StorageError as error:
            if error.errno != errno.ENOENT:
                raise

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        for _ in range(THREADS):
            await self._turns.acquire()
        await self._threads.run(self._pool.close)
        self._threads.stopService()
        for _ in range(THREADS):
            self._turns.release()

    async def _remove(self, key: ObjectKey) -> None:
        try:
            await self._run(self._pool.remove, key)
        except StorageError as error:
            if error.errno != errno.ENOENT:
                raise

    async def _run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a call in a thread; its turn ends with the call, whether or not somebody still waits."""
        await self._turns.acquire()
        if self._is_closed:
            self._turns.release()
            raise StorageUnavailable(errno.ESHUTDOWN, "", "the storage was closed")

        def call() -> R:
            try:
                return work(*args, **kwargs)
            finally:
                self._reactor.callFromThread(self._turns.release)

        return await self._threads.run(call)
