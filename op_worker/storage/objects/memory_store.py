"""Objects in the memory of this process, gone with it. For tests, and the measure of other stores."""

from __future__ import annotations

import errno
from bisect import bisect_left
from collections.abc import Callable, Sequence

from attrs import frozen

from op_worker.storage.helper import StorageError
from op_worker.storage.objects.store import ObjectKey, ObjectPage, ObjectPiece, ObjectStat


@frozen
class _Object:
    data: bytes
    tag: str
    mtime_s: float


class MemoryObjects:
    """See ``ObjectStore``, ``SupportsListingObjects``, ``SupportsConditionalPuts``.

    Args:
        wall_clock: tells the seconds since the epoch.
    """

    def __init__(self, wall_clock: Callable[[], float] = lambda: 0.0) -> None:
        self._wall_clock = wall_clock
        self._objects: dict[str, _Object] = {}
        self._puts = 0

    async def get(self, key: ObjectKey, offset_b: int, size_b: int, tag: str = "") -> ObjectPiece:
        found = self._found(key)
        if tag and found.tag != tag:
            raise StorageError(errno.ESTALE, key)
        return ObjectPiece(found.data[offset_b : offset_b + size_b], len(found.data), found.tag)

    async def put(self, key: ObjectKey, data: bytes) -> str:
        self._puts += 1
        made = self._objects[key] = _Object(bytes(data), str(self._puts), self._wall_clock())
        return made.tag

    async def put_if(self, key: ObjectKey, data: bytes, tag: str) -> str:
        there = self._objects.get(key)
        if ("" if there is None else there.tag) != tag:
            raise StorageError(errno.ESTALE, key)
        return await self.put(key, data)

    async def delete(self, keys: Sequence[ObjectKey]) -> None:
        for key in keys:
            self._objects.pop(key, None)

    async def stat(self, key: ObjectKey) -> ObjectStat:
        return self._stat(key, self._found(key))

    async def list(self, prefix: str, start: str = "", limit: int = 1000, delimiter: str = "") -> ObjectPage:
        keys = sorted((key for key in self._objects if key.startswith(prefix)), key=str.encode)
        objects: list[ObjectStat] = []
        prefixes: list[str] = []
        index = bisect_left(keys, start.encode(), key=str.encode)
        while index < len(keys) and len(objects) + len(prefixes) < limit:
            key = keys[index]
            inside, folded, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            if folded:
                prefixes.append(prefix + inside + folded)
                while index < len(keys) and keys[index].startswith(prefixes[-1]):
                    index += 1
            else:
                objects.append(self._stat(ObjectKey(key), self._objects[key]))
                index += 1
        return ObjectPage(objects, keys[index] if index < len(keys) else "", prefixes)

    async def check(self) -> None:
        return

    async def close(self) -> None:
        return

    def _found(self, key: ObjectKey) -> _Object:
        found = self._objects.get(key)
        if found is None:
            raise StorageError(errno.ENOENT, key)
        return found

    @staticmethod
    def _stat(key: ObjectKey, found: _Object) -> ObjectStat:
        return ObjectStat(key, len(found.data), found.mtime_s, found.tag)


class MemoryRandomAccessObjects:
    """See ``ObjectStore``, ``SupportsWritesInside``:

    objects without lists, tags or conditions, as RADOS has them.
    """

    def __init__(self) -> None:
        self._objects: dict[str, bytearray] = {}

    async def get(self, key: ObjectKey, offset_b: int, size_b: int, tag: str = "") -> ObjectPiece:
        return ObjectPiece(bytes(self._found(key)[offset_b : offset_b + size_b]))

    async def put(self, key: ObjectKey, data: bytes) -> str:
        self._objects[key] = bytearray(data)
        return ""

    async def write(self, key: ObjectKey, offset_b: int, data: bytes) -> None:
        there = self._objects.setdefault(key, bytearray())
        there.extend(bytes(max(0, offset_b - len(there))))
        there[offset_b : offset_b + len(data)] = data

    async def truncate(self, key: ObjectKey, size_b: int) -> None:
        there = self._found(key)
        del there[size_b:]
        there.extend(bytes(size_b - len(there)))

    async def delete(self, keys: Sequence[ObjectKey]) -> None:
        for key in keys:
            self._objects.pop(key, None)

    async def stat(self, key: ObjectKey) -> ObjectStat:
        return ObjectStat(key, len(self._found(key)))

    async def check(self) -> None:
        return

    async def close(self) -> None:
        return

    def _found(self, key: ObjectKey) -> bytearray:
        found = self._objects.get(key)
        if found is None:
            raise StorageError(errno.ENOENT, key)
        return found
