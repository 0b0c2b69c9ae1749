"""A handle of an open file of a WebDAV storage."""

from __future__ import annotations

import errno

from op_worker.storage.helper import StorageError
from op_worker.storage.helpers.webdav.open_files import Content
from op_worker.storage.helpers.webdav.writing import Writing


class WebDavFile:
    """See ``StorageFile``."""

    def __init__(self, content: Content, writing: Writing) -> None:
        self._content, self._writing = content, writing
        self._is_closed = self._is_dirty = False

    async def read(self, offset_b: int, size_b: int) -> bytes:
        return await self._writing.contents.read(self._open(), offset_b, size_b)

    async def write(self, offset_b: int, data: bytes) -> None:
        content = self._open()
        self._is_dirty = True
        await self._writing.write(content, offset_b, data)

    async def size(self) -> int:
        return await self._writing.contents.size(self._open())

    async def truncate(self, size_b: int) -> None:
        content = self._open()
        self._is_dirty = True
        await self._writing.truncate(content, size_b)

    async def sync(self) -> None:
        content = self._open()
        self._is_dirty = False  # this tells what was lost, if anything was
        await self._writing.contents.sync(content)

    async def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            await self._writing.contents.close(self._content, is_dirty=self._is_dirty)

    def _open(self) -> Content:
        if self._is_closed:
            raise StorageError(errno.EBADF, self._content.path, "the file is closed")
        return self._content
