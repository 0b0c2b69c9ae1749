"""The bytes of an upload: written, synced, and only then counted; at the end one commit makes the file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from attrs import define, evolve, field, frozen

from cluster_worker.persistence.engine import Batch, Engine, PreconditionFailed, Put, Scope
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.streams import ByteStream, StreamBroken
from onedata.errors import BadValueTooHigh, UploadBusy
from op_worker.auth.caller import Caller
from op_worker.files.content.growing import GrowingContents, Grown
from op_worker.files.stored.digests import Checker, Digest
from op_worker.storage.helper import StorageError, StorageFile
from op_worker.uploads.hashes import RunningHash, RunningHashes
from op_worker.uploads.records import RECORD, Upload
from op_worker.uploads.turns import Stored, Turns

COMMIT_B = 16 * 1024 * 1024
"""After so many bytes the offset is committed, so that a crash costs the client no more than these."""
LIFETIME_S = 24 * 3600.0
"""How long an upload lives after its last byte."""
_READ_B = 1024 * 1024


@frozen(eq=False)
class Writing:
    """Writes bodies to uploads and finishes them. The caller holds the turn of the upload."""

    engine: Engine
    growing: GrowingContents
    blocking: Blocking
    wall_clock: WallClock
    hashes: RunningHashes = field(factory=RunningHashes)

    async def write(self, stored: Stored, turns: Turns, body: ByteStream, digests: Sequence[Digest]) -> None:
        """Add a body behind the bytes that are here.

        What came before a failure counts, if no digest was to be checked.

        Raises: StreamBroken; StorageError; ChecksumMismatch, UploadBusy; BadValueTooHigh for more bytes
        than announced.
        """
        upload = stored.upload
        file = await self.growing.open(upload.space_id, upload.storage_id, upload.upload_id)
        try:
            reception = _Reception(self, stored, turns, file, Checker(self.blocking, digests))
            await reception.run(body, commits=not digests)
        finally:
            await file.close()

    async def commit(self, stored: Stored, offset_b: int) -> None:
        """Count the bytes before ``offset_b`` as being here for good."""
        await self.save(stored, evolve(stored.upload, offset_b=offset_b))

    async def save(self, stored: Stored, upload: Upload) -> None:
        """Commit a changed record, which lives longer from now on.

        Raises: UploadBusy when it is not the one that is stored any more.
        """
        upload = evolve(upload, expires_s=self.wall_clock() + LIFETIME_S)
        step = Put(upload.key, RECORD, upload.encode(), expect=stored.revision)
        try:
            await self.engine.commit(Scope(upload.space_id), Batch([step]))
        except PreconditionFailed:
            raise UploadBusy() from None
        stored.upload, stored.revision = upload, stored.revision + 1

    async def finish(self, caller: Caller, stored: Stored) -> None:
        """Make the file of an upload that is complete, in the commit that marks it as finished.

        Raises: what ``FileService.replace_content`` raises; the upload stays complete then.
        """
        upload = stored.upload
        sha256 = await self._sha256(upload)
        grown = Grown(upload.storage_id, upload.upload_id, upload.size_b, sha256)
        finished = evolve(upload, is_finished=True, writer="")
        step = Put(upload.key, RECORD, finished.encode(), expect=stored.revision)
        becomes = upload.becomes
        await self.growing.place(caller, becomes.target, becomes.options, grown, [step])
        stored.upload, stored.revision = finished, stored.revision + 1

    async def _sha256(self, upload: Upload) -> bytes:
        """Return the hash of a complete upload, computed from its bytes when this process saw not all."""
        running = self.hashes.take(upload.upload_id, upload.size_b)
        if running is not None and upload.size_b:
            self.hashes.keep(upload.upload_id, running)
            known: bytes = running.hasher.digest()
            return known
        file = await self.growing.open(upload.space_id, upload.storage_id, upload.upload_id)
        hasher = hashlib.sha256()
        try:
            offset_b = 0
            while offset_b < upload.size_b:
                data = await file.read(offset_b, min(_READ_B, upload.size_b - offset_b))
                if not data:
                    raise StreamBroken("the storage lost bytes of an upload")
                await self.blocking.run(hasher.update, data)
                offset_b += len(data)
        finally:
            await file.close()
        return hasher.digest()


@define(eq=False)
class _Reception:
    """One body on its way into an upload."""

    _writing: Writing
    _stored: Stored
    _turns: Turns
    _file: StorageFile
    _checker: Checker
    _position_b: int = field(init=False)
    _running: RunningHash | None = field(init=False)

    @_position_b.default
    def _begin(self) -> int:
        return self._stored.upload.offset_b

    @_running.default
    def _hash(self) -> RunningHash | None:
        upload = self._stored.upload
        return self._writing.hashes.take(upload.upload_id, upload.offset_b)

    async def run(self, body: ByteStream, *, commits: bool) -> None:
        """Receive everything. Without ``commits`` bytes count only when all came and agree."""
        try:
            await self._receive(body, commits=commits)
        except (StreamBroken, StorageError, BadValueTooHigh):
            if commits:
                await self._count()
            raise
        self._checker.require()
        await self._count()

    async def _receive(self, body: ByteStream, *, commits: bool) -> None:
        upload = self._stored.upload
        while piece := await body.read():
            if self._position_b + len(piece) > upload.size_b:
                raise BadValueTooHigh("Upload-Offset", upload.size_b)
            await self._turns.keep(self._stored)
            await self._file.write(self._position_b, piece)
            await self._checker.update(piece)
            await self._advance(piece)
            if commits and self._position_b - self._stored.upload.offset_b >= COMMIT_B:
                await self._count()

    async def _advance(self, piece: bytes) -> None:
        if self._running is not None:
            await self._writing.blocking.run(self._running.hasher.update, piece)
            self._running.at_b += len(piece)
        self._position_b += len(piece)

    async def _count(self) -> None:
        """Make what was written survive as durability demands, then commit how much it is."""
        if self._position_b > self._stored.upload.offset_b:
            await self._file.sync()
            await self._writing.commit(self._stored, self._position_b)
        if self._running is not None:
            self._writing.hashes.keep(self._stored.upload.upload_id, self._running)
