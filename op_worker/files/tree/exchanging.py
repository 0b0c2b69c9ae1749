"""Putting a directory that was made aside in the place of another, with everything in both: one commit."""

from __future__ import annotations

from attrs import frozen

from onedata.errors import Errno, Posix
from onedata.ids import FileGuid
from op_worker.auth.caller import Caller
from op_worker.files.committing.transactions import Rest
from op_worker.files.context import FilesContext
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileStat, FileType, Target
from op_worker.files.removing.removal import Removal
from op_worker.files.stored import batches
from op_worker.files.stored.conditions import ContentCondition
from op_worker.files.stored.intents import FileWork
from op_worker.files.stored.nodes import Chain
from op_worker.files.tree.moving import Moving, Place, place_of


@frozen(eq=False)
class Exchanging:
    """Replaces directories that need not be empty."""

    _context: FilesContext
    _moving: Moving
    _removal: Removal

    async def exchange(
        self, caller: Caller, made: FileGuid, target: Target, condition: ContentCondition
    ) -> FileStat:
        """Put a directory whose files' bytes lie apart in the place of another, which goes into the trash.

        One commit; the caller, who made the directory aside, needs what replacing takes.

        Raises: Posix(ENOENT) when nothing is there to be replaced; as ``move``.
        """

        async def attempt() -> FileStat:
            visit, place = await self.replaceable(caller, target, condition)
            source = await self._context.lookup.by_id(made.space_id, made.uuid)
            return await self._exchange(visit, source, place, condition)

        return await self._context.transactions.retrying(made.space_id, attempt)

    async def replaceable(
        self, caller: Caller, target: Target, condition: ContentCondition
    ) -> tuple[Visit, Place]:
        """Find a directory that the caller may replace by another. Raises: Posix; PreconditionNotMet."""
        visit, found = await self._context.find(caller, target)
        place = place_of(visit, found)
        if place.replaced is None:
            raise Posix(Errno.ENOENT)
        condition.require(visit.stat(place.replaced))
        await self._moving.require_replaceable(visit, FileType.DIR, place)
        return visit, place

    async def _exchange(
        self, visit: Visit, source: Chain, place: Place, condition: ContentCondition
    ) -> FileStat:
        context, replaced = self._context, place.replaced
        assert replaced is not None
        charging = await self._context.recharging.for_move(visit.space_id, source, place.directory)
        removal, intents = await self._removal.into_trash(visit, replaced)
        now_s = context.wall_clock()
        steps = [
            *batches.unchanged(replaced.file, condition),
            *batches.exchange(source, replaced, now_s),
            *charging,
            *removal,
        ]
        after = self._moving.after(source, place, None, now_s)
        keys = [source.file.key, place.directory.file.key, replaced.file.key]

        async def happened() -> bool:
            raw = place.name.encode()
            found = await context.engine.lookup(visit.scope, place.directory.file.key, raw)
            return found == source.file.entry_value

        async def work() -> tuple[None, Rest | None]:
            await context.transactions.commit(visit.space_id, steps, keys, happened)
            done = [one for one in intents if await context.journal.carry_out(visit.space_id, one)]
            return None, context.journal.clear_all(visit.space_id, [FileWork(intent) for intent in done])

        paths = [path for intent in intents for path in intent.paths] or [replaced.storage_path]
        await context.transactions.holding(paths, work)
        self._removal.purge_soon(visit.space_id)
        if context.recharging.is_ordered(charging):
            context.recharging.run_soon(visit.space_id)
        return stat_of(after, visit.space, visit.user_id)
