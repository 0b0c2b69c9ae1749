"""Removing and replacing files that are open, on a storage that forgets removed files at once."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.randomness import RandomBytes
from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.helpers.native import tree
from op_worker.storage.helpers.native.open_files import HIDDEN_FOLDER, OpenFile, OpenFiles
from op_worker.storage.helpers.native.sessions import Session

R = TypeVar("R")
Run = Callable[[StoragePath, Callable[[Session], R]], Awaitable[R]]
"""Runs a job on a session; errors are those of storages, at the path."""

_STICKY = 0o1777
_FORGOTTEN_S = 24 * 3600.0
_NO_LINKS = frozenset({errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


class Keeper:
    """Knows the open files of one storage in this process, for all its users.

    What is opened, removed or renamed at one path takes turns.
    """

    def __init__(self, random_bytes: RandomBytes) -> None:
        self._random_bytes = random_bytes
        self._files, self._locks = OpenFiles(), KeyedLocks()
        self._is_prepared = False

    @asynccontextmanager
    async def opening(self, path: StoragePath) -> AsyncIterator[OpenFile]:
        """Count a handle that the body opens; it is counted off when the body fails."""
        async with self._locks.hold(path):
            file = self._files.enter(path)
            try:
                yield file
            except BaseException:
                self._files.leave(file)
                raise

    async def closed(self, file: OpenFile, run: Run[None]) -> None:
        """Count a handle off; a hidden file goes with its last one."""
        if self._files.leave(file):
            await run(file.path, lambda session: tree.remove(session, tree.raw(file.path)))

    async def remove(self, path: StoragePath, run: Run[None]) -> None:
        """Remove the file at ``path``; one that is open is hidden instead."""
        async with self._locks.hold(path):
            file = self._files.find(path)
            if file is None:
                await run(path, lambda session: tree.remove(session, tree.raw(path)))
                return
            hidden = await self._hidden(run)
            try:
                await run(path, lambda session: _move_aside(session, tree.raw(path), tree.raw(hidden)))
            except StorageError as error:
                if error.errno != errno.ENOENT:
                    raise
                return  # somebody else removed it
            self._files.hide(file, hidden)

    async def rename(self, source: StoragePath, target: StoragePath, run: Run[None]) -> None:
        """Move; an open file at ``target`` stays readable under a hidden name."""
        async with AsyncExitStack() as held:
            for path in sorted({source, target}):
                await held.enter_async_context(self._locks.hold(path))
            replaced = None if source == target else self._files.find(target)
            if replaced is None:
                await run(source, lambda session: tree.rename(session, tree.raw(source), tree.raw(target)))
            else:
                hidden = await self._hidden(run)
                await run(source, lambda session: _replace(session, source, target, hidden))
                self._files.hide(replaced, hidden)
            if source != target:
                self._files.move(source, target)

    async def _hidden(self, run: Run[None]) -> StoragePath:
        """Return a path that nobody uses, in the hidden folder."""
        if not self._is_prepared:
            await run(HIDDEN_FOLDER, _prepare)
            self._is_prepared = True
        return StoragePath(f"{HIDDEN_FOLDER}/{self._random_bytes(16).hex()}")


def _move_aside(session: Session, path: bytes, hidden: bytes) -> None:
    if session.lstat(path).is_directory:
        raise IsADirectoryError(errno.EISDIR, "is a directory")
    session.rename(path, hidden)


def _replace(session: Session, source: StoragePath, target: StoragePath, hidden: StoragePath) -> None:
    """Give the file at ``target`` a second name, so that replacing it stays atomic."""
    old, new, aside = map(tree.raw, (source, target, hidden))
    session.lstat(old)
    try:
        session.link(new, aside)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        session.rename(new, aside)
    try:
        tree.rename(session, old, new)
    except BaseException:
        _put_back(session, new, aside)
        raise


def _put_back(session: Session, path: bytes, aside: bytes) -> None:
    """Undo what ``_replace`` began: one of the two names is enough."""
    try:
        session.lstat(path)
    except FileNotFoundError:
        session.rename(aside, path)
    else:
        session.unlink(aside)


def _prepare(session: Session) -> None:
    """Make the hidden folder for every user, and remove what a process that died left in it a day ago."""
    folder = tree.raw(HIDDEN_FOLDER)
    try:
        session.mkdir(folder, _STICKY)
        session.chmod(folder, _STICKY)
    except FileExistsError:
        _sweep(session, folder)


def _sweep(session: Session, folder: bytes) -> None:
    probe = folder + b"/now"
    session.close(tree.open_or_make(session, probe))
    session.chmod(probe, tree.FILE_MODE)  # its change tells the server's time
    now_s = session.lstat(probe).ctime_s or 0.0
    handle = session.open_directory(folder)
    try:
        while batch := session.read_directory(handle, 1000):
            for each in batch:
                if (each.stat.ctime_s or now_s) < now_s - _FORGOTTEN_S:
                    tree.remove(session, folder + b"/" + each.name.encode("utf-8", "surrogateescape"))
    finally:
        session.close_directory(handle)
