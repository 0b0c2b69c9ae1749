"""Where copies are made aside until they are whole, and what becomes of those that never are."""

from __future__ import annotations

from attrs import frozen

from cluster_worker.persistence.engine import Key, Scope
from onedata.errors import Posix
from onedata.ids import FileGuid, FileUuid, SpaceId, copies_uuid, trash_uuid
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.model import Target
from op_worker.files.removing.removals import Removing
from op_worker.files.removing.trash import Trash
from op_worker.files.stored import batches
from op_worker.files.stored.lives import life_of
from op_worker.files.stored.paths import COPIES
from op_worker.files.tree.unlisted import unlisted_directory

_PAGE = 100


@frozen(eq=False)
class UnfinishedCopies:
    """Gives places for copies, and takes away what was left there."""

    _context: FilesContext
    _trash: Trash

    async def place(self, visit: Visit) -> Target:
        """Return a place for a copy; its name tells which life of which node makes it."""
        space_id = visit.space_id
        await unlisted_directory(self._context, visit, copies_uuid(space_id), COPIES)
        name = self._context.journal.new_name()
        return Target(FileGuid(copies_uuid(space_id), space_id), (name,), FileUuid(self._context.new_key()))

    async def drop(self, space_id: SpaceId, key: Key) -> None:
        """Move a copy into the trash, unless it is whole and was put into its place.

        No bytes lie at paths by its names, so nothing is to be done on the storage.
        """

        async def attempt() -> None:
            try:
                chain = await self._context.lookup.by_id(space_id, key)
            except Posix:
                return
            if chain.is_root or chain.parent.key != Key(copies_uuid(space_id)):
                return
            now_s = self._context.wall_clock()
            steps = batches.move_to_trash(chain, Key(trash_uuid(space_id)), now_s)
            record = Removing("/".join(chain.names), chain.file.meta.owner, int(now_s))
            await self._context.transactions.commit(space_id, [*steps, record.begin(key)], [key])

        await self._context.transactions.retrying(space_id, attempt)
        self._trash.purge_soon(space_id)

    async def sweep(self, space_id: SpaceId) -> None:
        """Drop what lives left that are over. Raises: PersistenceUnavailable."""
        directory, after = Key(copies_uuid(space_id)), None
        while found := await self._context.engine.page(Scope(space_id), directory, after, _PAGE, ()):
            after = found[-1].entry.name
            for item in found:
                if await self._context.lives.is_over(life_of(item.entry.name.decode())):
                    await self.drop(space_id, item.key)
