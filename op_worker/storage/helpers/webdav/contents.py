"""Reading contents that are open, and ending what is being written, wherever their paths go meanwhile."""

from __future__ import annotations

import errno

from attrs import frozen
from twisted.logger import Logger

from cluster_worker.runtime.locks import KeyedLocks
from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.web.answers import Version, failure
from op_worker.storage.helpers.web.ranges import Part, read_range
from op_worker.storage.helpers.webdav.multistatus import Resource
from op_worker.storage.helpers.webdav.open_files import Content, OpenFiles
from op_worker.storage.helpers.webdav.tree import Tree

_MOST_TRIES = 8


@frozen(eq=False)
class Contents:
    """Does the work of open files for one user.

    Whoever changes a content, or moves it, holds its lock in ``locks``. Readers do not; when they miss what
    they look for, they wait for the lock and look where the content is then.
    """

    tree: Tree
    open_files: OpenFiles
    locks: KeyedLocks
    _log = Logger()

    async def read(self, content: Content, offset_b: int, size_b: int) -> bytes:
        """See ``StorageFile.read``."""
        await self._settled(content)
        if size_b <= 0:
            return b""
        for _ in range(_MOST_TRIES):
            path, changes = content.path, content.changes
            part = await self.part(content, offset_b, size_b)
            if part is not None and self._accepts(content, part.version, path, changes):
                return part.data
            if not await self._went_on(content, path, changes):
                break
        raise self.stale(content)

    async def size(self, content: Content) -> int:
        """See ``StorageFile.size``."""
        await self._settled(content)
        for _ in range(_MOST_TRIES):
            path, changes = content.path, content.changes
            found = await self._file_at(path)
            if found is not None and self._accepts(content, found.version, path, changes):
                return found.size_b
            if not await self._went_on(content, path, changes):
                break
        raise self.stale(content)

    async def sync(self, content: Content) -> None:
        """Return when the server has all that was written. Raises: StorageError when it never will."""
        async with self.locks.hold(content):
            await self.settle(content)

    async def settle(self, content: Content) -> None:
        """End the upload that is under way, for who holds the lock. Raises: StorageError."""
        upload, content.upload = content.upload, None
        if upload is not None:
            try:
                head = await upload.finish()
                if not head.is_success:
                    raise failure(head, content.path)
            except StorageError as error:
                content.broken = error
                raise
            except BaseException:
                upload.abort()
                content.broken = StorageError(errno.EIO, content.path, "the upload was broken off")
                raise
            self.changed(content, Version(head.header("etag"), upload.end_b))
        if content.broken is not None:
            raise content.broken

    async def close(self, content: Content, *, is_dirty: bool) -> None:
        """Give a handle back. Raises: StorageError when a handle that wrote never learned of a loss."""
        async with self.locks.hold(content):
            try:
                await self.settle(content)
            except StorageError:
                if is_dirty:
                    raise
            finally:
                if self.open_files.leave(content):
                    await self._forget(content.path)
                if self.open_files.is_closing:
                    await self.let_go()

    async def let_go(self) -> None:
        """Give up what a helper that is closed still has, once nothing is open. Idempotent."""
        if not self.open_files.is_idle:
            return
        if self.open_files.has_held:
            self.open_files.has_held = False
            await self._forget(self.open_files.held_directory, is_directory=True)
        await self.tree.session.connections.close()

    async def part(self, content: Content, offset_b: int, size_b: int) -> Part | None:
        """Read where a content is now; ``None`` when nothing is there."""
        path = content.path
        try:
            part = await read_range(self.tree.session, path, offset_b, size_b)
        except StorageError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        if (
            part.is_whole and part.version is None
        ):  # nothing came, and the server did not say that nothing would
            found = await self.tree.look(path)
            if found is not None and found.size_b:
                raise StorageUnavailable(errno.EIO, path, "the server sent nothing")
        return part

    async def present(self, content: Content) -> Resource:
        """Return what the server says of a content, for who holds the lock. Raises: StorageError(ESTALE)."""
        found = await self._file_at(content.path)
        if found is None or (content.version is not None and not content.version.is_same(found.version)):
            raise self.stale(content)
        content.version = found.version
        return found

    def changed(self, content: Content, version: Version | None) -> None:
        """Remember that we wrote; the version is known when the server told a tag."""
        content.changes += 1
        content.version = version if version is not None and version.tag else None

    def stale(self, content: Content) -> StorageError:
        """Return the error for an open file that others changed or removed."""
        return StorageError(errno.ESTALE, content.path, "somebody else changed or removed the open file")

    async def _settled(self, content: Content) -> None:
        if content.upload is not None or content.broken is not None:
            await self.sync(content)

    async def _file_at(self, path: StoragePath) -> Resource | None:
        found = await self.tree.look(path)
        return None if found is None or found.is_directory else found

    def _accepts(self, content: Content, version: Version | None, path: StoragePath, changes: int) -> bool:
        """Whether what was found at ``path`` is of this content, whose version is learned by that."""
        if content.is_moving or content.path != path:
            return False
        if content.changes != changes or self.locks.is_held(content):
            return True  # somebody of this process writes just now: it is from before that or after
        if content.version is not None and version is not None and not content.version.is_same(version):
            return False
        content.version = version or content.version
        return True

    async def _went_on(self, content: Content, path: StoragePath, changes: int) -> bool:
        """Wait for who moves or changes the content; tell whether that is why it was not found."""
        was_moving = content.is_moving
        async with self.locks.hold(content):
            return was_moving or content.path != path or content.changes != changes

    async def _forget(self, path: StoragePath, *, is_directory: bool = False) -> None:
        try:
            await self.tree.delete(path, is_directory=is_directory)
        except StorageError as error:
            self._log.warn("what was removed while open stays aside: {error}", error=error)
