"""A storage helper that joins small writes and reads ahead; see ``buffering`` for how much."""

from __future__ import annotations

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from op_worker.storage.helper import StorageError, StorageFile, StorageHelper, StoragePath
from op_worker.storage.wrappers.buffering import BufferLimits, KeptBack, ReadAhead
from op_worker.storage.wrappers.wrapping import Wrapper


class BufferedHelper(Wrapper):
    """See ``StorageHelper``.

    What is written is on the storage once the file is synced or closed, or was idle for a while. A write
    that fails later is told by the next operation on the file that has to do with writing.
    """

    def __init__(
        self, helper: StorageHelper, clock: IReactorTime, limits: BufferLimits | None = None
    ) -> None:
        super().__init__(helper)
        self._clock = clock
        self._limits = limits or BufferLimits()
        self._room = Room(self._limits.most_b)

    def _file(self, file: StorageFile, path: StoragePath) -> StorageFile:
        return BufferedFile(file, self._clock, self._limits, self._room)


class Room:
    """Counts what the files of a storage keep back together."""

    def __init__(self, most_b: int) -> None:
        self._most_b, self.taken_b = most_b, 0

    def is_full(self, further_b: int) -> bool:
        """Whether so much more is too much."""
        return self.taken_b + further_b > self._most_b


class BufferedFile:
    """See ``StorageFile``."""

    def __init__(self, file: StorageFile, clock: IReactorTime, limits: BufferLimits, room: Room) -> None:
        self._file, self._clock, self._limits, self._room = file, clock, limits, room
        self._ahead, self._kept = ReadAhead(limits), KeptBack(limits)
        self._lock = DeferredLock()
        self._idle: IDelayedCall | None = None
        self._earlier: StorageError | None = None
        self._changes = 0

    async def read(self, offset_b: int, size_b: int) -> bytes:
        if self._kept.data:
            await self._flush()
        found = self._ahead.found(offset_b, size_b, self._clock.seconds())
        if found is not None:
            return found
        wanted_b, changes = self._ahead.wanted_b(offset_b, size_b), self._changes
        block = await self._file.read(offset_b, wanted_b)
        if changes != self._changes:
            return block[:size_b]  # the rest may be older than what was written meanwhile
        return self._ahead.keep(offset_b, block, size_b, wanted_b, self._clock.seconds())

    async def write(self, offset_b: int, data: bytes) -> None:
        self._changed()
        await self._lock.acquire()
        try:
            self._raise_earlier()
            if not self._kept.follows(offset_b) or self._room.is_full(len(data)):
                await self._write_out()
            if not self._kept.data and (
                len(data) >= self._limits.write_least_b or self._room.is_full(len(data))
            ):
                await self._file.write(offset_b, data)
                return
            self._kept.add(offset_b, data)
            self._room.taken_b += len(data)
            if self._kept.is_enough:
                await self._write_out()
            else:
                self._wait_for_more()
        finally:
            self._changed()
            self._lock.release()

    async def size(self) -> int:
        await self._flush()
        return await self._file.size()

    async def truncate(self, size_b: int) -> None:
        await self._flush()
        try:
            await self._file.truncate(size_b)
        finally:
            self._changed()

    async def sync(self) -> None:
        await self._flush()
        await self._file.sync()

    async def close(self) -> None:
        try:
            await self._flush()
        finally:
            self._stop_waiting()
            self._room.taken_b -= len(self._kept.data)
            self._kept.data.clear()
            await self._file.close()

    def _changed(self) -> None:
        self._changes += 1
        self._ahead.forget()

    async def _flush(self) -> None:
        await self._lock.acquire()
        try:
            self._raise_earlier()
            await self._write_out()
        finally:
            self._lock.release()

    async def _write_out(self) -> None:
        """Write what is kept back; it stays when that fails. Under the lock."""
        self._stop_waiting()
        if not self._kept.data:
            return
        size_b, began = len(self._kept.data), self._clock.seconds()
        await self._file.write(self._kept.offset_b, bytes(self._kept.data))
        self._kept.written(self._clock.seconds() - began)
        self._room.taken_b -= size_b

    def _wait_for_more(self) -> None:
        self._stop_waiting()
        self._idle = self._clock.callLater(self._limits.idle_s, self._write_idle)

    def _stop_waiting(self) -> None:
        idle, self._idle = self._idle, None
        if idle is not None:
            idle.cancel()

    def _write_idle(self) -> None:
        self._idle = None
        Deferred.fromCoroutine(self._flush()).addErrback(self._note)

    def _note(self, failure: Failure) -> None:
        """Keep the error of a write that nobody waited for, until somebody does."""
        failure.trap(StorageError)
        assert isinstance(failure.value, StorageError)
        self._earlier = failure.value

    def _raise_earlier(self) -> None:
        earlier, self._earlier = self._earlier, None
        if earlier is not None:
            raise earlier
