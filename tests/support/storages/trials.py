"""What every storage with a server goes through: its server dies under writes, or stands still."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from op_worker.storage.helper import StorageError, StorageHelper, StoragePath, StorageUnavailable

PIECE_B = 64 << 10
FILE = StoragePath("d/file")
_MOST_TRIES = 300


async def error_of(work: Coroutine[Any, Any, object]) -> StorageError:
    """Return the error that work ends with; the test fails when it ends well."""
    try:
        await work
    except StorageError as error:
        return error
    raise AssertionError("nothing was refused")


async def put(helper: StorageHelper, path: StoragePath, data: bytes) -> None:
    """Write a file."""
    file = await helper.open_write(path)
    try:
        await file.write(0, data)
    finally:
        await file.close()


async def get(helper: StorageHelper, path: StoragePath) -> bytes:
    """Read a small file."""
    file = await helper.open_read(path)
    try:
        return await file.read(0, 64 << 20)
    finally:
        await file.close()


async def until_available(helper: StorageHelper) -> None:
    """Wait until a storage can be used again; every error before is that it cannot."""
    for _ in range(_MOST_TRIES):
        try:
            await helper.check()
        except StorageUnavailable:
            await deferLater(reactor, 0.1)
        else:
            return
    raise AssertionError("the storage did not come back")


async def written_while_the_server_dies(
    helper: StorageHelper, kill: Callable[[], None], start: Callable[[], None]
) -> None:
    """Kill the server amid writes and start it again: what was acknowledged is there, errors have types."""
    acknowledged: list[int] = []
    refused: list[StorageError] = []

    async def write() -> None:
        file = await helper.open_write(FILE)
        try:
            for number in range(2000):
                await file.write(number * PIECE_B, bytes([number % 251 + 1]) * PIECE_B)
                acknowledged.append(number)
        except StorageError as error:
            refused.append(error)
        finally:
            await file.close()

    writing = Deferred.fromCoroutine(write())
    while len(acknowledged) < 5:
        await deferLater(reactor, 0.005)
    kill()
    unavailable = await error_of(helper.check())
    assert isinstance(unavailable, StorageUnavailable), unavailable
    start()
    await writing
    assert refused
    await until_available(helper)
    file = await helper.open_read(FILE)
    for number in acknowledged:
        assert await file.read(number * PIECE_B, PIECE_B) == bytes([number % 251 + 1]) * PIECE_B
    await file.close()
    await put(helper, StoragePath("d/next"), b"after")
    assert await get(helper, StoragePath("d/next")) == b"after"
