"""The probe of a storage: a small file is made, written, read and removed, by two nodes in turn."""

from __future__ import annotations

import errno
import string
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from twisted.internet.interfaces import IReactorTime

from op_worker.storage.helper import StorageError, StorageHelper, StoragePath, SupportsWholeWrites
from op_worker.storage.records import StorageRecord
from op_worker.storage.wrappers.time_limit import OutOfTime, TimeLimit

NAME_START, NAME_LETTERS, CONTENT_LETTERS = ".__onedata__", 32, 100
STEP_LIMIT_S = 30.0
"""So long each step of a probe may take."""

R = TypeVar("R")
RandomBytes = Callable[[int], bytes]
Detect = Callable[[StorageRecord, StorageHelper], Awaitable[None]]
"""Tries whether a storage can be used by all nodes. Raises: StorageError."""


class ProbeFailed(StorageError):
    """A step of a probe failed; ``operation`` is access, create, write, read or remove."""

    def __init__(self, operation: str, error: StorageError) -> None:
        super().__init__(error.errno, error.path, f"could not {operation}: {error.reason or error}")
        self.operation = operation


class Prober(Protocol):
    """A node that takes part in a probe. Each verb raises StorageError."""

    async def access(self) -> None: ...

    async def create(self, path: StoragePath) -> None: ...

    async def write(self, path: StoragePath, data: bytes) -> None: ...

    async def read(self, path: StoragePath) -> bytes: ...

    async def remove(self, path: StoragePath) -> None: ...


class LocalProber:
    """This node, with a helper of the storage. See ``Prober``."""

    def __init__(self, helper: StorageHelper, clock: IReactorTime, limit_s: float = STEP_LIMIT_S) -> None:
        self._helper, self._clock, self._limit_s = helper, clock, limit_s

    async def access(self) -> None:
        await self._within(self._helper.check())

    async def create(self, path: StoragePath) -> None:
        await self._within(self._create(path))

    async def write(self, path: StoragePath, data: bytes) -> None:
        await self._within(self._write(path, data))

    async def read(self, path: StoragePath) -> bytes:
        return await self._within(self._read(path))

    async def remove(self, path: StoragePath) -> None:
        await self._within(self._helper.remove(path))

    async def _create(self, path: StoragePath) -> None:
        await (await self._helper.open_write(path)).close()

    async def _write(self, path: StoragePath, data: bytes) -> None:
        try:
            file = await self._helper.open_update(path)
            try:
                await file.write(0, data)
                await file.sync()
            finally:
                await file.close()
        except StorageError as error:
            if error.errno != errno.ENOTSUP or not isinstance(self._helper, SupportsWholeWrites):
                raise
            await self._helper.write_whole(path, data)  # it only writes files as wholes

    async def _read(self, path: StoragePath) -> bytes:
        file = await self._helper.open_read(path)
        try:
            return await file.read(0, 2 * CONTENT_LETTERS)
        finally:
            await file.close()

    async def _within(self, work: Awaitable[R]) -> R:
        limit = TimeLimit(self._clock, self._limit_s)
        try:
            return await limit.of(work)
        except OutOfTime:
            raise StorageError(errno.ETIMEDOUT, "", f"no answer within {self._limit_s:g} s") from None
        finally:
            limit.close()


async def available(record: StorageRecord, helper: StorageHelper) -> None:
    """The least that is tried: see ``Detect``."""
    await helper.check()


async def probe(here: Prober, there: Prober, random_bytes: RandomBytes) -> None:
    """Make a file here, write it there, read it here, remove it there.

    Raises: ProbeFailed; the file is removed as well as that is possible.
    """
    path = StoragePath(NAME_START + letters(NAME_LETTERS, random_bytes))
    data = letters(CONTENT_LETTERS, random_bytes).encode()
    await _step("create", here.create(path))
    try:
        await _step("write", there.write(path, data))
        found = await _step("read", here.read(path))
        if found != data:
            raise ProbeFailed("read", StorageError(errno.EIO, path, "another node's bytes are not seen here"))
    except ProbeFailed:
        await _quietly(here.remove(path))
        raise
    await _step("remove", there.remove(path))


async def reached(prober: Prober) -> None:
    """See that a node reaches the storage. Raises: ProbeFailed."""
    await _step("access", prober.access())


def letters(number: int, random_bytes: RandomBytes) -> str:
    """Return random small letters."""
    return "".join(string.ascii_lowercase[byte % 26] for byte in random_bytes(number))


async def _step(operation: str, work: Awaitable[R]) -> R:
    try:
        return await work
    except StorageError as error:
        raise ProbeFailed(operation, error) from error


async def _quietly(work: Awaitable[None]) -> None:
    try:
        await work
    except StorageError:
        return  # what was wrong before is told
