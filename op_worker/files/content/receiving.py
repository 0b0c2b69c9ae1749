"""Bodies that must be here whole before a byte of them is used: in memory, long ones in a staging file."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from cluster_worker.runtime.streams import ByteStream, StreamBroken
from onedata.ids import SpaceId
from op_worker.files.content.staging import CHUNK_B, SMALL_B, Chunks, Staged, Staging
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.stored.digests import Digest, agreeing
from op_worker.storage.helper import StorageFile


class Received:
    """A body that came whole, as a stream of its bytes. Close it.

    Args:
        file: where the bytes of a long body are, behind ``staged``.
    """

    def __init__(
        self, size_b: int, data: bytes, staged: Staged | None = None, file: StorageFile | None = None
    ) -> None:
        self.size_b, self.staged = size_b, staged
        self._data, self._file = data, file
        self._offset_b = 0

    async def read(self) -> bytes:
        """Return the next piece, of up to ``CHUNK_B`` bytes."""
        if self._file is None:
            data, self._data = self._data, b""
            return data
        data = await self._file.read(self._offset_b, CHUNK_B)
        self._offset_b += len(data)
        return data

    async def close(self) -> None:
        """Give the handle back."""
        if self._file is not None:
            await self._file.close()


class _Rejoined:
    """A body whose beginning was read already."""

    def __init__(self, first: bytes, rest: ByteStream) -> None:
        self._first, self._rest = first, rest

    async def read(self) -> bytes:
        first, self._first = self._first, b""
        return first or await self._rest.read()


@frozen(eq=False)
class Receiving:
    """Receives whole bodies, at most ``SMALL_B`` bytes of each in memory."""

    _context: FilesContext
    _staging: Staging

    async def receive(
        self,
        visit: Visit,
        body: ByteStream,
        expected_b: int | None,
        digests: Sequence[Digest] = (),
    ) -> Received:
        """Return a body when all of it came and agrees with ``digests``; else nothing is left behind.

        Raises: StreamBroken; ChecksumMismatch; StorageError.
        """
        whole = agreeing(body, digests, self._context.blocking)
        first = await Chunks(whole, None).next(SMALL_B + 1)
        if len(first) <= SMALL_B:
            if expected_b is not None and len(first) != expected_b:
                raise StreamBroken(f"the body has {len(first)} bytes instead of {expected_b}")
            return Received(len(first), first)
        staged = await self._staging.receive_aside(visit, _Rejoined(first, whole), expected_b)
        try:
            storage = self._context.storage(staged.landing.storage_id)
            file = await storage.helper.open_read(staged.landing.path)
        except BaseException:
            await self._staging.discard(visit.space_id, staged)
            raise
        return Received(staged.size_b, b"", staged, file)

    async def done(self, space_id: SpaceId, received: Received) -> None:
        """Forget a body and what was stored of it."""
        await received.close()
        if received.staged is not None:
            await self._staging.discard(space_id, received.staged)
