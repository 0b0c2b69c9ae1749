"""An engine and a storage that stop, or fail, at the n-th call from now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred

from cluster_worker.persistence.engine import Engine, OutcomeUnknown, PersistenceUnavailable
from op_worker.storage.helper import StorageError, StorageFile, StorageHelper, StoragePath, SupportsRename

_GRAVEYARD: list[object] = []
"""Keeps the coroutines of dead processes, so that none of their clean-up code runs."""


class Trouble(Enum):
    """What happens at the n-th call."""

    CUT_BEFORE = "the process dies before the call has an effect"
    CUT_AFTER = "the process dies before it learns that the call had its effect"
    FAIL = "the call fails without an effect, once"
    FAIL_AFTER = "the call has its effect and its answer is lost, once"


@define(eq=False)
class Fuse:
    """Counts calls; at the one numbered ``at`` it blows."""

    trouble: Trouble = Trouble.CUT_BEFORE
    at: int = -1
    calls: int = 0
    errno: int = 5
    is_dead: bool = field(default=False, init=False)

    @property
    def has_blown(self) -> bool:
        return 0 <= self.at < self.calls

    async def pass_through(
        self, work: Callable[[], Awaitable[Any]], failure: Exception, lost: Exception
    ) -> Any:
        """Do ``work``, unless this is the call, or the process is dead already."""
        if self.is_dead:
            await self._die()
        self.calls += 1
        if self.calls - 1 != self.at:
            return await work()
        if self.trouble is Trouble.CUT_BEFORE:
            await self._die()
        if self.trouble is Trouble.FAIL:
            raise failure
        result = await work()
        if self.trouble is Trouble.CUT_AFTER:
            await self._die()
        raise lost
        return result

    async def _die(self) -> None:
        self.is_dead = True
        forever: Deferred[None] = Deferred()
        _GRAVEYARD.append(forever)
        await forever


class FusedEngine:
    """An engine whose every call passes a fuse."""

    def __init__(self, engine: Engine, fuse: Fuse) -> None:
        self._engine, self._fuse = engine, fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._engine, name)
        if name == "watch":
            return method
        lost = OutcomeUnknown() if name == "commit" else PersistenceUnavailable()

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._fuse.pass_through(
                lambda: method(*args, **kwargs), PersistenceUnavailable(), lost
            )

        return call


class FusedFile:
    """An open file whose every call passes a fuse."""

    def __init__(self, file: StorageFile, fuse: Fuse) -> None:
        self._file, self._fuse = file, fuse

    def __getattr__(self, name: str) -> Any:
        return _fused(getattr(self._file, name), self._fuse)


class FusedFlatHelper:
    """A storage helper without renames and directories, whose every call passes a fuse."""

    def __init__(self, helper: StorageHelper, fuse: Fuse) -> None:
        self._helper, self._fuse = helper, fuse

    async def _open(self, name: str, path: StoragePath) -> Any:
        return FusedFile(await _fused(getattr(self._helper, name), self._fuse)(path), self._fuse)

    async def open_read(self, path: StoragePath) -> Any:
        return await self._open("open_read", path)

    async def open_update(self, path: StoragePath) -> Any:
        return await self._open("open_update", path)

    async def open_write(self, path: StoragePath) -> Any:
        return await self._open("open_write", path)

    async def remove(self, path: StoragePath) -> Any:
        return await _fused(self._helper.remove, self._fuse)(path)

    async def stat(self, path: StoragePath) -> Any:
        return await _fused(self._helper.stat, self._fuse)(path)

    async def check(self) -> Any:
        return await _fused(self._helper.check, self._fuse)()

    async def write_whole(self, path: StoragePath, data: bytes) -> Any:
        return await _fused(self._helper.write_whole, self._fuse)(path, data)  # type: ignore[attr-defined]  # optional


class FusedHelper(FusedFlatHelper):
    """A storage helper with every power, whose every call passes a fuse."""

    async def rename(self, source: StoragePath, target: StoragePath) -> Any:
        return await _fused(self._helper.rename, self._fuse)(source, target)  # type: ignore[attr-defined]  # optional

    async def make_directory(self, path: StoragePath) -> Any:
        return await _fused(self._helper.make_directory, self._fuse)(path)  # type: ignore[attr-defined]  # optional

    async def remove_directory(self, path: StoragePath) -> Any:
        return await _fused(self._helper.remove_directory, self._fuse)(path)  # type: ignore[attr-defined]  # optional

    async def list_directory(self, path: StoragePath) -> Any:
        return await _fused(self._helper.list_directory, self._fuse)(path)  # type: ignore[attr-defined]  # optional


def fused(helper: StorageHelper, fuse: Fuse) -> StorageHelper:
    """Return a helper with the powers of another, whose every call passes a fuse."""
    return FusedHelper(helper, fuse) if isinstance(helper, SupportsRename) else FusedFlatHelper(helper, fuse)


def _fused(method: Callable[..., Awaitable[Any]], fuse: Fuse) -> Callable[..., Awaitable[Any]]:
    async def call(*args: Any) -> Any:
        error = StorageError(fuse.errno, "somewhere")
        return await fuse.pass_through(lambda: method(*args), error, error)

    return call


def bury(*things: object) -> None:
    """Keep what belongs to a dead process from being collected."""
    _GRAVEYARD.extend(things)
