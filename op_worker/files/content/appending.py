"""Appending by several writers at once: each gets a range of its own at the end, in one piece.

The whole body is here before anything is reserved. One commit then makes the file longer by its size:
that range is the writer's, and it reads as zeros until the bytes are stored and a second commit makes
them a part of the content. A crash between the two leaves a hole of zeros, never bytes of another writer.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, field, frozen
from twisted.logger import Logger

from cluster_worker.persistence.engine import PersistenceError
from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import Errno, OnedataError, Posix, ServiceUnavailable
from op_worker.auth.caller import Caller
from op_worker.files.committing.transactions import MOST_TRIES
from op_worker.files.content.in_place import MAX_SIZE_B, InPlace
from op_worker.files.content.opening import Opening, location_of
from op_worker.files.content.receiving import Received, Receiving
from op_worker.files.context import FilesContext
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileStat, Target
from op_worker.files.quotas.room import require_growth
from op_worker.files.stored import blocks as block_lists
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.files.stored.digests import Digest
from op_worker.files.stored.nodes import Chain
from op_worker.storage.helper import StorageError, StorageFile


@frozen(eq=False)
class Reserved:
    """A range at the end of an open file that belongs to one writer."""

    file: StorageFile
    chain: Chain
    offset_b: int


@frozen(eq=False)
class Appending:
    """Adds bodies at the end of files.

    Writers of one process commit in turn: correctness needs no lock, but a crowd of them would only make
    each other decide anew.
    """

    _context: FilesContext
    _opening: Opening
    _in_place: InPlace
    _receiving: Receiving
    _locks: KeyedLocks = field(factory=KeyedLocks)
    _log = Logger()

    async def append(
        self,
        caller: Caller,
        target: Target,
        body: ByteStream,
        expected_b: int | None,
        digests: Sequence[Digest],
        condition: ContentCondition,
    ) -> FileStat:
        """Receive a body, then add it. See ``FileService.append_content``."""
        visit, chain = await self._opening.allowed(caller, target)
        condition.require(stat_of(chain, visit.space, visit.user_id))
        received = await self._receiving.receive(visit, body, expected_b, digests)
        try:
            visit, chain = await self._opening.allowed(caller, target)
            return await self._add(visit, chain, received, condition)
        finally:
            await self._receiving.done(visit.space_id, received)

    async def _add(
        self, visit: Visit, chain: Chain, received: Received, condition: ContentCondition
    ) -> FileStat:
        if not received.size_b:
            return stat_of(chain, visit.space, visit.user_id)
        await require_growth(self._context, visit, chain, received.size_b)
        async with self._locks.hold(chain.file.key):
            reserved = await self._reserve(visit, chain, received.size_b, condition)
        try:
            await self._store(reserved, received)
            self._context.tallies.wrote(visit.space_id, visit.user_id, received.size_b)
            block = (reserved.offset_b, received.size_b)
            async with self._locks.hold(chain.file.key):
                return await self._in_place.commit_block(visit, reserved.chain, block)
        except BaseException:
            await self._give_back(visit, reserved, received.size_b)
            raise
        finally:
            await reserved.file.close()

    async def _reserve(
        self, visit: Visit, chain: Chain, size_b: int, condition: ContentCondition
    ) -> Reserved:
        """Make the file longer by ``size_b`` bytes, which are a hole."""
        for _ in range(MOST_TRIES):
            file, opened = await self._opening.open(visit, chain, condition)
            try:
                offset_b = await self._grow(visit, opened, size_b, condition)
            except BaseException:
                await file.close()
                raise
            if offset_b is not None:
                return Reserved(file, opened, offset_b)
            await file.close()
            chain = await self._context.again(chain)
        raise ServiceUnavailable()

    async def _grow(
        self, visit: Visit, opened: Chain, size_b: int, condition: ContentCondition
    ) -> int | None:
        """Commit the greater size and return the old one.

        ``None`` when the file has another content than the one opened; with a condition, also when it is
        another version.
        """

        async def attempt() -> int | None:
            chain = await self._context.again(opened)
            old, at_open = location_of(chain), location_of(opened)
            if (old.generation, old.trims) != (at_open.generation, at_open.trims):
                return None
            if condition is not NO_CONDITION and old.version != at_open.version:
                return None
            if old.size_b + size_b > MAX_SIZE_B:
                raise Posix(Errno.EFBIG)
            new = evolve(old, size_b=old.size_b + size_b, version=old.version + 1, sha256=b"")
            await self._in_place.save(visit, chain, new)
            return old.size_b

        return await self._context.transactions.retrying(visit.space_id, attempt)

    async def _store(self, reserved: Reserved, body: ByteStream) -> None:
        offset_b = reserved.offset_b
        while piece := await body.read():
            await reserved.file.write(offset_b, piece)
            offset_b += len(piece)
        await reserved.file.sync()

    async def _give_back(self, visit: Visit, reserved: Reserved, size_b: int) -> None:
        """Make the file as long as it was, unless somebody wrote or reserved after this range."""

        async def attempt() -> None:
            chain = await self._context.again(reserved.chain)
            old, at_open = location_of(chain), location_of(reserved.chain)
            is_same = (old.generation, old.trims) == (at_open.generation, at_open.trims)
            is_last = old.size_b == reserved.offset_b + size_b
            if is_same and is_last and block_lists.upper(old.blocks) <= reserved.offset_b:
                new = evolve(old, size_b=reserved.offset_b, version=old.version + 1)
                await self._in_place.save(visit, chain, new)

        try:
            await self._context.transactions.retrying(visit.space_id, attempt)
        except (PersistenceError, StorageError, OnedataError) as error:
            self._log.warn("a hole stays at the end of a file: {error}", error=error)
