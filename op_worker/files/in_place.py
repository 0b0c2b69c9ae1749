"""Writing inside a file and cutting it: the bytes go to the file's own path, then size and blocks follow.

A writer works on the file that it opened, wherever it is moved. When its content was replaced or
removed meanwhile, the write counts as having come before that.
"""

from __future__ import annotations

import errno

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Key, PreconditionFailed, Put, Step
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import Errno, Posix, ServiceUnavailable
from op_worker.auth.caller import Caller
from op_worker.files import batches
from op_worker.files import blocks as block_lists
from op_worker.files.access import Visit
from op_worker.files.attributes import stat_of
from op_worker.files.charges import Room, account
from op_worker.files.context import FilesContext
from op_worker.files.documents import LOCATION, PARENT, TIMES, UNSETTLED, Location
from op_worker.files.intents import IntentKind
from op_worker.files.model import FileStat, FileType, Follow, Target
from op_worker.files.nodes import Chain
from op_worker.files.permissions import Operation
from op_worker.files.reading import storage_of
from op_worker.files.rooms import ASK_FIRST_B, wanted
from op_worker.files.staging import CHUNK_B, SMALL_B, Chunks
from op_worker.files.transactions import Rest
from op_worker.storage.helper import StorageError, StorageFile, StoragePath

MAX_SIZE_B = 2**53 - 1
"""Sizes stay exact in JSON and in the counters of the engine."""
_MOST_TRIES = 10


