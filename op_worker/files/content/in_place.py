"""Writing inside a file and cutting it: the bytes go to the file's own path, then size and blocks follow.

A writer works on the file that it opened, wherever it is moved. When its content was replaced or
removed meanwhile, the write counts as having come before that.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen
from twisted.logger import Logger

from cluster_worker.persistence.engine import PersistenceError, Put, Step
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import Errno, OnedataError, Posix
from op_worker.auth.caller import Caller
from op_worker.files.charging.rooms import wanted
from op_worker.files.committing.transactions import Rest
from op_worker.files.content.opening import Opening, location_of
from op_worker.files.content.receiving import Receiving
from op_worker.files.content.staging import CHUNK_B, SMALL_B, Chunks
from op_worker.files.context import FilesContext
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileStat, Target
from op_worker.files.quotas.room import ASK_FIRST_B, require_growth
from op_worker.files.stored import batches, parted
from op_worker.files.stored import blocks as block_lists
from op_worker.files.stored.blocks import Block
from op_worker.files.stored.charges import Room, account
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.files.stored.digests import Digest
from op_worker.files.stored.documents import LOCATION, TIMES, UNSETTLED, Location
from op_worker.files.stored.intents import IntentKind
from op_worker.files.stored.nodes import Chain
from op_worker.storage.helper import StorageFile

MAX_SIZE_B = 2**53 - 1
"""Sizes stay exact in JSON and in the counters of the engine."""


@frozen(eq=False)
class InPlace:
    """Writes and cuts."""

    _context: FilesContext
    _opening: Opening
    _receiving: Receiving
    _log = Logger()

    async def write(
        self,
        caller: Caller,
        target: Target,
        offset_b: int,
        body: ByteStream,
        expected_b: int | None,
        digests: Sequence[Digest],
        condition: ContentCondition,
    ) -> FileStat:
        """Write from an offset. See ``FileService.write_content``.

        With digests the body is received and checked whole before the first byte is overwritten.
        """
        if not digests:
            return await self._write(caller, target, offset_b, body, expected_b, condition)
        visit, _ = await self._opening.allowed(caller, target)
        received = await self._receiving.receive(visit, body, expected_b, digests)
        try:
            return await self._write(caller, target, offset_b, received, received.size_b, condition)
        finally:
            await self._receiving.done(visit.space_id, received)

    async def _write(
        self,
        caller: Caller,
        target: Target,
        offset_b: int,
        body: ByteStream,
        expected_b: int | None,
        condition: ContentCondition,
    ) -> FileStat:
        if offset_b < 0:
            raise Posix(Errno.EINVAL, "a negative offset")
        if offset_b + (expected_b or 0) > MAX_SIZE_B:
            raise Posix(Errno.EFBIG)
        visit, chain = await self._opening.allowed(caller, target)
        condition.require(stat_of(chain, visit.space, visit.user_id))
        chunks = Chunks(body, expected_b)
        data = await chunks.next(SMALL_B)
        if not data:
            return stat_of(chain, visit.space, visit.user_id)
        await self._ask_for_room(visit, chain, (offset_b, max(expected_b or 0, len(data))))
        file, chain = await self._opening.open(visit, chain, condition)
        try:
            await self._write_all(file, offset_b, data, chunks)
        except BaseException:
            await self._tell_spoiled(visit, chain)
            raise
        finally:
            await file.close()
        self._context.tallies.wrote(visit.space_id, visit.user_id, chunks.total_b)
        return await self.commit_block(visit, chain, (offset_b, chunks.total_b))

    async def _ask_for_room(self, visit: Visit, chain: Chain, block: Block) -> None:
        """Refuse early what cannot fit, before any byte is overwritten."""
        if block[1] > ASK_FIRST_B:
            location = location_of(chain)
            after_b = block_lists.total(block_lists.merge(location.blocks, (block,)))
            await require_growth(self._context, visit, chain, after_b - location.held_b)

    async def _write_all(self, file: StorageFile, offset_b: int, data: bytes, chunks: Chunks) -> None:
        while data:
            if offset_b + chunks.total_b > MAX_SIZE_B:
                raise Posix(Errno.EFBIG)
            await file.write(offset_b + chunks.total_b - len(data), data)
            data = await chunks.next(CHUNK_B)
        await file.sync()

    async def truncate(
        self, caller: Caller, target: Target, size_b: int, condition: ContentCondition = NO_CONDITION
    ) -> FileStat:
        """Cut or extend. See ``FileService.truncate``."""
        if size_b < 0:
            raise Posix(Errno.EINVAL, "a negative size")
        if size_b > MAX_SIZE_B:
            raise Posix(Errno.EFBIG)

        async def attempt() -> FileStat:
            visit, chain = await self._opening.allowed(caller, target)
            return await self._resize(visit, chain, size_b, condition)

        return await self._context.transactions.retrying(target.base.space_id, attempt)

    async def commit_block(self, visit: Visit, opened: Chain, block: Block) -> FileStat:
        """Make bytes that were written to the file ``opened`` a part of its content.

        Raises: Posix(ENOENT) when it was removed; Posix(EAGAIN) when it was cut, or lies elsewhere by
            now; Posix(ENOSPC).
        """
        key, at_open = opened.file.key, location_of(opened)

        async def attempt() -> FileStat:
            chain = await self._context.again(opened)
            old = location_of(chain)
            if old.generation != at_open.generation:
                return stat_of(chain, visit.space, visit.user_id)  # replaced: the write came before
            if old.trims != at_open.trims:
                raise Posix(Errno.EAGAIN, "the file was cut while it was written")
            now = parted.written(old, at_open, block)
            if now is None:
                raise Posix(Errno.EAGAIN, "the file went to another storage while it was written")
            new = evolve(now, size_b=max(old.size_b, sum(block)), version=old.version + 1, sha256=b"")
            return await self.save(visit, chain, new)

        try:
            return await self._context.transactions.retrying(visit.space_id, attempt)
        except Posix as error:
            if error.errno is Errno.ENOENT:
                raise Posix(Errno.ENOENT, f"{key} was removed while it was written") from None
            raise

    async def save(
        self, visit: Visit, chain: Chain, new: Location, steps: list[Step] | None = None
    ) -> FileStat:
        """Commit a changed location of the file as it was read, charged to the quotas that it is below.

        Raises: PreconditionFailed; Posix(ENOSPC, EDQUOT).
        """
        room = await self._context.rooms.of(visit)
        return await self._commit(visit, chain, room, _charged(room, chain, new), steps or [])

    async def _commit(
        self, visit: Visit, chain: Chain, room: Room, new: Location, steps: list[Step]
    ) -> FileStat:
        file = chain.file
        times = file.times.modified(self._context.wall_clock())
        documents = {LOCATION: new.encode(), TIMES: times.encode()}
        all_steps = [
            *steps,
            Put(file.key, LOCATION, documents[LOCATION], expect=file.revision(LOCATION)),
            Put(file.key, TIMES, documents[TIMES]),
            *account(file.location, new, room),
            *(batches.unmoved(chain) if room.quotas.is_of_concern else ()),
        ]

        async def happened() -> bool:
            found = await self._context.engine.get(visit.scope, file.key, [LOCATION])
            return LOCATION in found and found[LOCATION].data == documents[LOCATION]

        await self._context.transactions.commit(visit.space_id, all_steps, [file.key], happened)
        return stat_of(chain.with_file(file.written(documents)), visit.space, visit.user_id)

    async def _tell_spoiled(self, visit: Visit, opened: Chain) -> None:
        """Make the content another version: bytes inside it may be new although the write failed."""

        async def attempt() -> None:
            chain = await self._context.again(opened)
            old = location_of(chain)
            if old.generation == location_of(opened).generation:
                await self.save(visit, chain, evolve(old, version=old.version + 1))

        try:
            await self._context.transactions.retrying(visit.space_id, attempt)
        except (PersistenceError, OnedataError) as error:
            self._log.warn("a failed write was not noted at the file: {error}", error=error)

    async def _resize(self, visit: Visit, chain: Chain, size_b: int, condition: ContentCondition) -> FileStat:
        old = location_of(chain)
        condition.require(stat_of(chain, visit.space, visit.user_id))
        if size_b == old.size_b:
            return await self.save(visit, chain, old)  # the times change all the same
        if old.staged and size_b < old.size_b:
            await self._context.journal.settle_near(visit.space_id, chain.storage_path)
            return await self._resize(visit, await self._context.again(chain), size_b, condition)
        new = evolve(parted.cut(old, size_b), size_b=size_b, version=old.version + 1, sha256=b"")
        if size_b > old.size_b:
            return await self.save(visit, chain, new)
        return await self._shrink(visit, chain, evolve(new, trims=old.trims + 1, staged=UNSETTLED))

    async def _shrink(self, visit: Visit, chain: Chain, new: Location) -> FileStat:
        """Commit the smaller size, then cut the storage file; until then nobody may write to it."""
        context, space_id, path = self._context, visit.space_id, chain.storage_path
        storage, room = context.storage(new.storage_id), await context.rooms.of(visit)
        new = _charged(room, chain, new)
        intent = context.journal.new(
            IntentKind.TRIM, storage, chain.file.key, path, size_b=block_lists.upper(new.main_blocks)
        )

        async def work() -> tuple[FileStat, Rest | None]:
            steps = [*batches.steady_file(chain), *intent.put()]
            stat = await self._commit(visit, chain, room, new, steps)
            if not await context.journal.carry_out(space_id, intent):
                return stat, None
            revision = chain.file.revision(LOCATION) + 1
            return stat, context.journal.clear_fresh(space_id, intent, new, revision)

        return await context.transactions.holding([path], work)


def _charged(room: Room, chain: Chain, new: Location) -> Location:
    """Return a location that names the quotas that the file is below."""
    return evolve(new, charges=wanted(room, chain.file.meta.owner, chain.above))
