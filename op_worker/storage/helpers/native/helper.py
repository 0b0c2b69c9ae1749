"""A storage helper over the sessions of a C library."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from attrs import evolve, frozen

from op_worker.storage.helper import (
    Capacity,
    Scanned,
    StorageError,
    StorageFile,
    StorageHelper,
    StoragePath,
    StorageStat,
    StorageUnavailable,
)
from op_worker.storage.helpers.native import tree
from op_worker.storage.helpers.native.file import NativeFile
from op_worker.storage.helpers.native.keeping import Keeper
from op_worker.storage.helpers.native.open_files import HIDDEN_FOLDER, OpenFile
from op_worker.storage.helpers.native.pool import NativePool
from op_worker.storage.helpers.native.sessions import Handle, Lost, Session, Sessions, User
from op_worker.storage.types import Durability

R = TypeVar("R")
_BATCH = 1000


@frozen(eq=False, kw_only=True)
class NativeHelper:
    """Files on a storage that a C library reaches.

    Attributes:
        user: who acts.
        credentials: those of the storage; a user's are put over them.
        keeper: hides removed files that are open; ``None`` when the storage keeps them itself.
    """

    sessions: Sessions
    pool: NativePool
    user: User
    credentials: Mapping[str, str]
    keeper: Keeper | None
    durability: Durability

    async def open_read(self, path: StoragePath) -> StorageFile:
        return await self._open(
            path, lambda session: tree.open_existing(session, tree.raw(path), os.O_RDONLY)
        )

    async def open_write(self, path: StoragePath) -> StorageFile:
        return await self._open(path, lambda session: tree.open_or_make(session, tree.raw(path)))

    async def open_update(self, path: StoragePath) -> StorageFile:
        return await self._open(path, partial(_open_existing, path, os.O_RDWR))

    async def remove(self, path: StoragePath) -> None:
        tree.raw(path)
        if self.keeper is not None:
            await self.finish(self.keeper.remove(path, self.run_whole))
        else:
            await self.run(path, lambda session: tree.remove(session, tree.raw(path)))

    async def rename(self, source: StoragePath, target: StoragePath) -> None:
        old, new = tree.raw(source), tree.raw(target)
        if self.keeper is not None:
            await self.finish(self.keeper.rename(source, target, self.run_whole))
        else:
            await self.run(source, lambda session: tree.rename(session, old, new))

    async def stat(self, path: StoragePath) -> StorageStat:
        return await self.run(path, lambda session: session.lstat(tree.raw(path)))

    async def make_directory(self, path: StoragePath) -> None:
        await self.run(path, lambda session: tree.make_directory(session, tree.raw(path)))

    async def remove_directory(self, path: StoragePath) -> None:
        await self.run(path, lambda session: tree.remove_directory(session, tree.raw(path)))

    async def list_directory(self, path: StoragePath) -> Sequence[str]:
        return [each.name async for batch in self.scan(path) for each in batch]

    async def scan(self, path: StoragePath) -> AsyncIterator[Sequence[Scanned]]:
        raw = tree.raw_directory(path)
        handle = await self.run(path, lambda session: session.open_directory(raw), undo=_close_directory)
        try:
            while batch := await self.run(path, lambda session: session.read_directory(handle, _BATCH)):
                yield batch if path else [each for each in batch if each.name != HIDDEN_FOLDER]
        finally:
            await self.finish(self.run_whole(path, lambda session: session.close_directory(handle)))

    async def set_mode(self, path: StoragePath, mode: int) -> None:
        await self.run(path, lambda session: session.chmod(tree.raw(path), mode))

    async def capacity(self) -> Capacity:
        return await self.run(StoragePath(""), lambda session: session.capacity())

    async def check(self) -> None:
        """Also raises StorageUnavailable(ENOTDIR) when the root is no directory."""
        found = await self.run(StoragePath(""), lambda session: session.lstat(b"/"))
        if not found.is_directory:
            raise StorageUnavailable(errno.ENOTDIR, "", "the root of the storage is no directory")

    async def close(self) -> None:
        await self.pool.close(self.sessions.close)

    async def run(
        self,
        path: StoragePath,
        work: Callable[[Session], R],
        undo: Callable[[Session, R], object] | None = None,
        ended: Callable[[], None] | None = None,
    ) -> R:
        """Run a job on a session of the user. Errors name ``path``."""

        def job() -> R:
            with self.sessions.session(self.user) as session:
                return work(session)

        def take_back(result: R) -> None:
            with self.sessions.session(self.user) as session:
                undo(session, result)  # type: ignore[misc]  # only handed over when there is one

        try:
            return await self.pool.run(job, undo=None if undo is None else take_back, ended=ended)
        except OSError as error:
            raise storage_error(error, path) from error

    async def run_whole(self, path: StoragePath, work: Callable[[Session], R]) -> R:
        """The same for a job below ``finish``, which takes as long as it takes."""

        def job() -> R:
            with self.sessions.session(self.user) as session:
                return work(session)

        try:
            return await self.pool.run_whole(job)
        except OSError as error:
            raise storage_error(error, path) from error

    async def finish(self, work: Coroutine[Any, Any, R]) -> R:
        """Run ``work`` to its end, also when the wait for it is given up."""
        return await self.pool.finish(work)

    def file_closed(self) -> None:
        """Note that a file that was opened here is closed."""
        self.pool.file_closed()

    async def _open(self, path: StoragePath, work: Callable[[Session], Handle]) -> StorageFile:
        self._check_open()
        tree.raw(path)
        async with self._opening(path) as kept:
            handle = await self.run(path, work, undo=_close)
        self.pool.file_opened()
        return NativeFile(path, handle, self, self.durability, self.keeper, kept)

    def _check_open(self) -> None:
        if self.pool.is_closed:
            raise StorageUnavailable(errno.ESHUTDOWN, "", "the storage is closed")

    @asynccontextmanager
    async def _opening(self, path: StoragePath) -> AsyncIterator[OpenFile | None]:
        if self.keeper is None:
            yield None
            return
        async with self.keeper.opening(path) as kept:
            yield kept


@frozen(eq=False, kw_only=True)
class NativeUserHelper(NativeHelper):
    """The same on a storage with owners, that decides by who asks."""

    def for_user(self, credentials: Mapping[str, str]) -> StorageHelper:
        return evolve(self, user=User.of({**self.credentials, **credentials}))

    async def set_owner(self, path: StoragePath, uid: int, gid: int) -> None:
        await self.run(path, lambda session: session.chown(tree.raw(path), uid, gid))


def storage_error(error: OSError, path: StoragePath) -> StorageError:
    """Return the error of a storage that stands for one of a library."""
    kind = StorageUnavailable if isinstance(error, Lost) else StorageError
    return kind(error.errno or errno.EIO, path, error.strerror or "")


def _close(session: Session, handle: Handle) -> None:
    session.close(handle)


def _close_directory(session: Session, handle: Handle) -> None:
    session.close_directory(handle)


def _open_existing(path: StoragePath, flags: int, session: Session) -> Handle:
    return tree.open_existing(session, tree.raw(path), flags)
