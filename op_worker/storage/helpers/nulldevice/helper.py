"""The ``nulldevice`` helper: keeps nothing, reads zeros. For measuring everything but a storage."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import islice
from random import Random

from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime

from op_worker.storage.helper import Scanned, StorageError, StorageFile, StoragePath, StorageStat
from op_worker.storage.helpers.nulldevice.contents import first_difference, patterned, zeros
from op_worker.storage.helpers.nulldevice.simulation import GeneratedTree, Node
from op_worker.storage.helpers.nulldevice.troubles import EVERYTHING, Troubles, filtered
from op_worker.storage.types import (
    BadStorageError,
    HelperSurroundings,
    Kind,
    Parameter,
    Parameters,
    StorageType,
)

ENDLESS_B = 2**63 - 1
"""The size of every file: there are as many zeros as anybody asks for."""
_BATCH = 1000


@frozen(eq=False)
class NullContents:
    """What is read; with ``verifies`` also what must be written."""

    read: Callable[[int, int], bytes] = zeros
    verifies: bool = False

    def check(self, path: str, offset_b: int, data: bytes) -> None:
        """Raise StorageError(EIO) when data that are verified are wrong."""
        at = first_difference(offset_b, data) if self.verifies else None
        if at is not None:
            raise StorageError(errno.EIO, path, f"the byte at {at} is not what the pattern has there")


ZEROS, PATTERNED = NullContents(), NullContents(patterned, verifies=True)


class NullHelper:
    """Every file exists and is endless; what is written is dropped."""

    def __init__(self, troubles: Troubles | None = None, contents: NullContents = ZEROS) -> None:
        self._troubles, self._contents = troubles, contents

    async def open_read(self, path: StoragePath) -> StorageFile:
        return await self._opened(path)

    async def open_write(self, path: StoragePath) -> StorageFile:
        return await self._opened(path)

    async def open_update(self, path: StoragePath) -> StorageFile:
        return await self._opened(path)

    async def write_whole(self, path: StoragePath, data: bytes) -> None:
        await self._suffer("write", path)
        self._contents.check(path, 0, data)

    async def remove(self, path: StoragePath) -> None:
        await self._suffer("remove", path)

    async def stat(self, path: StoragePath) -> StorageStat:
        await self._suffer("stat", path)
        return StorageStat(ENDLESS_B, 0.0)

    async def check(self) -> None:
        return

    async def rename(self, source: StoragePath, target: StoragePath) -> None:
        await self._suffer("rename", source)

    async def make_directory(self, path: StoragePath) -> None:
        await self._suffer("make_directory", path)

    async def remove_directory(self, path: StoragePath) -> None:
        await self._suffer("remove_directory", path)

    async def list_directory(self, path: StoragePath) -> Sequence[str]:
        await self._suffer("list_directory", path)
        return ()

    async def _opened(self, path: StoragePath) -> StorageFile:
        await self._suffer("open", path)
        return NullFile(path, ENDLESS_B, self._contents, self._troubles)

    async def _suffer(self, operation: str, path: str) -> None:
        if self._troubles is not None:
            await self._troubles.suffer(operation, path)


@define(eq=False)
class GrowingTree:
    """A generated tree of which ``files_per_s`` more can be seen every second; all of it when that is 0."""

    tree: GeneratedTree
    clock: IReactorTime
    files_per_s: float
    _began_s: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._began_s = self.clock.seconds()

    def node(self, path: str) -> Node | None:
        """Return what can be seen at a path by now."""
        found = self.tree.node(path)
        if found is None or not self.files_per_s:
            return found
        return found if found.number <= (self.clock.seconds() - self._began_s) * self.files_per_s else None


class SimulatedHelper:
    """A generated tree, read only."""

    def __init__(self, tree: GrowingTree, troubles: Troubles, contents: NullContents = ZEROS) -> None:
        self._tree, self._troubles, self._contents = tree, troubles, contents

    async def open_read(self, path: StoragePath) -> StorageFile:
        await self._troubles.suffer("open", path)
        found = self._found(path)
        if found.is_directory:
            raise StorageError(errno.EISDIR, path)
        return NullFile(path, found.size_b, self._contents, self._troubles, is_writable=False)

    async def open_update(self, path: StoragePath) -> StorageFile:
        raise _read_only(path)

    async def open_write(self, path: StoragePath) -> StorageFile:
        raise _read_only(path)

    async def remove(self, path: StoragePath) -> None:
        raise _read_only(path)

    async def stat(self, path: StoragePath) -> StorageStat:
        await self._troubles.suffer("stat", path)
        return _stat_of(self._found(path))

    async def check(self) -> None:
        return

    async def make_directory(self, path: StoragePath) -> None:
        raise _read_only(path)

    async def remove_directory(self, path: StoragePath) -> None:
        raise _read_only(path)

    async def list_directory(self, path: StoragePath) -> Sequence[str]:
        return [each.name async for batch in self.scan(path) for each in batch]

    async def scan(self, path: StoragePath) -> AsyncIterator[Sequence[Scanned]]:
        """See ``SupportsScanning``."""
        await self._troubles.suffer("scan", path)
        if not self._found(path).is_directory:
            raise StorageError(errno.ENOTDIR, path)
        names = self._tree.tree.names(path)
        while some := list(islice(names, _BATCH)):
            found = [(name, self._tree.node(f"{path}/{name}" if path else name)) for name in some]
            batch = [Scanned(name, _stat_of(node)) for name, node in found if node is not None]
            if not batch:
                return  # what comes later can be seen only later
            yield batch

    def _found(self, path: StoragePath) -> Node:
        found = self._tree.node(path)
        if found is None:
            raise StorageError(errno.ENOENT, path)
        return found


class NullFile:
    """So many bytes that are the same in every file."""

    def __init__(
        self,
        path: StoragePath,
        size_b: int,
        contents: NullContents,
        troubles: Troubles | None,
        *,
        is_writable: bool = True,
    ) -> None:
        self._path, self._size_b = path, size_b
        self._contents, self._troubles = contents, troubles
        self._is_writable = is_writable

    async def read(self, offset_b: int, size_b: int) -> bytes:
        await self._suffer("read")
        return self._contents.read(offset_b, max(0, min(size_b, self._size_b - offset_b)))

    async def write(self, offset_b: int, data: bytes) -> None:
        self._require_writable()
        await self._suffer("write")
        self._contents.check(self._path, offset_b, data)

    async def size(self) -> int:
        return self._size_b

    async def truncate(self, size_b: int) -> None:
        self._require_writable()
        await self._suffer("truncate")

    async def sync(self) -> None:
        await self._suffer("sync")

    async def close(self) -> None:
        return

    def _require_writable(self) -> None:
        if not self._is_writable:
            raise _read_only(self._path)

    async def _suffer(self, operation: str) -> None:
        if self._troubles is not None:
            await self._troubles.suffer(operation, self._path)


def _read_only(path: StoragePath) -> StorageError:
    return StorageError(errno.EROFS, path, "a generated tree is read only")


def _stat_of(node: Node) -> StorageStat:
    return StorageStat(node.size_b, 0.0, node.is_directory)


def _made(parameters: Parameters, surroundings: HelperSurroundings) -> NullHelper | SimulatedHelper:
    clock = surroundings.reactor
    latency_ms = (parameters.integer("latencyMin"), parameters.integer("latencyMax"))
    probability = parameters.number("timeoutProbability")
    if latency_ms[0] > latency_ms[1]:
        raise BadStorageError("latencyMin must not be more than latencyMax")
    if not 0 <= probability <= 1:
        raise BadStorageError("timeoutProbability must be between 0 and 1")
    random = Random(surroundings.random_bytes(16))
    troubles = Troubles(clock, random, latency_ms, probability, filtered(parameters.text("filter")))
    contents = PATTERNED if parameters.boolean("enableDataVerification") else ZEROS
    levels = parameters.text("simulatedFilesystemParameters")
    if not levels:
        return NullHelper(troubles if latency_ms[1] or probability else None, contents)
    files_per_s = parameters.number("simulatedFilesystemGrowSpeed")
    if files_per_s < 0:
        raise BadStorageError("simulatedFilesystemGrowSpeed must not be negative")
    return SimulatedHelper(GrowingTree(GeneratedTree.parse(levels), clock, files_per_s), troubles, contents)


NULLDEVICE = StorageType(
    name="nulldevice",
    arguments=[
        Parameter(name="latencyMin", kind=Kind.INTEGER, default="0"),
        Parameter(name="latencyMax", kind=Kind.INTEGER, default="0"),
        Parameter(name="timeoutProbability", kind=Kind.NUMBER, default="0.0"),
        Parameter(name="filter", default=EVERYTHING),
        Parameter(name="simulatedFilesystemParameters", default=""),
        Parameter(name="simulatedFilesystemGrowSpeed", kind=Kind.NUMBER, default="0.0"),
        Parameter(name="enableDataVerification", kind=Kind.BOOLEAN, default="false"),
    ],
    credentials=[
        Parameter(name="uid", kind=Kind.INTEGER, default="0"),
        Parameter(name="gid", kind=Kind.INTEGER, default="0", minimum=-1),
    ],
    make=_made,
    is_posix=True,
    is_buffered=False,
    is_probed=False,
)
