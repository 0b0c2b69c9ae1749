"""A storage helper that fails as told, for tests of what stands on storages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from op_worker.storage.helper import StorageError, StorageFile, StorageHelper, StoragePath
from op_worker.storage.wrappers.wrapping import WrappedFile, Wrapper

R = TypeVar("R")


@frozen(kw_only=True)
class Fault:
    """What goes wrong with one operation.

    Attributes:
        error: what is raised; ``None`` when the operation is only late.
        is_done: whether the operation is done all the same, and only its answer lost.
        written_b: so many bytes of a write are written before the error.
        delay_s: how late the operation begins.
    """

    error: StorageError | None = None
    is_done: bool = False
    written_b: int = 0
    delay_s: float = 0.0


Plan = Callable[[str, StoragePath], Fault | None]
"""Given the verb and the path of an operation, says what goes wrong with it; ``None`` when nothing does."""


class FaultyHelper(Wrapper):
    """See ``StorageHelper``. Asks ``plan`` before each operation."""

    def __init__(self, helper: StorageHelper, plan: Plan, clock: IReactorTime) -> None:
        super().__init__(helper)
        self._plan, self._clock = plan, clock

    async def _do(self, verb: str, path: StoragePath, work: Callable[..., Awaitable[R]], *args: Any) -> R:
        fault = self._plan(verb, path)
        if fault is None:
            return await work(*args)
        if fault.delay_s:
            await deferLater(self._clock, fault.delay_s)
        if verb == "write" and fault.written_b:
            offset_b, data = args
            await work(offset_b, data[: fault.written_b])
        elif fault.is_done or fault.error is None:
            result = await work(*args)
            if fault.error is None:
                return result
        assert fault.error is not None
        raise fault.error

    def _file(self, file: StorageFile, path: StoragePath) -> StorageFile:
        return WrappedFile(self._do, file, path)
