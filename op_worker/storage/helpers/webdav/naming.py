"""Renaming and removing on a WebDAV storage, of which open files take no notice."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus

from attrs import frozen

from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.helpers.paths import is_below, parent
from op_worker.storage.helpers.web.answers import failure
from op_worker.storage.helpers.webdav.contents import Contents
from op_worker.storage.helpers.webdav.multistatus import Resource
from op_worker.storage.helpers.webdav.open_files import Content

_MOST_TRIES = 8
_MOVED = frozenset({HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})


@frozen(eq=False)
class Naming:
    """Changes what paths lead to, for one user.

    ``DELETE``, and ``MOVE`` over something, take whole trees with them. So each is sent only for what was
    looked at, and a directory is deleted only after it was moved to where nobody can put anything into it.
    """

    contents: Contents

    async def remove(self, path: StoragePath) -> None:
        """See ``StorageHelper.remove``."""
        async with self.contents.locks.hold(path):
            content = self.contents.open_files.at(path)
            if content is None:
                await self._delete_file(path)
                return
            async with self._moving([content]):
                await self._hold(content)

    async def rename(self, source: StoragePath, target: StoragePath) -> None:
        """See ``SupportsRename``."""
        tree = self.contents.tree
        if source == target:
            await tree.find(source)
            return
        if is_below(target, source):
            raise StorageError(errno.EINVAL, target, "a directory cannot be moved into itself")
        async with AsyncExitStack() as held:
            for path in sorted((source, target)):
                await held.enter_async_context(self.contents.locks.hold(path))
            async with self._moving(self.contents.open_files.affected(source)):
                await self._rename(source, target)
                self.contents.open_files.renamed(source, target)

    async def remove_directory(self, path: StoragePath) -> None:
        """See ``SupportsDirectories``."""
        tree = self.contents.tree
        found = await tree.look(path)
        if found is None:
            await self._require_missing(path)
            return
        if not found.is_directory:
            raise StorageError(errno.ENOTDIR, path)
        if not await tree.is_empty(path):
            raise StorageError(errno.ENOTEMPTY, path)
        held = await self._move_aside(path, is_directory=True)
        if held is None:
            return
        if not await tree.is_empty(held):  # somebody was faster than we
            head = await tree.move(held, path, is_directory=True)
            if head.status not in _MOVED:
                raise StorageError(errno.EBUSY, path, f"what came into it meanwhile lies at {held} now")
            raise StorageError(errno.ENOTEMPTY, path)
        head = await tree.delete(held, is_directory=True)
        if not head.is_success and head.status != HTTPStatus.NOT_FOUND:
            raise failure(head, path)

    async def _rename(self, source: StoragePath, target: StoragePath) -> None:
        tree = self.contents.tree
        if (await tree.move(source, target)).status in _MOVED:
            return
        found = await tree.find(source)
        for _ in range(_MOST_TRIES):
            there = await tree.look(target)
            is_replaced = there is not None and await self._gives_way(found, there, target)
            head = await tree.move(source, target, is_directory=found.is_directory, replaces=is_replaced)
            if head.status in _MOVED:
                return
            if there is None and await self._has_no_place(target):
                await tree.make_parents(target)
            elif head.status != HTTPStatus.PRECONDITION_FAILED:
                raise failure(head, source)
            found = await tree.find(source)
        raise StorageError(errno.EBUSY, target, "others change what is in the way all the time")

    async def _gives_way(self, found: Resource, there: Resource, target: StoragePath) -> bool:
        """Make place for ``found``; return whether a file is still at ``target`` that is to be replaced."""
        if there.is_directory and not found.is_directory:
            raise StorageError(errno.EISDIR, target)
        if found.is_directory and not there.is_directory:
            raise StorageError(errno.ENOTDIR, target)
        if there.is_directory:
            await self.remove_directory(target)
            return False
        content = self.contents.open_files.at(target)
        if content is None:
            return True
        async with self._moving([content]):
            await self._hold(content)
        return False

    async def _delete_file(self, path: StoragePath) -> None:
        tree = self.contents.tree
        for _ in range(_MOST_TRIES):
            found = await tree.look(path)
            if found is None:
                await self._require_missing(path)
                return
            if found.is_directory:
                raise StorageError(errno.EISDIR, path)
            condition = found.version.condition
            head = await tree.delete(path, condition if condition != "*" else "")
            if head.status == HTTPStatus.PRECONDITION_FAILED and not await self._has_changed(path, found):
                head = await tree.delete(path)  # tags can be weak for a while after a change
            if head.is_success or head.status == HTTPStatus.NOT_FOUND:
                return
            if head.status != HTTPStatus.PRECONDITION_FAILED:
                raise failure(head, path)
        raise StorageError(errno.EBUSY, path, "others change the file all the time")

    async def _has_changed(self, path: StoragePath, found: Resource) -> bool:
        now = await self.contents.tree.look(path)
        return now is None or now.is_directory or not found.version.is_same(now.version)

    async def _hold(self, content: Content) -> None:
        """Move an open file to where only we know it; what others took already is stale to its readers."""
        held = await self._move_aside(content.path)
        self.contents.open_files.removed(content, held or self.contents.open_files.new_held_path())

    async def _move_aside(self, path: StoragePath, *, is_directory: bool = False) -> StoragePath | None:
        """Move to a path that nobody else knows and return it; ``None`` when there was nothing."""
        tree, held = self.contents.tree, self.contents.open_files.new_held_path()
        for _ in range(_MOST_TRIES):
            head = await tree.move(path, held, is_directory=is_directory)
            if head.status in _MOVED:
                return held
            if await tree.look(path) is None:
                return None
            if not await self._has_no_place(held):
                raise failure(head, path)
            await tree.make_parents(held)
        raise StorageError(errno.EBUSY, path, "the place for what is removed vanishes all the time")

    async def _has_no_place(self, target: StoragePath) -> bool:
        """Whether the directory is missing that a target is to be in; servers have no one status for that."""
        above = parent(target)
        return above != "" and await self.contents.tree.look(above) is None

    async def _require_missing(self, path: StoragePath) -> None:
        error = await self.contents.tree.missing(path)
        if error.errno != errno.ENOENT:
            raise error

    @asynccontextmanager
    async def _moving(self, contents: Iterable[Content]) -> AsyncIterator[None]:
        """Hold contents while their paths change: none is written, and readers that miss one wait."""
        affected = sorted(contents, key=lambda content: content.path)
        async with AsyncExitStack() as held:
            for content in affected:
                await held.enter_async_context(self.contents.locks.hold(content))
                await self._settle(content)
            for content in affected:
                content.is_moving = True
            try:
                yield
            finally:
                for content in affected:
                    content.is_moving = False

    async def _settle(self, content: Content) -> None:
        """End an upload; what became of it is told to those who wrote it."""
        try:
            await self.contents.settle(content)
        except StorageError:
            return
