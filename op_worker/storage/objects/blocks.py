"""A file in blocks: each block an object, which is missing where the file has a hole."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from twisted.internet.defer import DeferredLock, DeferredSemaphore

from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.together import together
from op_worker.storage.helper import StorageError
from op_worker.storage.objects.access import ObjectAccess, or_missing
from op_worker.storage.objects.contents import Content
from op_worker.storage.objects.finding import last_block
from op_worker.storage.objects.layout import Layout, Part, fitted, overlaid
from op_worker.storage.objects.store import ObjectKey

_WRITES_AT_ONCE = 8
_FILLED_AT_ONCE = 256


class BlockContent:
    """See ``Content``.

    Its size is what was found when it was opened, and what was written since; what others append is looked
    for by those who read past the end. Writes run beside each other, each block changed by one at a time;
    cutting waits until it is alone.
    """

    def __init__(self, access: ObjectAccess, layout: Layout, base: str, size_b: int) -> None:
        self._access, self._layout, self._base = access, layout, base
        self.size_b = size_b
        self.changes = 0
        self._cuts = self._working = 0
        self._is_stale = False
        self._writers, self._alone = DeferredSemaphore(_WRITES_AT_ONCE), DeferredLock()
        self._blocks = KeyedLocks()

    @property
    def is_busy(self) -> bool:
        return self._working > 0

    def is_same(self, fresh: Content) -> bool:
        self._is_stale = fresh.size_b < self.size_b
        if not self._is_stale:
            self.size_b = fresh.size_b
        return not self._is_stale

    async def read(self, offset_b: int, size_b: int) -> bytes:
        self._check_fresh()
        if offset_b + size_b > self.size_b:
            await self._look_again()
        while True:
            cuts = self._cuts
            wanted_b = min(size_b, self.size_b - offset_b)
            if wanted_b <= 0:
                return b""
            parts = list(self._layout.parts(offset_b, wanted_b))
            found = await together(self._read_part(part) for part in parts)
            if all(len(data) == part.size_b for data, part in zip(found, parts, strict=True)):
                return b"".join(found)
            if cuts == self._cuts and await self._has_holes(cuts):
                return b"".join(fitted(data, part.size_b) for data, part in zip(found, parts, strict=True))

    async def write(self, offset_b: int, data: bytes) -> None:
        self._check_fresh()
        self._check_size(offset_b + len(data))
        async with self._writing():
            await self._write(offset_b, data)

    async def size(self) -> int:
        self._check_fresh()
        await self._look_again()
        return self.size_b

    async def truncate(self, size_b: int) -> None:
        self._check_fresh()
        self._check_size(size_b)
        if not self.is_busy:
            await self._look_again()
        async with self._writing_alone():
            if size_b > self.size_b:
                await self._write(size_b - 1, b"\0")
            elif size_b < self.size_b:
                await self._cut(size_b)

    async def replace(self, data: bytes) -> None:
        self._check_size(len(data))
        parts = list(self._layout.parts(0, len(data))) or [Part(0, 0, 0, 0)]
        async with self._writing_alone():
            last, *_ = await together([self._last_index(), *(self._put_part(part, data) for part in parts)])
            self._cuts += 1
            self.size_b = len(data)
            await self._remove(parts[-1].index + 1, last or 0)

    async def move(self, base: str) -> None:
        async with self._writing_alone():
            old, last = self._base, await self._last_index()
            for index in range(last or 0, -1, -1):
                piece = await or_missing(self._access.get(self._key(index), 0, self._layout.block_size_b))
                if piece is not None:
                    await self._access.put(self._layout.key(base, index), piece.data)
            self._cuts += 1
            self._base = base
            await self._remove(0, last or 0, old)

    async def remove(self) -> None:
        last = None if self._is_stale else await self._last_index()
        if last is not None:
            await self._remove(0, last)

    async def _read_part(self, part: Part) -> bytes:
        """Return what is there of a part: less than asked in a hole."""
        piece = await or_missing(self._access.get(self._key(part.index), part.inside_b, part.size_b))
        return b"" if piece is None else piece.data

    async def _has_holes(self, cuts: int) -> bool:
        """Whether bytes that are missing are holes: the last block still is as long as this file.

        False when the file was cut here meanwhile, and has to be read again. Raises StorageError(ESTALE).
        """
        size_b = self.size_b
        found_b = await self._access.size(self._key(self._layout.last_index(size_b)))
        if cuts != self._cuts:
            return False
        if found_b is None or found_b < self._layout.last_size(size_b):
            raise self._stale()
        return True

    async def _write(self, offset_b: int, data: bytes) -> None:
        if data and self._access.lists is None:
            await self._fill(offset_b)
        view = memoryview(data)
        parts = self._layout.parts(offset_b, len(data))
        await together(self._write_part(part, view[part.at_b : part.at_b + part.size_b]) for part in parts)

    async def _write_part(self, part: Part, view: memoryview) -> None:
        """Write into one block; its size is known before another writer of this block has his turn."""
        start_b, data = part.index * self._layout.block_size_b, bytes(view)
        async with self._blocks.hold(part.index):
            if self._access.inside is not None:
                await self._access.write(self._access.inside, self._key(part.index), part.inside_b, data)
            elif len(data) == self._layout.block_size_b:
                await self._access.put(self._key(part.index), data)
            else:
                await self._access.change(
                    self._key(part.index),
                    self._layout.block_size_b,
                    partial(overlaid, offset_b=part.inside_b, data=data),
                    is_new=start_b >= max(self.size_b, 1),  # the first block is always there
                )
            self.size_b = max(self.size_b, start_b + part.inside_b + len(data))

    async def _put_part(self, part: Part, data: bytes) -> None:
        await self._access.put(self._key(part.index), data[part.at_b : part.at_b + part.size_b])

    async def _fill(self, offset_b: int) -> None:
        """Make the blocks of a gap, empty:

        where nobody can list them, the size is found by those there are.
        """
        first, end = self._layout.last_index(self.size_b) + 1, offset_b // self._layout.block_size_b
        for start in range(first, end, _FILLED_AT_ONCE):
            indices = range(start, min(start + _FILLED_AT_ONCE, end))
            await together(self._write_part(Part(index, 0, 0, 0), memoryview(b"")) for index in indices)

    async def _cut(self, size_b: int) -> None:
        """Shorten. Nothing that stays is missing at any moment, nor is the block that tells the new size."""
        old_b, index = self.size_b, self._layout.last_index(size_b)
        wanted_b = self._layout.last_size(size_b)
        found_b = await self._access.size(self._key(index))
        if found_b is None or found_b < wanted_b:
            await self._fit(index, wanted_b)
        self._cuts += 1
        self.size_b = size_b
        await self._remove(index + 1, self._layout.last_index(old_b))
        if found_b is not None and found_b > wanted_b:
            await self._fit(index, wanted_b)

    async def _fit(self, index: int, size_b: int) -> None:
        """Make a block exactly as long as asked."""
        key, inside = self._key(index), self._access.inside
        if inside is None:
            await self._access.change(key, self._layout.block_size_b, partial(fitted, size_b=size_b))
            return
        await inside.write(key, 0, b"")
        await inside.truncate(key, size_b)

    async def _remove(self, first: int, last: int, base: str | None = None) -> None:
        for indices in self._layout.removal(first, last):
            await self._access.store.delete([self._key(index, base) for index in indices])

    async def _look_again(self) -> None:
        """Learn of what others appended. Raises StorageError(ESTALE) when they cut or removed it."""
        changes = self.changes
        found = await last_block(self._access, self._layout, self._base)
        if self.is_busy or changes != self.changes:
            return
        if found is None or found.size_b < self.size_b:
            raise self._stale()
        self.size_b = found.size_b

    async def _last_index(self) -> int | None:
        found = await last_block(self._access, self._layout, self._base)
        return None if found is None else self._layout.last_index(found.size_b)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        """Be one of the writers."""
        self._working += 1
        try:
            await self._writers.acquire()
            try:
                yield
            finally:
                self._writers.release()
        finally:
            self.changes += 1
            self._working -= 1

    @asynccontextmanager
    async def _writing_alone(self) -> AsyncIterator[None]:
        """Be the only writer."""
        async with AsyncExitStack() as held:
            await self._alone.acquire()
            held.callback(self._alone.release)
            for _ in range(_WRITES_AT_ONCE - 1):
                await self._writers.acquire()
                held.callback(self._writers.release)
            await held.enter_async_context(self._writing())
            yield

    def _key(self, index: int, base: str | None = None) -> ObjectKey:
        return self._layout.key(self._base if base is None else base, index)

    def _check_size(self, size_b: int) -> None:
        if size_b > self._layout.maximum_b:
            raise StorageError(errno.EFBIG, self._base, f"files end at {self._layout.maximum_b} bytes")

    def _check_fresh(self) -> None:
        if self._is_stale:
            raise self._stale()

    def _stale(self) -> StorageError:
        return StorageError(errno.ESTALE, self._base, "the file was cut, replaced or removed elsewhere")
