"""Opening files for reading: the committed location says what is read, the storage gives the bytes."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from attrs import frozen
from twisted.logger import Logger

from onedata.errors import Errno, Posix
from onedata.ids import StorageId
from op_worker.auth.caller import Caller
from op_worker.files.content.access_times import AccessTimes
from op_worker.files.content.parted_files import OpenPart, PartedFile
from op_worker.files.content.small_contents import SmallContents
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.attached import custom_of
from op_worker.files.metadata.custom import FIELDS
from op_worker.files.model import FileStat, FileType, Follow, Json, Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored import blocks as block_lists
from op_worker.files.stored.documents import LOCATION, UNSETTLED, Location
from op_worker.files.stored.nodes import Chain
from op_worker.files.stored.paths import staging_path
from op_worker.storage.helper import (
    Opened,
    StorageError,
    StorageFile,
    StoragePath,
)
from op_worker.storage.supports import Storage

MAX_READ_B = 1 << 20
SMALL_B = 1 << 16
"""Files up to this size are read whole when they are opened."""
_MOST_TRIES = 8


class Translate(Protocol):
    """Turns storage errors into those of users."""

    def __call__(self, error: StorageError) -> Exception: ...


Passed = Callable[[int], None]
"""Told of the bytes that a read returns."""


class Reader:
    """An open file as its location was when it was opened; implements ``ContentReader``."""

    _log = Logger()

    def __init__(
        self, stat: FileStat, location: Location, opened: Opened, translate: Translate, passed: Passed
    ) -> None:
        self.stat = stat
        self.location = location
        self._blocks = location.blocks
        self._first = opened.first
        self._file = opened.file
        self._translate = translate
        self._passed = passed

    async def read(self, offset_b: int, size_b: int) -> bytes:
        """Return up to 1 MiB; holes are zeros; short only at the end of the file."""
        size_b = min(size_b, MAX_READ_B, self.stat.size_b - offset_b)
        if size_b <= 0:
            return b""
        parts = [
            await self._held(piece.offset_b, piece.size_b) if piece.held else bytes(piece.size_b)
            for piece in block_lists.pieces(self._blocks, offset_b, size_b)
        ]
        self._passed(size_b)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def close(self) -> None:
        """Give the storage handle back. Idempotent; what was read stays good whatever the storage says."""
        file, self._file = self._file, None
        try:
            await _close(file)
        except StorageError as error:
            self._log.warn("closing a file failed: {error}", error=error)

    async def _held(self, offset_b: int, size_b: int) -> bytes:
        if offset_b + size_b <= len(self._first):
            return self._first[offset_b : offset_b + size_b]
        try:
            data = await self._file.read(offset_b, size_b) if self._file is not None else b""
        except StorageError as error:
            raise self._translate(error) from error
        if len(data) < size_b:
            raise Posix(Errno.EIO, "the content was cut while it was read")
        return data


@frozen(eq=False)
class Reading:
    """Opens regular files."""

    _context: FilesContext
    _translate: Translate
    _contents: SmallContents
    _access_times: AccessTimes
    _log = Logger()

    async def open(self, caller: Caller, target: Target, follow: Follow, *, custom: bool = False) -> Reader:
        """Open a file. See ``FileService.open_content``."""
        also = FIELDS if custom else ()
        visit, chain = await self._context.chain(caller, target, follow, also)
        await visit.require(chain, Operation.READ_OBJECT)
        if chain.file.type is FileType.DIR:
            raise Posix(Errno.EISDIR)
        if chain.file.type is FileType.SYMLNK:
            raise Posix(Errno.EINVAL, "a symbolic link has no content of its own")
        found = await custom_of(self._context, visit, chain) if custom else None
        return await self.open_chain(visit, chain, found)

    async def open_chain(
        self, visit: Visit, chain: Chain, custom: Mapping[str, Json] | None = None
    ) -> Reader:
        """Open a file that was found and may be read; what is pending at it is settled first.

        A storage that disagrees with the location is looked at again after reading the location
        anew: usually somebody replaced, moved or removed the file in between. What others changed on an
        imported storage is taken over before it is read.
        """
        seen = None
        for _ in range(_MOST_TRIES):
            location = chain.file.location or Location("")
            opened = await self._open(visit, chain, location)
            if opened is not None:
                is_exact = seen is None or seen != _place(chain)
                if fits(opened.size_b, location, is_exact=is_exact, is_imported=self._is_imported(location)):
                    self._remember(location, opened)
                    await self._access_times.note(chain.space_id, chain.file)
                    passed = partial(self._context.tallies.read, visit.space_id, visit.user_id)
                    return Reader(visit.stat(chain, custom), location, opened, self._translate, passed)
                await _close(opened.file)
            was_busy = await self._context.journal.settle_near(chain.space_id, chain.storage_path)
            if not was_busy and await self._context.changed_behind.refresh(chain):
                chain = await self._context.again(chain)
                continue
            now = _place(chain)
            if seen == now and not was_busy:
                break
            seen = now
            chain = await self._context.again(chain)
        self._log.error("the storage lost or changed {path}", path=chain.storage_path)
        raise Posix(Errno.EIO, "the storage does not have the content of this file")

    async def _open(self, visit: Visit, chain: Chain, location: Location) -> Opened | None:
        """Open where the bytes should be; ``None`` when they are not there now."""
        if not location.blocks:
            return Opened(0, b"", None)
        if location.sha256 and (known := self._contents.get(location.generation)) is not None:
            return Opened(len(known), known, None)
        if location.staged == UNSETTLED:
            return None
        if location.parts:
            return await self._open_parts(visit, chain, location)
        storage = await self._context.storage_for(visit, self._context.storage(location.storage_id))
        first_b = location.size_b if location.size_b <= SMALL_B else 0
        if location.staged:
            staged = staging_path(chain.space_id, location.staged)
            opened = await open_first(storage, staged, first_b)
            if opened is not None:
                return opened
        return await open_first(storage, chain.storage_path, first_b)

    def _is_imported(self, location: Location) -> bool:
        """Whether others write to the storage as well as we."""
        storage = self._context.storages.get(StorageId(location.storage_id))
        return storage is not None and storage.record.is_imported

    async def _open_parts(self, visit: Visit, chain: Chain, location: Location) -> Opened | None:
        """Open every place of a content; ``None`` when one of them does not have its bytes now."""
        places = [(location.storage_id, chain.storage_path, location.main_blocks)]
        places.extend((part.storage_id, StoragePath(part.at), part.blocks) for part in location.parts)
        files: list[OpenPart] = []
        for storage_id, path, blocks in places:
            if not blocks:
                continue
            storage = await self._context.storage_for(visit, self._context.storage(storage_id))
            opened = await open_first(storage, path, 0)
            if opened is not None and opened.file is not None:
                files.append(OpenPart(blocks, opened.file))
            if opened is None or opened.file is None or opened.size_b < block_lists.upper(blocks):
                for one in files:
                    await one.file.close()
                return None
        return Opened(location.size_b, b"", PartedFile(files[0].file, files[1:]))

    def _remember(self, location: Location, opened: Opened) -> None:
        """Keep a small content that was written whole, for the next reader."""
        if location.sha256 and opened.file is None and len(opened.first) == location.size_b:
            self._contents.keep(location.generation, opened.first)


def _place(chain: Chain) -> tuple[int, StoragePath]:
    """Return what tells whether a file was changed or moved since it was looked at."""
    return chain.file.revision(LOCATION), chain.storage_path


def fits(found_b: int, location: Location, *, is_exact: bool, is_imported: bool = False) -> bool:
    """Whether a storage file of this size can be the one that a location speaks of.

    Content written whole has its exact size, unless somebody is writing into it in place. On an imported
    storage a file that is longer than it should be was changed by others.
    """
    if is_exact and is_imported and found_b > location.size_b:
        return False
    if is_exact and location.sha256 and found_b < 2**62:
        return found_b == location.size_b
    return found_b >= block_lists.upper(location.blocks)


async def open_first(storage: Storage, path: StoragePath, first_b: int) -> Opened | None:
    """Open a file with its first bytes when the storage can do that at once; ``None`` when missing."""
    try:
        if storage.first is not None:
            return await storage.first.open_with_first(path, first_b)
        file = await storage.helper.open_read(path)
    except StorageError as error:
        if error.errno == errno.ENOENT:
            return None
        raise
    return Opened(await file.size(), b"", file)


async def _close(file: StorageFile | None) -> None:
    if file is not None:
        await file.close()
