"""Opening the storage file of a content that is about to be changed in place."""

from __future__ import annotations

import errno

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Key, PreconditionFailed, Put
from onedata.errors import Errno, Posix, ServiceUnavailable
from onedata.ids import UserId
from op_worker.auth.caller import Caller
from op_worker.files.committing.transactions import Rest
from op_worker.files.content.parted_files import OpenPart, PartedFile
from op_worker.files.context import FilesContext
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileType, Follow, Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored import batches
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.files.stored.documents import LOCATION, PARENT, Location
from op_worker.files.stored.intents import IntentKind
from op_worker.files.stored.nodes import Chain
from op_worker.storage.helper import StorageError, StorageFile, StoragePath

_MOST_TRIES = 10


@frozen(eq=False)
class Opening:
    """Finds files that may be written, and opens what their locations speak of."""

    _context: FilesContext

    async def allowed(self, caller: Caller, target: Target) -> tuple[Visit, Chain]:
        """Find a regular file that the caller may write. Raises: Posix(EISDIR, EINVAL, EACCES, ENOENT)."""
        visit, chain = await self._context.chain(caller, target, Follow.YES)
        visit.require_passage(chain)
        if chain.file.is_directory:
            raise Posix(Errno.EISDIR)
        if chain.file.type is not FileType.REG:
            raise Posix(Errno.EINVAL)
        await visit.require(chain, Operation.WRITE_OBJECT)
        return visit, chain

    async def open(
        self, visit: Visit, chain: Chain, condition: ContentCondition = NO_CONDITION
    ) -> tuple[StorageFile, Chain]:
        """Open the storage file that the location speaks of, and read the file anew to be sure of that.

        Before bytes may change, a checksum that covers them goes; with a condition, the content becomes
        another version in the commit that demands the one the condition was decided on: of several
        writers with the same condition one gets through.

        Raises: PreconditionNotMet; Posix(EIO) when the storage lost the content.
        """
        missed = None
        for _ in range(_MOST_TRIES):
            location = location_of(chain)
            if location.staged:
                await self._context.journal.settle_near(visit.space_id, chain.storage_path)
                chain = await self._context.again(chain)
                continue
            file = await self._open_update(visit, chain, location)
            if file is None:
                if missed == _place(chain) and location.blocks:
                    raise Posix(Errno.EIO, "the storage does not have the content of this file")
                was_busy = await self._settle_or_make(visit, chain, location)
                missed = None if was_busy else _place(chain)
                chain = await self._context.again(chain)
                continue
            try:
                after = await self._checked(visit, chain, condition)
            except BaseException:
                await file.close()
                raise
            if after is not None:
                return file, after
            await file.close()
            chain = await self._context.again(chain)
        raise ServiceUnavailable()

    async def _checked(self, visit: Visit, chain: Chain, condition: ContentCondition) -> Chain | None:
        """Return the file as it is now when it is still the one that was opened, without a checksum."""
        now = await self._context.again(chain)
        location = location_of(now)
        opened = location_of(chain)
        is_same = location.generation == opened.generation and not location.staged
        is_same = is_same and (location.place, location.parts) == (opened.place, opened.parts)
        if not is_same or _way(now) != _way(chain):
            return None
        condition.require(stat_of(now, visit.space, visit.user_id))
        if not location.sha256 and condition is NO_CONDITION:
            return now
        bare = evolve(location, sha256=b"", version=location.version + 1).encode()
        steps = [
            *batches.unchanged(now.file, condition),
            Put(now.file.key, LOCATION, bare, expect=now.file.revision(LOCATION)),
        ]
        try:
            await self._context.transactions.commit(visit.space_id, steps, [now.file.key])
        except PreconditionFailed:
            return None
        return now.with_file(now.file.written({LOCATION: bare}))

    async def _open_update(self, visit: Visit, chain: Chain, location: Location) -> StorageFile | None:
        """Open every place of a content; ``None`` when one of them is not there."""
        main = await self._open_place(visit, chain, location.storage_id, chain.storage_path)
        if main is None or not location.parts:
            return main
        parts: list[OpenPart] = []
        for part in location.parts:
            file = await self._open_place(visit, chain, part.storage_id, StoragePath(part.at))
            if file is None:
                await PartedFile(main, parts).close()
                return None
            parts.append(OpenPart(part.blocks, file))
        return PartedFile(main, parts)

    async def _open_place(
        self, visit: Visit, chain: Chain, storage_id: str, path: StoragePath
    ) -> StorageFile | None:
        context = self._context
        administered = context.storage(storage_id)
        storage = await context.storage_for(visit, administered)
        owner_id, is_adopted = UserId(chain.file.meta.owner), False
        while True:
            try:
                return await storage.helper.open_update(path)
            except StorageError as error:
                if error.errno == errno.ENOENT:
                    return None
                if error.errno != errno.EACCES or is_adopted or storage is administered:
                    raise
            is_adopted = True
            await context.acting.adopt(owner_id, visit.space_id, administered, path)

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
        storage = context.storage(location.storage_id)
        intent = context.journal.new(IntentKind.TOUCH, storage, chain.file.key, path)
        steps = [*batches.steady_file(chain), *intent.put()]

        async def work() -> tuple[None, Rest | None]:
            await context.transactions.commit(space_id, steps)
            if not await context.journal.carry_out(space_id, intent):
                raise ServiceUnavailable()
            await context.journal.clear_fresh(space_id, intent, None, 0)
            await context.acting.hand_over(UserId(chain.file.meta.owner), space_id, storage, path)
            return None, None

        try:
            await context.transactions.holding([path], work)
        except PreconditionFailed:
            return True  # the caller reads the file anew
        return True


def location_of(chain: Chain) -> Location:
    """Return the location of a regular file, an empty one when it has none yet."""
    return chain.file.location or Location("")


def _way(chain: Chain) -> list[tuple[Key, int]]:
    """Return what changes whenever the bytes of a file are moved, by themselves or with a directory."""
    if chain.is_apart:
        return []
    return [(node.key, node.revision(PARENT)) for node in chain.nodes]


def _place(chain: Chain) -> tuple[StoragePath, int]:
    """Return what changes whenever the bytes of a file are elsewhere."""
    return chain.storage_path, chain.file.revision(LOCATION)
