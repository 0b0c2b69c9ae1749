"""Stores of objects that count, take their time, or lose their power."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater

from op_worker.storage.helper import StorageUnavailable
from op_worker.storage.objects.memory_store import MemoryObjects
from op_worker.storage.objects.store import ObjectKey, ObjectPage, ObjectPiece, ObjectStat


class WatchedObjects:
    """``MemoryObjects`` whose calls are counted.

    Args:
        turns: when given, each call takes some turns of the reactor before and after its work.
        left: so many changes are made, then nothing works any more; ``None`` is without end.
    """

    def __init__(
        self, inner: MemoryObjects | None = None, turns: Random | None = None, left: int | None = None
    ) -> None:
        self.inner = inner or MemoryObjects()
        self.calls: Counter[str] = Counter()
        self.changed: list[str] = []
        self._turns, self.left = turns, left

    async def get(self, key: ObjectKey, offset_b: int, size_b: int, tag: str = "") -> ObjectPiece:
        found: ObjectPiece = await self._called("get", self.inner.get, key, offset_b, size_b, tag)
        return found

    async def put(self, key: ObjectKey, data: bytes) -> str:
        tag: str = await self._changed("put", [key], self.inner.put, key, data)
        return tag

    async def put_if(self, key: ObjectKey, data: bytes, tag: str) -> str:
        made: str = await self._changed("put_if", [key], self.inner.put_if, key, data, tag)
        return made

    async def delete(self, keys: Sequence[ObjectKey]) -> None:
        for key in keys:
            await self._changed("delete", [key], self.inner.delete, [key])

    async def stat(self, key: ObjectKey) -> ObjectStat:
        found: ObjectStat = await self._called("stat", self.inner.stat, key)
        return found

    async def list(self, prefix: str, start: str = "", limit: int = 1000, delimiter: str = "") -> ObjectPage:
        page: ObjectPage = await self._called("list", self.inner.list, prefix, start, limit, delimiter)
        return page

    async def check(self) -> None:
        await self.inner.check()

    async def close(self) -> None:
        self.calls["close"] += 1

    async def _changed(self, name: str, keys: Sequence[str], work: Any, *args: Any) -> Any:
        if self.left is not None:
            self._check_power()
            self.left -= 1
        self.changed += keys
        return await self._called(name, work, *args)

    async def _called(self, name: str, work: Any, *args: Any) -> Any:
        self._check_power()
        self.calls[name] += 1
        await self._pause()
        try:
            return await work(*args)
        finally:
            await self._pause()

    async def _pause(self) -> None:
        for _ in range(self._turns.randrange(3) if self._turns else 0):
            await deferLater(reactor, 0)

    def _check_power(self) -> None:
        if self.left is not None and self.left <= 0:
            raise StorageUnavailable(errno.EIO, "", "the power is off")
