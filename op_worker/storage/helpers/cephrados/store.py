"""Objects of a pool of Ceph."""

from __future__ import annotations

import calendar
import errno
from collections.abc import Sequence
from time import struct_time
from typing import Any

from cluster_worker.runtime.together import together
from op_worker.storage.helper import StorageError
from op_worker.storage.helpers.cephrados.pool import Done, RadosPool
from op_worker.storage.objects.store import ObjectKey, ObjectPiece, ObjectStat

_PROBE = ".__onedata__probe"
"""An object that is never there."""


class RadosStore:
    """See ``ObjectStore`` and ``SupportsWritesInside``.

    The cluster lists no keys by their beginning, and its Python module tells no versions of objects, so there
    are no tags.
    """

    def __init__(self, pool: RadosPool) -> None:
        self._pool = pool

    async def get(self, key: ObjectKey, offset_b: int, size_b: int, tag: str = "") -> ObjectPiece:
        code, (data,) = await self._pool.run(
            key, lambda pool, done: pool.aio_read(key, size_b, offset_b, done)
        )
        return ObjectPiece((data or b"")[:code])  # for nothing read the module gives a buffer of anything

    async def put(self, key: ObjectKey, data: bytes) -> str:
        await self._pool.run(key, lambda pool, done: pool.aio_write_full(key, data, done))
        return ""

    async def delete(self, keys: Sequence[ObjectKey]) -> None:
        await together(self._remove(key) for key in keys)

    async def stat(self, key: ObjectKey) -> ObjectStat:
        _, (size_b, changed) = await self._pool.run(key, lambda pool, done: pool.aio_stat(key, done))
        return ObjectStat(key, size_b, _seconds(changed))

    async def write(self, key: ObjectKey, offset_b: int, data: bytes) -> None:
        await self._pool.run(key, lambda pool, done: pool.aio_write(key, data, offset_b, done))

    async def truncate(self, key: ObjectKey, size_b: int) -> None:
        await self.stat(key)  # a missing object would be passed over in silence

        def start(pool: Any, done: Done) -> None:
            operation = pool.create_write_op()
            try:
                operation.truncate(size_b)
                pool.operate_aio_write_op(operation, key, done)
            finally:
                operation.release()

        await self._pool.run(key, start)

    async def check(self) -> None:
        try:
            await self.stat(ObjectKey(_PROBE))
        except StorageError as error:
            if error.errno != errno.ENOENT:
                raise

    async def close(self) -> None:
        await self._pool.close()

    async def _remove(self, key: ObjectKey) -> None:
        try:
            await self._pool.run(key, lambda pool, done: pool.aio_remove(key, done))
        except StorageError as error:
            if error.errno != errno.ENOENT:
                raise


def _seconds(told: struct_time) -> float:
    """Return the seconds since the epoch; the module tells them in the time of this machine."""
    return float(calendar.timegm(told) - (told.tm_gmtoff or 0))
