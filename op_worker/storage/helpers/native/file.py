"""An open file of a storage that a C library reaches."""

from __future__ import annotations

import errno
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol, TypeVar

from attrs import define
from twisted.internet.defer import Deferred

from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.native.keeping import Keeper
from op_worker.storage.helpers.native.open_files import OpenFile
from op_worker.storage.helpers.native.sessions import Handle, Session
from op_worker.storage.types import Durability

R = TypeVar("R")
_PIECE_B = 4 << 20


class Runner(Protocol):
    """Runs jobs on sessions of one user; errors are those of storages."""

    async def run(
        self,
        path: StoragePath,
        work: Callable[[Session], R],
        undo: Callable[[Session, R], object] | None = None,
        ended: Callable[[], None] | None = None,
    ) -> R: ...

    async def run_whole(self, path: StoragePath, work: Callable[[Session], R]) -> R: ...

    async def finish(self, work: Coroutine[Any, Any, R]) -> R: ...

    def file_closed(self) -> None: ...


@define(eq=False)
class _Use:
    """A call on the handle."""

    is_over: bool = False
    is_late: bool = False


class NativeFile:
    """A handle of the library.

    A call that was given up may still run in its thread. What is asked next waits until it has ended, so
    that an old write never comes after a new one; and the handle is closed after the last call.
    """

    def __init__(
        self,
        path: StoragePath,
        handle: Handle,
        runner: Runner,
        durability: Durability,
        keeper: Keeper | None,
        kept: OpenFile | None,
    ) -> None:
        self._path, self._handle, self._runner = path, handle, runner
        self._durability, self._keeper, self._kept = durability, keeper, kept
        self._is_closed = False
        self._running = self._late = 0
        self._waiters: list[Deferred[None]] = []
        self._version = kept.version if kept is not None else 0

    async def read(self, offset_b: int, size_b: int) -> bytes:
        parts: list[bytes] = []
        while size_b > 0:
            wanted, start = min(size_b, _PIECE_B), offset_b
            part = await self._run(partial(self._read, start, wanted))
            if len(part) > wanted:
                raise StorageError(errno.EIO, self._path, "the storage gave more than was asked for")
            if not part:
                break
            parts.append(part)
            offset_b, size_b = offset_b + len(part), size_b - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def write(self, offset_b: int, data: bytes) -> None:
        left = memoryview(data)
        while left:
            piece, start = left[:_PIECE_B], offset_b
            count = await self._run(partial(_write, self._handle, start, piece))
            if not 0 < count <= len(piece):
                raise StorageError(errno.EIO, self._path, f"{count} of {len(piece)} bytes were written")
            left, offset_b = left[count:], offset_b + count
        self._changed()

    async def size(self) -> int:
        return (await self._run(lambda session: session.fstat(self._handle))).size_b

    async def truncate(self, size_b: int) -> None:
        await self._run(lambda session: session.ftruncate(self._handle, size_b))
        self._changed()

    async def sync(self) -> None:
        if self._durability is Durability.POWER:
            await self._run(lambda session: session.fsync(self._handle))

    async def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            await self._runner.finish(self._close())

    async def _close(self) -> None:
        while self._running:
            await self._end_of_a_call()
        try:
            try:
                await self._runner.run_whole(self._path, lambda session: session.close(self._handle))
            except StorageUnavailable:
                pass  # the server is gone, and with it what there was to give back
            if self._keeper is not None and self._kept is not None:
                await self._keeper.closed(self._kept, self._runner.run_whole)
        finally:
            self._runner.file_closed()

    def _read(self, offset_b: int, size_b: int, session: Session) -> bytes:
        """Read, in a thread; not from a cache that is older than what this process wrote."""
        if self._kept is not None and self._version != self._kept.version:
            self._version = self._kept.version
            session.forget_cached(self._handle)
        return session.pread(self._handle, offset_b, size_b)

    def _changed(self) -> None:
        if self._kept is not None:
            self._kept.version += 1

    async def _run(self, work: Callable[[Session], R]) -> R:
        while self._late:
            await self._end_of_a_call()
        if self._is_closed:
            raise StorageError(errno.EBADF, self._path, "the file is closed")
        use = _Use()
        self._running += 1
        try:
            return await self._runner.run(self._path, work, ended=lambda: self._ended(use))
        except BaseException:
            if not use.is_over:
                use.is_late = True
                self._late += 1
            raise

    def _ended(self, use: _Use) -> None:
        use.is_over = True
        self._running -= 1
        self._late -= use.is_late
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(None)

    async def _end_of_a_call(self) -> None:
        waiter: Deferred[None] = Deferred(self._waiters.remove)
        self._waiters.append(waiter)
        await waiter


def _write(handle: Handle, offset_b: int, data: memoryview, session: Session) -> int:
    return session.pwrite(handle, offset_b, data)
