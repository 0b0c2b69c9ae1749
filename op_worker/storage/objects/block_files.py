"""Files in blocks, by their paths."""

from __future__ import annotations

import errno

from attrs import frozen

from cluster_worker.runtime.together import together
from op_worker.storage.helper import StorageError, StoragePath, StorageStat
from op_worker.storage.objects.access import ObjectAccess, or_missing
from op_worker.storage.objects.blocks import BlockContent
from op_worker.storage.objects.finding import FoundFile, last_block
from op_worker.storage.objects.layout import Layout
from op_worker.storage.objects.store import ObjectPiece


@frozen
class BlockFiles:
    """See ``Arrangement``."""

    _access: ObjectAccess
    _layout: Layout
    _mode: int | None = None

    async def find(self, path: StoragePath) -> BlockContent:
        return self._content(path, await self._found(path))

    async def make(self, path: StoragePath) -> BlockContent:
        await self._access.put_new(self._layout.key(path, 0), b"")
        return self.unseen(path)

    def unseen(self, path: StoragePath) -> BlockContent:
        return BlockContent(self._access, self._layout, path, 0)

    async def first(self, path: StoragePath, size_b: int) -> tuple[BlockContent, bytes]:
        if not size_b:
            return await self.find(path), b""
        content, begun = await together([self.find(path), self._begun(path, size_b)])
        assert isinstance(content, BlockContent)
        wanted_b = min(size_b, content.size_b)
        data = begun.data if isinstance(begun, ObjectPiece) else b""
        return content, data if len(data) == wanted_b else await content.read(0, wanted_b)

    async def stat(self, path: StoragePath) -> StorageStat:
        found = await self._found(path)
        return StorageStat(found.size_b, found.mtime_s, mode=self._mode)

    async def _begun(self, path: StoragePath, size_b: int) -> ObjectPiece | None:
        """Return the beginning of the first block."""
        first_b = min(size_b, self._layout.block_size_b)
        return await or_missing(self._access.get(self._layout.key(path, 0), 0, first_b))

    async def _found(self, path: StoragePath) -> FoundFile:
        found = await last_block(self._access, self._layout, path)
        if found is None:
            raise StorageError(errno.ENOENT, path)
        return found

    def _content(self, path: StoragePath, found: FoundFile) -> BlockContent:
        return BlockContent(self._access, self._layout, path, found.size_b)
