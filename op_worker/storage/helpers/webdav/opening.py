"""Opening files of a WebDAV storage."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from attrs import frozen

from op_worker.storage.helper import Opened, StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.paths import parts
from op_worker.storage.helpers.web.answers import Head, failure
from op_worker.storage.helpers.webdav.file import WebDavFile
from op_worker.storage.helpers.webdav.multistatus import Resource
from op_worker.storage.helpers.webdav.open_files import Content
from op_worker.storage.helpers.webdav.writing import Writing


@frozen(eq=False)
class Opening:
    """Opens files for one user."""

    writing: Writing

    async def existing(self, path: StoragePath) -> WebDavFile:
        """Open a file that is there. Raises: StorageError(ENOENT, EISDIR, ENOTDIR)."""
        async with self._entered(path) as content:
            await self._learn(content, await self.writing.contents.tree.find(path))
            return WebDavFile(content, self.writing)

    async def existing_or_new(self, path: StoragePath) -> WebDavFile:
        """Open a file, and make it when it is missing. Raises: StorageError(EISDIR, ENOTDIR)."""
        async with self._entered(path) as content:
            found = await self.writing.contents.tree.look(path)
            if found is None:
                await self._make(content)
            else:
                await self._learn(content, found)
            return WebDavFile(content, self.writing)

    async def with_first(self, path: StoragePath, size_b: int) -> Opened:
        """Open a file that is there and read its beginning, in one request where that is possible."""
        contents = self.writing.contents
        async with self._entered(path) as content:
            part = await contents.part(content, 0, size_b) if size_b > 0 else None
            if part is None or part.version is None or part.is_whole:  # a whole can be a directory's page
                found = await contents.tree.find(path)
                await self._learn(content, found)
                data = part.data if part is not None and found.size_b == len(part.data) else b""
                total_b = found.size_b
            else:
                content.version, data, total_b = part.version, part.data, part.version.size_b
            if len(data) < total_b or content.upload is not None:
                return Opened(total_b, data, WebDavFile(content, self.writing))
        await contents.close(content, is_dirty=False)
        return Opened(total_b, data, None)

    async def whole(self, path: StoragePath, data: bytes) -> None:
        """Write a file in one request. Raises: StorageError(EISDIR, ENOTDIR)."""
        parts(path)
        contents = self.writing.contents
        async with contents.locks.hold(path):
            content = contents.open_files.at(path)
            if content is not None:
                await self.writing.replace(content, data)
                return
            head = await contents.tree.put(path, data, {})
            if not head.is_success:
                raise await self._refusal(head, path)

    async def _make(self, content: Content) -> None:
        """Make an empty file, unless somebody is faster."""
        tree = self.writing.contents.tree
        head = await tree.put(content.path, b"", {"If-None-Match": "*"})
        if head.status == HTTPStatus.PRECONDITION_FAILED:
            await self._learn(content, await tree.find(content.path))
            return
        if not head.is_success:
            raise await self._refusal(head, content.path)
        content.is_empty = True
        if head.url != tree.session.endpoint.url(content.path):
            content.upload_url = head.url

    async def _learn(self, content: Content, found: Resource) -> None:
        if found.is_directory:
            raise StorageError(errno.EISDIR, content.path)
        if content.changes == 0 and content.upload is None:  # else we know better
            content.is_empty = found.size_b == 0
            content.version = found.version

    async def _refusal(self, head: Head, path: StoragePath) -> StorageError:
        """Return why a file could not be made; servers have many answers for what is in the way."""
        tree = self.writing.contents.tree
        found = await tree.look(path)
        if found is not None and found.is_directory:
            return StorageError(errno.EISDIR, path)
        error = failure(head, path) if found is not None else await tree.missing(path)
        return failure(head, path) if error.errno == errno.ENOENT else error

    @asynccontextmanager
    async def _entered(self, path: StoragePath) -> AsyncIterator[Content]:
        """Count one handle more from before the first look, so that nothing is deleted meanwhile."""
        parts(path)
        contents = self.writing.contents
        if contents.open_files.is_closing:
            raise StorageUnavailable(errno.ESHUTDOWN, path, "the storage is being closed")
        async with contents.locks.hold(path):
            content = contents.open_files.enter(path)
            try:
                if content.upload is not None:
                    await contents.sync(content)
                yield content
            except BaseException:
                await contents.close(content, is_dirty=False)
                raise
