"""Checksums on demand: the bytes are read from the storage and compared with what is known of them."""

from __future__ import annotations

import hashlib
from typing import Any

from attrs import define, field, frozen
from twisted.logger import Logger

from cluster_worker.persistence.engine import Check, PreconditionFailed, Put, Step
from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.content.measured import MEASURED, Measured, known_sha256
from op_worker.files.content.opening import location_of
from op_worker.files.content.reading import MAX_READ_B, Reader, Reading
from op_worker.files.context import FilesContext
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileStat, FileType, Follow, Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.documents import LOCATION, Location
from op_worker.files.stored.nodes import Chain
from op_worker.files.translation import translated

STEP_B = 64 * 1024 * 1024
"""How much is read between two reports."""


@frozen
class Verdict:
    """What a verification found.

    Attributes:
        sha256: of the bytes that the storage has.
        known: the checksum that was known before, empty when there was none; the computed one is kept then.
    """

    sha256: bytes
    known: bytes
    content_version: int

    @property
    def is_verified(self) -> bool:
        """Whether the storage has the bytes that were written; without a known checksum nothing speaks
        against it."""
        return self.known in (b"", self.sha256)


@define(eq=False)
class Verification:
    """One verification; call ``step`` until ``verdict`` is there, then ``close``."""

    _context: FilesContext
    _visit: Visit
    _chain: Chain
    _reader: Reader
    done_b: int = 0
    verdict: Verdict | None = None
    _hasher: Any = field(factory=hashlib.sha256)
    _log = Logger()

    @property
    def size_b(self) -> int:
        return self._reader.stat.size_b

    @translated
    async def step(self) -> None:
        """Read up to ``STEP_B`` bytes more; at the end make the verdict.

        Raises: Posix(EAGAIN) when the content changed meanwhile; Posix(EIO) when it cannot be read.
        """
        end_b = min(self.done_b + STEP_B, self.size_b)
        while self.done_b < end_b:
            data = await self._reader.read(self.done_b, min(MAX_READ_B, end_b - self.done_b))
            if not data:
                raise Posix(Errno.EIO, "the content ended too early")
            await self._context.blocking.run(self._hasher.update, data)
            self.done_b += len(data)
        if self.done_b == self.size_b:
            self.verdict = await self._judge(self._hasher.digest())

    async def close(self) -> None:
        """Give the file back."""
        await self._reader.close()

    async def _judge(self, sha256: bytes) -> Verdict:
        file, location = self._chain.file, location_of(self._chain)
        found = await self._context.engine.get(self._visit.scope, file.key, [LOCATION, MEASURED])
        document = found.get(MEASURED)
        known = known_sha256(location, None if document is None else document.data)
        if LOCATION not in found:
            raise Posix(Errno.ENOENT, "the file was removed while it was verified")
        present = Location.decode(found[LOCATION].data)
        if (present.version, present.generation) != (location.version, location.generation):
            raise Posix(Errno.EAGAIN, "the content changed while it was verified")
        if not known:
            await self._keep(
                Measured(location.version, location.generation, sha256), found[LOCATION].revision
            )
        elif known != sha256:
            self._log.error(
                "the storage does not have the bytes of {guid}: their sha256 is {found}, it was {known}",
                guid=self._chain.guid.text,
                found=sha256.hex(),
                known=known.hex(),
            )
        return Verdict(sha256, known, location.version)

    async def _keep(self, measured: Measured, revision: int) -> None:
        key = self._chain.file.key
        steps: list[Step] = [Check(key, LOCATION, revision), Put(key, MEASURED, measured.encode())]
        try:
            await self._context.transactions.commit(self._visit.space_id, steps)
        except PreconditionFailed:
            raise Posix(Errno.EAGAIN, "the content changed while it was verified") from None


@frozen(eq=False)
class ContentChecksums:
    """Tells and verifies checksums of contents. Raises what ``FileService`` raises."""

    _context: FilesContext
    _reading: Reading

    @translated
    async def verify(self, caller: Caller, target: Target) -> Verification:
        """Begin to read a whole content from the storage, never from memory.

        Raises: Posix(EISDIR, EINVAL, ENOENT, EACCES); Posix(EIO) when the storage lost it.
        """
        visit, chain = await self._context.chain(caller, target, Follow.YES)
        await visit.require(chain, Operation.READ_OBJECT)
        if chain.file.is_directory:
            raise Posix(Errno.EISDIR)
        if chain.file.type is not FileType.REG:
            raise Posix(Errno.EINVAL)
        reader = await self._reading.open_chain(visit, chain)
        try:
            now = await self._context.again(chain)
            if stat_of(now, visit.space, visit.user_id).content_tag != reader.stat.content_tag:
                raise Posix(Errno.EAGAIN, "the content changed while it was opened")
        except BaseException:
            await reader.close()
            raise
        return Verification(self._context, visit, now, reader)

    async def of(self, caller: Caller, stat: FileStat) -> bytes:
        """Return the SHA-256 of a content, read whole from the storage when it is not known yet.

        Raises: as ``verify``; Posix(EAGAIN) when the content changed meanwhile.
        """
        target = Target(stat.guid)
        known = await self.known(caller, target, stat.content_tag)
        if known:
            return known
        verification = await self.verify(caller, target)
        try:
            while verification.verdict is None:
                await verification.step()
            return verification.verdict.sha256
        finally:
            await verification.close()

    @translated
    async def known(self, caller: Caller, target: Target, tag: str) -> bytes:
        """Return the SHA-256 of the content with this tag, also when it was computed later.

        Empty when none is known, or when the file has another content by now.
        """
        visit, chain = await self._context.chain(caller, target, Follow.YES)
        await visit.require(chain, Operation.READ_OBJECT)
        found = await self._context.engine.get(visit.scope, chain.file.key, [MEASURED])
        document = found.get(MEASURED)
        if stat_of(chain, visit.space, visit.user_id).content_tag != tag:
            return b""
        return known_sha256(location_of(chain), None if document is None else document.data)
