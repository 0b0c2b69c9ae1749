"""Removing files and directories; a directory with content leaves in one move into the trash."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from cluster_worker.persistence.engine import Key, PreconditionFailed, RequireEmpty, Step
from onedata.errors import Errno, Posix
from onedata.ids import SpaceId, trash_uuid
from op_worker.auth.caller import Caller
from op_worker.files.committing.transactions import Happened, Rest
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileType, Target
from op_worker.files.removing.kept_trees import require_free_tree
from op_worker.files.removing.protected_trees import require_unprotected_tree
from op_worker.files.removing.removals import Removing
from op_worker.files.removing.trash import Trash
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored import batches, recycled
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.files.stored.documents import LOCATION, PARENT, encode_parent
from op_worker.files.stored.intents import FileWork, Intent, IntentKind, require_settled
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.paths import trash_path
from op_worker.files.stored.recycled import Origin
from op_worker.storage.helper import StoragePath


@frozen(eq=False)
class Removal:
    """Removes files."""

    _context: FilesContext
    _trash: Trash

    async def remove(
        self, caller: Caller, target: Target, condition: ContentCondition = NO_CONDITION
    ) -> None:
        """Remove with all it holds, into the bin if there is one. See ``FileService.remove``."""

        async def attempt() -> None:
            visit, chain = await self._allowed(caller, target)
            condition.require(visit.stat(chain))
            also = batches.unchanged(chain.file, condition)
            await self._take_away(visit, chain, also)

        await self._context.transactions.retrying(target.base.space_id, attempt)

    async def remove_overdue(self, visit: Visit, name_key: Key) -> None:
        """Remove a name of a file that is to go by now, as ``remove`` does; leave it if that was changed.

        Raises: Posix(ENOENT); Posix(EPERM) when something still keeps it.
        """

        async def attempt() -> None:
            chain = await self._context.lookup.by_id(visit.space_id, name_key)
            kept = chain.file.immutability
            due_ms = None if kept is None else kept.due_ms
            if due_ms is None or due_ms > self._context.lookup.now_ms():
                return
            await self.require_removable(visit, chain)
            await self._take_away(visit, chain)

        await self._context.transactions.retrying(visit.space_id, attempt)

    async def _take_away(self, visit: Visit, chain: Chain, also: Sequence[Step] = ()) -> None:
        settings = await self._context.settings.of(visit.space_id)
        if settings.recycle_days > 0 and chain.file.meta.links == 1:
            await self._move_to_bin(visit, chain, settings.recycle_days, also)
        else:
            await self._remove(visit, chain, also)

    async def discard(self, caller: Caller, target: Target) -> None:
        """Remove for good. See ``FileService.discard``."""

        async def attempt() -> None:
            await self._remove(*await self._allowed(caller, target))

        await self._context.transactions.retrying(target.base.space_id, attempt)

    async def _remove(self, visit: Visit, chain: Chain, also: Sequence[Step] = ()) -> None:
        try:
            await self.remove_chain(visit, chain, also)
        except PreconditionFailed as refusal:
            if not isinstance(refusal.step, RequireEmpty):
                raise
            await self._move_to_trash(visit, chain, also)

    async def remove_empty(self, caller: Caller, target: Target) -> None:
        """Remove a file or an empty directory. See ``FileService.remove_empty``."""

        async def attempt() -> None:
            visit, chain = await self._allowed(caller, target)
            try:
                await self.remove_chain(visit, chain)
            except PreconditionFailed as refusal:
                if isinstance(refusal.step, RequireEmpty):
                    raise Posix(Errno.ENOTEMPTY) from None
                raise

        await self._context.transactions.retrying(target.base.space_id, attempt)

    async def require_removable(self, visit: Visit, chain: Chain) -> None:
        """Check that the caller may remove a file, or a directory. Raises: Posix(EPERM, EACCES)."""
        await self.require_movable(visit, chain)
        if chain.file.is_directory:
            visit.require_alone(chain, Operation.LIST_CONTAINER)

    async def require_movable(self, visit: Visit, chain: Chain) -> None:
        """Check that the caller may take a file away from where it is. Raises: Posix(EPERM, EACCES)."""
        if chain.is_root:
            raise Posix(Errno.EPERM, "the root of a space cannot be removed or moved")
        await visit.require(chain, Operation.DELETE)
        visit.require_alone(chain.above, Operation.DELETE_CHILD | Operation.TRAVERSE)

    async def remove_chain(self, visit: Visit, chain: Chain, also: Sequence[Step] = ()) -> None:
        """Remove a file or an empty directory that was found and may be removed.

        Args:
            also: steps that belong to the commit.

        Raises: PreconditionFailed, of a ``RequireEmpty`` step when the directory is not empty.
        """
        steps = [*also, *batches.remove(chain, self._context.wall_clock())]
        intents = self.removal_intents(visit, chain)
        steps.extend(step for intent in intents for step in intent.put())
        if not intents and not chain.is_apart:
            steps.extend(require_settled(chain.storage_path))
        await self._carry_out(visit, chain, steps, intents, [chain.file.key, chain.parent.key])

    def removal_intents(self, visit: Visit, chain: Chain) -> list[Intent]:
        """Return the storage operations that removing needs: none for what is not on a storage, such as
        symbolic links, and none while a file keeps other names."""
        if chain.file.type is FileType.SYMLNK or chain.file.meta.links > 1:
            return []
        kind = IntentKind.REMOVE_DIRECTORY if chain.file.is_directory else IntentKind.REMOVE
        storage = self._context.storage_of(visit, chain.file)
        if storage is None:
            return []
        intents = [self._context.journal.new(kind, storage, chain.file.key, chain.storage_path)]
        parts = () if chain.file.location is None else chain.file.location.parts
        for part in parts:
            storage = self._context.storage(part.storage_id)
            path = StoragePath(part.at)
            intents.append(self._context.journal.new(IntentKind.REMOVE, storage, chain.file.key, path))
        return intents

    async def _move_to_bin(self, visit: Visit, chain: Chain, days: float, also: Sequence[Step] = ()) -> None:
        context, file, now_s = self._context, chain.file, self._context.wall_clock()
        item = recycled.item_id(now_s + days * recycled.DAY_S, file.key)
        steps = [*also, *recycled.recycle(chain, item, Origin(chain.names, visit.user_id, now_s))]
        if file.is_directory:
            steps.extend(await self._unprotected(visit, chain))
        intents, storage = [], context.storage_of(visit, file)
        if recycled.moves_bytes(file) and storage is not None:
            target = trash_path(visit.space_id, file.key)
            intents.append(
                context.journal.new(IntentKind.MOVE, storage, file.key, target, chain.storage_path)
            )
            steps.extend(intents[0].put())
        after = file.written(recycled.unsettled(file))
        await self._carry_out(visit, chain, steps, intents, [file.key, chain.parent.key], after)

    async def _unprotected(self, visit: Visit, chain: Chain) -> list[Step]:
        """Return what must still hold when a directory leaves with all it holds. Raises: Posix(EPERM)."""
        if await self._context.engine.count(visit.scope, chain.file.key):
            return await self._leaving(visit, chain)
        return [RequireEmpty(chain.file.key)]

    async def _leaving(self, visit: Visit, chain: Chain) -> list[Step]:
        return [
            *await require_unprotected_tree(self._context, visit, chain),
            *await require_free_tree(self._context, visit, chain),
        ]

    async def _move_to_trash(self, visit: Visit, chain: Chain, also: Sequence[Step] = ()) -> None:
        taken = batches.move_to_trash(chain, Key(trash_uuid(visit.space_id)), self._context.wall_clock())
        steps, intents = await self.into_trash(visit, chain)
        keys = [chain.file.key, chain.parent.key]
        await self._carry_out(visit, chain, [*also, *taken, *steps], intents, keys)
        self.purge_soon(visit.space_id)

    def purge_soon(self, space_id: SpaceId) -> None:
        """Let what is in the trash be purged."""
        self._trash.purge_soon(space_id)

    async def into_trash(self, visit: Visit, chain: Chain) -> tuple[list[Step], list[Intent]]:
        """Return what a directory's way into the trash takes besides the entries: steps, and their intents.

        Raises: Posix(EPERM) when something in it is protected, or under retention or hold.
        """
        context, key = self._context, chain.file.key
        steps = await self._leaving(visit, chain)
        record = Removing("/".join(chain.names), visit.user_id, int(context.wall_clock()))
        steps.append(record.begin(key))
        named = visit.support.named
        if named is None:
            return [*steps, *require_settled(chain.storage_path)], []
        target = trash_path(visit.space_id, key)
        intent = context.journal.new(IntentKind.MOVE, named, key, target, chain.storage_path)
        return [*steps, *intent.put()], [intent]

    async def _carry_out(
        self,
        visit: Visit,
        chain: Chain,
        steps: Sequence[Step],
        intents: Sequence[Intent],
        announce: Sequence[Key],
        after: Node | None = None,
    ) -> None:
        """Commit and do what the storage is to do; ``after`` is the file if it remains."""
        context, space_id = self._context, visit.space_id

        async def work() -> tuple[None, Rest | None]:
            await context.transactions.commit(space_id, steps, announce, self._gone(visit, chain))
            done = [intent for intent in intents if await context.journal.carry_out(space_id, intent)]
            location = None if after is None else after.location
            revision = 0 if after is None else after.revision(LOCATION)
            return None, context.journal.clear_all(
                space_id, [FileWork(intent, location, revision) for intent in done]
            )

        paths = [path for intent in intents for path in intent.paths] or [chain.storage_path]
        await context.transactions.holding(paths, work)

    def _gone(self, visit: Visit, chain: Chain) -> Happened:
        """Return a question whether the file has left its directory."""
        file, parent = chain.file, chain.parent

        async def gone() -> bool:
            value = await self._context.engine.lookup(visit.scope, parent.key, file.name.encode())
            if value == file.entry_value:
                return False
            documents = await self._context.engine.get(visit.scope, file.name_key, [PARENT])
            return PARENT not in documents or documents[PARENT].data != encode_parent(parent.key)

        return gone

    async def _allowed(self, caller: Caller, target: Target) -> tuple[Visit, Chain]:
        visit, chain = await self._context.chain(caller, target)
        await self.require_removable(visit, chain)
        return visit, chain
