"""Whole contents on their way in: bytes go to a place of their own, which the commit then refers to."""

from __future__ import annotations

import errno
import hashlib

from attrs import frozen
from twisted.internet.defer import Deferred

from cluster_worker.runtime.streams import ByteStream, StreamBroken
from onedata.ids import SpaceId
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.stored import blocks as block_lists
from op_worker.files.stored.documents import Location
from op_worker.files.stored.landings import Landing, Wanted
from op_worker.storage.helper import StorageError, StorageFile, StorageUnavailable
from op_worker.storage.supports import Storage

SMALL_B = 256 * 1024
"""Bodies up to this size are collected and written in one go."""
_TRIED_ELSEWHERE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""What a storage may say to a short content that another one then takes."""
CHUNK_B = 1024 * 1024
"""Longer ones are written in pieces of this size; two of them are in memory at most."""


@frozen
class Staged:
    """A content that came whole and is no file's yet."""

    landing: Landing
    size_b: int
    sha256: bytes

    def location(self, version: int, charges: tuple[str, ...], *, is_apart: bool = False) -> Location:
        """Return the location of a file whose content this becomes; see ``Location`` for ``is_apart``."""
        landing = self.landing
        return Location(
            landing.storage_id,
            self.size_b,
            block_lists.whole(self.size_b),
            version,
            landing.generation,
            self.sha256,
            "" if landing.stays else landing.name,
            is_apart=is_apart or landing.stays,
            charges=charges,
            at=landing.path if landing.stays else "",
        )


class Chunks:
    """Collects the pieces of a body into chunks that are worth a call to the storage.

    Args:
        expected_b: the announced length; a body of another length is broken.
    """

    def __init__(self, body: ByteStream, expected_b: int | None) -> None:
        self._body = body
        self._expected_b = expected_b
        self.total_b = 0

    async def next(self, limit_b: int) -> bytes:
        """Return at least ``limit_b`` bytes; fewer only at the end, where ``b""`` follows."""
        pieces: list[bytes] = []
        size_b = 0
        while size_b < limit_b:
            piece = await self._body.read()
            if not piece:
                break
            pieces.append(piece)
            size_b += len(piece)
        self.total_b += size_b
        if self._expected_b is not None and not self._as_announced(ended=size_b < limit_b):
            raise StreamBroken(f"the body has {self.total_b} bytes instead of {self._expected_b}")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _as_announced(self, *, ended: bool) -> bool:
        expected_b = self._expected_b or 0
        return self.total_b == expected_b if ended else self.total_b <= expected_b


@frozen(eq=False)
class Staging:
    """Writes bodies where they wait for the commit that they belong to, to storages chosen for them."""

    _context: FilesContext

    async def receive(self, visit: Visit, wanted: Wanted, body: ByteStream, expected_b: int | None) -> Staged:
        """Store a body for a file. When this raises, nothing is left behind.

        A short body that a storage is too full for, or that it does not take now, goes to the next one.

        Raises: StreamBroken; StorageError; PersistenceUnavailable; Posix(ENOSPC); InvalidQosExpression.
        """
        if len(visit.support.backings) == 1:
            await self._context.storage_for(visit, visit.support.storage)  # who may not need not send it
        chunks = Chunks(body, expected_b)
        first = await chunks.next(SMALL_B + 1)
        is_whole = len(first) <= SMALL_B
        size_b = len(first) if is_whole else expected_b
        [*storages, last] = await self._context.choosing.storages(visit.support, wanted, size_b)
        for storage in storages if is_whole else ():
            try:
                return await self._land(visit, storage, wanted, first, chunks)
            except StorageError as error:
                if error.errno not in _TRIED_ELSEWHERE and not isinstance(error, StorageUnavailable):
                    raise
        return await self._land(visit, last if is_whole else [*storages, last][0], wanted, first, chunks)

    async def _land(
        self, visit: Visit, administered: Storage, wanted: Wanted, first: bytes, chunks: Chunks
    ) -> Staged:
        storage = await self._context.storage_for(visit, administered)
        landing = await self._context.places.land(visit.support, storage, wanted)
        return await self._store(visit.space_id, storage, landing, first, chunks)

    async def receive_aside(self, visit: Visit, body: ByteStream, expected_b: int | None) -> Staged:
        """Store a body that becomes no file, as ``receive``."""
        storage = await self._context.storage_for(visit, visit.support.storage)
        chunks = Chunks(body, expected_b)
        first = await chunks.next(SMALL_B + 1)
        landing = await self._context.places.aside(visit.support, storage)
        return await self._store(visit.space_id, storage, landing, first, chunks)

    async def discard(self, space_id: SpaceId, staged: Staged) -> None:
        """Remove a content that no commit refers to."""
        await self._context.places.give_back(space_id, staged.landing)

    async def _store(
        self, space_id: SpaceId, storage: Storage, landing: Landing, first: bytes, chunks: Chunks
    ) -> Staged:
        try:
            if len(first) <= SMALL_B and storage.whole is not None:
                await storage.whole.write_whole(landing.path, first)
                return Staged(landing, len(first), hashlib.sha256(first).digest())
            file = await storage.helper.open_write(landing.path)
            try:
                digest = await self._stream(file, first, chunks)
                await file.sync()
            finally:
                await file.close()
            return Staged(landing, chunks.total_b, digest)
        except BaseException:
            await self._context.places.give_back(space_id, landing)
            raise

    async def _stream(self, file: StorageFile, first: bytes, chunks: Chunks) -> bytes:
        """Write and hash chunk after chunk, receiving the next one meanwhile."""
        hasher = hashlib.sha256()
        data, offset_b = first, 0
        while data:
            writing = Deferred.fromCoroutine(file.write(offset_b, data))
            hashing = Deferred.fromCoroutine(self._context.blocking.run(hasher.update, data))
            try:
                following = await chunks.next(CHUNK_B)
            except BaseException:
                await _ended(hashing)
                await _ended(writing)
                raise
            await hashing
            await writing
            offset_b += len(data)
            data = following
        return hasher.digest()


async def _ended(work: Deferred[None]) -> None:
    """Wait for work whose outcome does not matter any more."""
    work.addErrback(lambda _: None)
    await work