@frozen(eq=False)
class InPlace:
    """Writes and cuts."""

    _context: FilesContext

    async def write(
        self, caller: Caller, target: Target, offset_b: int, body: ByteStream, expected_b: int | None
    ) -> FileStat:
        """Write from an offset. See ``FileService.write_content``."""
        if offset_b < 0:
            raise Posix(Errno.EINVAL, "a negative offset")
        if offset_b + (expected_b or 0) > MAX_SIZE_B:
            raise Posix(Errno.EFBIG)
        visit, chain = await self._allowed(caller, target)
        chunks = Chunks(body, expected_b)
        data = await chunks.next(SMALL_B)
        if not data:
            return stat_of(chain, visit.space, visit.user_id)
        await self._ask_for_room(visit, chain, (offset_b, max(expected_b or 0, len(data))))
        file, chain = await self._open(visit, chain)
        try:
            while data:
                if offset_b + chunks.total_b > MAX_SIZE_B:
                    raise Posix(Errno.EFBIG)
                await file.write(offset_b + chunks.total_b - len(data), data)
                data = await chunks.next(CHUNK_B)
            await file.sync()
        finally:
            await file.close()
        return await self._commit_write(visit, chain, (offset_b, chunks.total_b))

    async def _ask_for_room(self, visit: Visit, chain: Chain, block: tuple[int, int]) -> None:
        """Refuse early what cannot fit, before any byte is overwritten; the commit decides for good."""
        if block[1] <= ASK_FIRST_B:
            return
        room, location = await self._context.rooms.of(visit), _location(chain)
        after_b = block_lists.total(block_lists.merge(location.blocks, (block,)))
        charges = _charges(room, chain)
        await self._context.rooms.ask(visit, room, charges, location.storage_id, after_b - location.held_b)

    async def truncate(self, caller: Caller, target: Target, size_b: int) -> FileStat:
        """Cut or extend. See ``FileService.truncate``."""
        if size_b < 0:
            raise Posix(Errno.EINVAL, "a negative size")
        if size_b > MAX_SIZE_B:
            raise Posix(Errno.EFBIG)

        async def attempt() -> FileStat:
            visit, chain = await self._allowed(caller, target)
            return await self._resize(visit, chain, size_b)

        return await self._context.transactions.retrying(target.base.space_id, attempt)

    async def _allowed(self, caller: Caller, target: Target) -> tuple[Visit, Chain]:
        visit, chain = await self._context.chain(caller, target, Follow.YES)
        visit.require_passage(chain)
        if chain.file.is_directory:
            raise Posix(Errno.EISDIR)
        if chain.file.type is not FileType.REG:
            raise Posix(Errno.EINVAL)
        await visit.require(chain, Operation.WRITE_OBJECT)
        return visit, chain

    async def _open(self, visit: Visit, chain: Chain) -> tuple[StorageFile, Chain]:
        """Open the storage file that the location speaks of, and read the file anew to be sure of that.

        A checksum goes before bytes that it covers may change.
        """
        missed = None
        for _ in range(_MOST_TRIES):
            location = _location(chain)
            if location.staged:
                await self._context.journal.settle_near(visit.space_id, chain.storage_path)
                chain = await self._context.again(chain)
                continue
            file = await self._open_update(chain, location)
            if file is None:
                if missed == _place(chain) and location.blocks:
                    raise Posix(Errno.EIO, "the storage does not have the content of this file")
                was_busy = await self._settle_or_make(visit, chain, location)
                missed = None if was_busy else _place(chain)
                chain = await self._context.again(chain)
                continue
            try:
                after = await self._checked(visit, chain)
            except BaseException:
                await file.close()
                raise
            if after is not None:
                return file, after
            await file.close()
            chain = await self._context.again(chain)
        raise ServiceUnavailable()

    async def _checked(self, visit: Visit, chain: Chain) -> Chain | None:
        """Return the file as it is now when it is still the one that was opened, without a checksum."""
        now = await self._context.again(chain)
        location = _location(now)
        is_same = location.generation == _location(chain).generation and not location.staged
        if not is_same or _way(now) != _way(chain):
            return None
        if not location.sha256:
            return now
        bare = evolve(location, sha256=b"").encode()
        step = Put(now.file.key, LOCATION, bare, expect=now.file.revision(LOCATION))
        try:
            await self._context.transactions.commit(visit.space_id, [step])
        except PreconditionFailed:
            return None
        return now.with_file(now.file.written({LOCATION: bare}))

    async def _open_update(self, chain: Chain, location: Location) -> StorageFile | None:
        storage = storage_of(self._context, chain.space_id, location.storage_id)
        try:
            return await storage.helper.open_update(chain.storage_path)
        except StorageError as error:
            if error.errno == errno.ENOENT:
                return None
            raise

    async def _settle_or_make(self, visit: Visit, chain: Chain, location: Location) -> bool:
        """Finish what keeps the storage file away, or make it when it was never made.

        It is made under an intent, so that no stray file outlives a crash. Tells whether anything was
        pending.
        """
        context, space_id, path = self._context, visit.space_id, chain.storage_path
        if await context.journal.settle_near(space_id, path):
            return True
        if location.blocks:
            return False
        storage = storage_of(context, space_id, location.storage_id)
        intent = context.journal.new(IntentKind.TOUCH, storage, chain.file.key, path)
        steps = [*batches.steady_file(chain), *intent.put()]

        async def work() -> tuple[None, Rest | None]:
            await context.transactions.commit(space_id, steps)
            if not await context.journal.carry_out(space_id, intent):
                raise ServiceUnavailable()
            await context.journal.clear_fresh(space_id, intent, None, 0)
            return None, None

        try:
            await context.transactions.holding([path], work)
        except PreconditionFailed:
            return True  # the caller reads the file anew
        return True

    async def _commit_write(self, visit: Visit, opened: Chain, block: tuple[int, int]) -> FileStat:
        key, at_open = opened.file.key, _location(opened)

        async def attempt() -> FileStat:
            chain, room = await self._context.again(opened), await self._context.rooms.of(visit)
            old = _location(chain)
            if old.generation != at_open.generation:
                return stat_of(chain, visit.space, visit.user_id)  # replaced: the write came before
            if old.trims != at_open.trims:
                raise Posix(Errno.EAGAIN, "the file was cut while it was written")
            new = evolve(
                old,
                size_b=max(old.size_b, sum(block)),
                blocks=block_lists.merge(old.blocks, (block,)),
                version=old.version + 1,
                sha256=b"",
                charges=_charges(room, chain),
            )
            return await self._save(visit, chain, room, new, [])

        try:
            return await self._context.transactions.retrying(visit.space_id, attempt)
        except Posix as error:
            if error.errno is Errno.ENOENT:
                raise Posix(Errno.ENOENT, f"{key} was removed while it was written") from None
            raise

    async def _resize(self, visit: Visit, chain: Chain, size_b: int) -> FileStat:
        room, old = await self._context.rooms.of(visit), _location(chain)
        if size_b == old.size_b:
            new = evolve(old, charges=_charges(room, chain))
            return await self._save(visit, chain, room, new, [])  # the times change all the same
        blocks, charges = block_lists.cut(old.blocks, size_b), _charges(room, chain)
        new = evolve(old, size_b=size_b, blocks=blocks, version=old.version + 1, sha256=b"", charges=charges)
        if size_b > old.size_b:
            return await self._save(visit, chain, room, new, [])
        return await self._shrink(visit, chain, room, evolve(new, trims=old.trims + 1))

    async def _shrink(self, visit: Visit, chain: Chain, room: Room, new: Location) -> FileStat:
        """Commit the smaller size, then cut the storage file; until then nobody may write to it."""
        context, space_id, path = self._context, visit.space_id, chain.storage_path
        storage = storage_of(context, space_id, new.storage_id)
        if _location(chain).staged:
            await context.journal.settle_near(space_id, path)
            return await self._resize(visit, await context.again(chain), new.size_b)
        new = evolve(new, staged=UNSETTLED)
        intent = context.journal.new(
            IntentKind.TRIM, storage, chain.file.key, path, size_b=block_lists.upper(new.blocks)
        )

        async def work() -> tuple[FileStat, Rest | None]:
            steps = [*batches.steady_file(chain), *intent.put()]
            stat = await self._save(visit, chain, room, new, steps)
            if not await context.journal.carry_out(space_id, intent):
                return stat, None
            revision = chain.file.revision(LOCATION) + 1
            return stat, context.journal.clear_fresh(space_id, intent, new, revision)

        return await context.transactions.holding([path], work)

    async def _save(
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


def _location(chain: Chain) -> Location:
    return chain.file.location or Location("")


def _charges(room: Room, chain: Chain) -> tuple[str, ...]:
    return wanted(room, chain.file.meta.owner, chain.above)


def _way(chain: Chain) -> list[tuple[Key, int]]:
    """Return what changes whenever the bytes of a file are moved, by themselves or with a directory."""
    if chain.is_apart:
        return []
    return [(node.key, node.revision(PARENT)) for node in chain.nodes]


def _place(chain: Chain) -> tuple[StoragePath, int]:
    """Return what changes whenever the bytes of a file are elsewhere."""
    return chain.storage_path, chain.file.revision(LOCATION)
