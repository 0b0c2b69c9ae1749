"""Emptying the recycle bin of a space: what expired, or is not wanted any more, goes into the trash."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from cluster_worker.persistence.engine import Entry, Key, Resolved, Scope, Step
from onedata.ids import SpaceId, trash_uuid
from op_worker.files.context import FilesContext
from op_worker.files.removing.removals import Removing
from op_worker.files.removing.trash import Trash
from op_worker.files.stored import recycled
from op_worker.files.stored.documents import key_of_entry
from op_worker.files.stored.recycled import FIELDS, Item, bin_key

PAGE = 100


@frozen(eq=False)
class Recycling:
    """Looks after the bins; knows no users."""

    _context: FilesContext
    _trash: Trash

    async def page(self, space_id: SpaceId, after: str | None, limit: int) -> Sequence[Resolved]:
        """Return entries of the bin after the item ``after``, the last to expire first."""
        name = None if after is None else after.encode("utf-8", "replace")
        return await self._context.engine.page(Scope(space_id), bin_key(space_id), name, limit, FIELDS)

    async def find(self, space_id: SpaceId, item_id: str) -> Item | None:
        """Return an item of the bin; ``None`` when there is no such item."""
        name = item_id.encode("utf-8", "replace")
        engine, scope = self._context.engine, Scope(space_id)
        value = await engine.lookup(scope, bin_key(space_id), name) if b"\0" not in name else None
        if value is None:
            return None
        key = key_of_entry(value)
        return Item.found(Resolved(Entry(name, value), key, await engine.get(scope, key, FIELDS)))

    async def give_up(self, space_id: SpaceId, items: Sequence[Item], removed_by: str | None = None) -> None:
        """Move items into the trash, in one commit; ``removed_by`` is whoever removed each by default.

        Raises: PreconditionFailed when one of them has left the bin meanwhile.
        """
        if not items:
            return
        trash, now_s = Key(trash_uuid(space_id)), int(self._context.wall_clock())
        steps: list[Step] = []
        for item in items:
            steps.extend(recycled.give_up(item, space_id, trash))
            if item.node.is_directory:
                record = Removing("/".join(item.origin.names), removed_by or item.origin.removed_by, now_s)
                steps.append(record.begin(item.node.key))
        keys = [item.node.key for item in items]
        await self._context.transactions.commit(space_id, steps, keys)
        self._trash.purge_soon(space_id)

    async def expire(self, space_id: SpaceId) -> None:
        """Move every item that has expired into the trash. Raises: PersistenceUnavailable."""
        while await self._context.transactions.retrying(space_id, lambda: self._expire_some(space_id)):
            pass

    async def _expire_some(self, space_id: SpaceId) -> int:
        """Move some expired items into the trash; return how many."""
        first = recycled.item_id(self._context.wall_clock(), Key(""))
        found = map(Item.found, await self.page(space_id, first, PAGE))
        items = [item for item in found if item is not None]
        await self.give_up(space_id, items)
        return len(items)
