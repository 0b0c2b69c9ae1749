"""The ``nulldevice`` helper: keeps nothing, reads zeros. For measuring everything but a storage."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.storage.helper import StorageFile, StoragePath, StorageStat
from op_worker.storage.types import StorageType

ENDLESS_B = 2**63 - 1
"""The size of every file: there are as many zeros as anybody asks for."""


class NullHelper:
    """Every file exists and is endless zeros; what is written is dropped."""

    async def open_read(self, path: StoragePath) -> StorageFile:
        return NullFile()

    async def open_write(self, path: StoragePath) -> StorageFile:
        return NullFile()

    async def open_update(self, path: StoragePath) -> StorageFile:
        return NullFile()

    async def write_whole(self, path: StoragePath, data: bytes) -> None:
        return

    async def remove(self, path: StoragePath) -> None:
        return

    async def stat(self, path: StoragePath) -> StorageStat:
        return StorageStat(ENDLESS_B, 0.0)

    async def check(self) -> None:
        return

    async def rename(self, source: StoragePath, target: StoragePath) -> None:
        return

    async def make_directory(self, path: StoragePath) -> None:
        return

    async def remove_directory(self, path: StoragePath) -> None:
        return

    async def list_directory(self, path: StoragePath) -> Sequence[str]:
        return ()


class NullFile:
    """Endless zeros."""

    async def read(self, offset_b: int, size_b: int) -> bytes:
        return bytes(size_b)

    async def write(self, offset_b: int, data: bytes) -> None:
        return

    async def size(self) -> int:
        return ENDLESS_B

    async def truncate(self, size_b: int) -> None:
        return

    async def sync(self) -> None:
        return

    async def close(self) -> None:
        return


NULLDEVICE = StorageType(
    name="nulldevice",
    make=lambda parameters, surroundings: NullHelper(),
    is_posix=True,
    is_buffered=False,
    is_probed=False,
)
