"""The ``memory`` helper: files in the memory of this process, gone with it. For tests and trials."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from attrs import define, field

from op_worker.storage.helper import StorageError, StorageFile, StoragePath, StorageStat
from op_worker.storage.types import StorageType


@define(eq=False)
class _Content:
    data: bytearray = field(factory=bytearray)


_Folder = dict[str, "_Node"]
_Node = _Content | _Folder


class MemoryHelper:
    """A tree of folders and contents; handles stay valid when paths change, as on POSIX."""

    def __init__(self) -> None:
        self._root: _Folder = {}

    async def open_read(self, path: StoragePath) -> StorageFile:
        return MemoryFile(self._content(path))

    async def open_update(self, path: StoragePath) -> StorageFile:
        return MemoryFile(self._content(path))

    async def open_write(self, path: StoragePath) -> StorageFile:
        return MemoryFile(self._made(path))

    async def write_whole(self, path: StoragePath, data: bytes) -> None:
        self._made(path).data[:] = data

    async def remove(self, path: StoragePath) -> None:
        folder, name = self._parent(path)
        node = None if folder is None else folder.get(name)
        if isinstance(node, dict):
            raise StorageError(errno.EISDIR, path)
        if folder is not None:
            folder.pop(name, None)

    async def stat(self, path: StoragePath) -> StorageStat:
        node = self._node(path)
        if isinstance(node, dict):
            return StorageStat(0, 0.0, is_directory=True)
        return StorageStat(len(node.data), 0.0)

    async def check(self) -> None:
        return

    async def rename(self, source: StoragePath, target: StoragePath) -> None:
        node = self._node(source)
        folder = self._made_folder(_parts(target)[:-1], target)
        name = _parts(target)[-1]
        _check_replaceable(node, folder.get(name), target)
        old, old_name = self._parent(source)
        if old is not None:
            del old[old_name]
        folder[name] = node

    async def make_directory(self, path: StoragePath) -> None:
        self._made_folder(_parts(path), path)

    async def remove_directory(self, path: StoragePath) -> None:
        folder, name = self._parent(path)
        node = None if folder is None else folder.get(name)
        if folder is None or node is None:
            return
        if not isinstance(node, dict):
            raise StorageError(errno.ENOTDIR, path)
        if node:
            raise StorageError(errno.ENOTEMPTY, path)
        del folder[name]

    async def list_directory(self, path: StoragePath) -> Sequence[str]:
        node = self._node(path) if path else self._root
        if not isinstance(node, dict):
            raise StorageError(errno.ENOTDIR, path)
        return list(node)

    def _node(self, path: StoragePath) -> _Node:
        folder, name = self._parent(path)
        node = None if folder is None else folder.get(name)
        if node is None:
            raise StorageError(errno.ENOENT, path)
        return node

    def _content(self, path: StoragePath) -> _Content:
        node = self._node(path)
        if isinstance(node, dict):
            raise StorageError(errno.EISDIR, path)
        return node

    def _made(self, path: StoragePath) -> _Content:
        *above, name = _parts(path)
        node = self._made_folder(above, path).setdefault(name, _Content())
        if isinstance(node, dict):
            raise StorageError(errno.EISDIR, path)
        return node

    def _parent(self, path: StoragePath) -> tuple[_Folder | None, str]:
        *above, name = _parts(path)
        folder = self._root
        for part in above:
            node = folder.get(part)
            if node is None:
                return None, name
            if not isinstance(node, dict):
                raise StorageError(errno.ENOTDIR, path)
            folder = node
        return folder, name

    def _made_folder(self, parts: list[str], path: StoragePath) -> _Folder:
        folder = self._root
        for part in parts:
            node = folder.setdefault(part, {})
            if not isinstance(node, dict):
                raise StorageError(errno.ENOTDIR, path)
            folder = node
        return folder


class MemoryFile:
    """An open file of a memory storage."""

    def __init__(self, content: _Content) -> None:
        self._content = content
        self._is_closed = False

    async def read(self, offset_b: int, size_b: int) -> bytes:
        return bytes(self._open().data[offset_b : offset_b + size_b])

    async def write(self, offset_b: int, data: bytes) -> None:
        content = self._open().data
        if len(content) < offset_b:
            content.extend(bytes(offset_b - len(content)))
        content[offset_b : offset_b + len(data)] = data

    async def size(self) -> int:
        return len(self._open().data)

    async def truncate(self, size_b: int) -> None:
        content = self._open().data
        del content[size_b:]
        content.extend(bytes(size_b - len(content)))

    async def sync(self) -> None:
        return

    async def close(self) -> None:
        self._is_closed = True

    def _open(self) -> _Content:
        if self._is_closed:
            raise StorageError(errno.EBADF, "")
        return self._content


def _check_replaceable(source: _Node, target: _Node | None, path: StoragePath) -> None:
    if target is None or target is source:
        return
    if isinstance(target, dict) and not isinstance(source, dict):
        raise StorageError(errno.EISDIR, path)
    if isinstance(source, dict) and not isinstance(target, dict):
        raise StorageError(errno.ENOTDIR, path)
    if isinstance(target, dict) and target:
        raise StorageError(errno.ENOTEMPTY, path)


def _parts(path: StoragePath) -> list[str]:
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise StorageError(errno.EINVAL, path)
    return parts


MEMORY = StorageType(
    name="memory", make=lambda parameters, surroundings: MemoryHelper(), is_buffered=False, is_probed=False
)
