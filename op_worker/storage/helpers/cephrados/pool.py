"""A pool of a Ceph cluster: connected at first use, and asked without waiting in the reactor's thread."""

from __future__ import annotations

import errno
from collections.abc import Callable
from types import ModuleType
from typing import Any

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.interfaces import IReactorFromThreads

from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.pool import BlockingPool
from op_worker.storage.helper import StorageError, StorageUnavailable
from op_worker.storage.helpers.cephrados.place import CephPlace
from op_worker.storage.helpers.cephrados.refusals import refusal

Done = Callable[..., None]
Start = Callable[[Any, Done], object]
"""Given an open pool and what to call at the end, begins an operation."""

OPERATIONS_AT_ONCE = 64
_THREADS = 2
_OPENING = "opening"


class RadosPool:
    """A pool as one user sees it.

    Connecting, and the few calls that have no other form, run on threads of its own. Everything else is begun
    in the reactor's thread, which never waits, and ends in a thread of the library, which hands the result
    over. An operation cannot be called back: one that is given up takes a place of ``OPERATIONS_AT_ONCE``
    until it ends.
    """

    def __init__(self, library: ModuleType, place: CephPlace, reactor: IReactorFromThreads) -> None:
        self._library, self._place, self._reactor = library, place, reactor
        self._threads = BlockingPool(reactor, _THREADS, "rados")
        self._locks = KeyedLocks()
        self._turns = DeferredSemaphore(OPERATIONS_AT_ONCE)
        self._cluster: Any = None
        self._pool: Any = None
        self._is_closed = False

    async def run(self, path: str, start: Start) -> tuple[int, Any]:
        """Do an operation; return its number and, where there are some, the data that came.

        Raises: StorageError(ENOENT) for a missing object; StorageUnavailable for a pool that is missing, and
            with ETIMEDOUT for a server that does not answer; StorageError as ``refusals`` has them.
        """
        pool = await self._opened()
        code, data = await self._done(pool, start)
        if code == -errno.ESHUTDOWN and self._pool is pool:
            self._cluster = self._pool = None  # the cluster shut this client out, but takes a new one
        if code == -errno.ENOENT:
            await self._check_pool(pool)
        if code < 0:
            raise refusal(-code, path)
        return code, data

    async def close(self) -> None:
        """Let the connection go. Idempotent."""
        async with self._locks.hold(_OPENING):
            if self._is_closed:
                return
            self._is_closed = True
            if self._cluster is not None:
                await self._threads.run(_shut, self._pool, self._cluster)
            self._cluster = self._pool = None
            self._threads.stopService()

    async def _opened(self) -> Any:
        if self._pool is None:
            async with self._locks.hold(_OPENING):
                if self._is_closed:
                    raise StorageUnavailable(errno.ESHUTDOWN, "", "the storage was closed")
                if self._cluster is None:
                    self._cluster = await self._threads.run(self._connect)
                if self._pool is None:
                    self._pool = await self._threads.run(self._open_pool, self._cluster)
        return self._pool

    def _connect(self) -> Any:
        """Connect. In a thread."""
        place = self._place
        try:
            cluster = self._library.Rados(
                name=place.user, clustername=place.cluster, conf=dict(place.options)
            )
            cluster.connect()
        except self._library.OSError as error:
            code = error.errno
            reason = f"{place.user} at {place.monitors}: {error}"
            if code in (errno.EACCES, errno.EPERM):
                raise StorageError(errno.EACCES, "", reason) from error
            raise StorageUnavailable(code, "", reason) from error
        return cluster

    def _open_pool(self, cluster: Any) -> Any:
        """Open the pool, so that it refuses what it has no room for instead of waiting. In a thread."""
        try:
            pool = cluster.open_ioctx(self._place.pool)
        except self._library.ObjectNotFound as error:
            raise self._vanished() from error
        except self._library.OSError as error:
            raise refusal(error.errno, "", str(error)) from error
        pool.set_osdmap_full_try()
        return pool

    async def _done(self, pool: Any, start: Start) -> tuple[int, Any]:
        await self._turns.acquire()
        waiter: Deferred[tuple[int, Any]] = Deferred()

        def done(completion: Any, *found: Any) -> None:
            """Hand a result over. In a thread of the library."""
            self._reactor.callFromThread(self._end, waiter, completion.get_return_value(), found)

        try:
            start(pool, done)
        except self._library.Error as error:
            self._turns.release()
            raise refusal(getattr(error, "errno", errno.EIO), "", str(error)) from error
        except BaseException:
            self._turns.release()
            raise
        return await waiter

    def _end(self, waiter: Deferred[tuple[int, Any]], code: int, found: tuple[Any, ...]) -> None:
        self._turns.release()
        waiter.callback((code, found))

    async def _check_pool(self, pool: Any) -> None:
        """Tell a missing object from a missing pool, which RADOS calls by the same number."""
        try:
            await self._threads.run(pool.get_pool_name)
        except self._library.ObjectNotFound as error:
            if self._pool is pool:
                self._pool = None
            raise self._vanished() from error

    def _vanished(self) -> StorageUnavailable:
        return StorageUnavailable(errno.EIO, "", f"there is no pool {self._place.pool}")


def _shut(pool: Any, cluster: Any) -> None:
    if pool is not None:
        pool.close()
    cluster.shutdown()
