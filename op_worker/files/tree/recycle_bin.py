"""The recycle bin as users see it: what lies in it, restoring, and removing for good."""

from __future__ import annotations

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Step
from onedata.errors import Errno, NotFound, Posix
from onedata.ids import FileGuid, FileUuid, SpaceId, UserId, space_root_guid
from op_worker.auth.caller import Caller
from op_worker.files.charging.rooms import wanted
from op_worker.files.committing.transactions import Rest
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.model import CreateOptions, FileStat, FileType, Page, Target
from op_worker.files.removing.recycling import PAGE, Recycling
from op_worker.files.removing.removals import may_handle
from op_worker.files.rights.permissions import WRITE_DATA_PRIVILEGE
from op_worker.files.stored import recycled
from op_worker.files.stored.charges import charge_steps, charged
from op_worker.files.stored.documents import LOCATION, Location
from op_worker.files.stored.intents import Intent, IntentKind
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.recycled import Item
from op_worker.files.translation import translated
from op_worker.files.tree.creation import Creation

_AS_IT_WAS = CreateOptions()


@frozen(kw_only=True)
class RecycledFile:
    """A file or a directory in the bin. Times in seconds since the epoch.

    ``path`` holds the names that it had below the space root, ``guid`` the id that it has again when it is
    restored. ``size_b`` is ``None`` for directories.
    """

    item_id: str
    guid: FileGuid
    path: tuple[str, ...]
    type: FileType
    size_b: int | None
    owner: UserId
    removed_by: UserId
    removed_s: float
    expires_s: float


@frozen(eq=False)
class RecycleBin:
    """What was removed from a space and can be restored. Raises what ``FileService`` raises.

    A member sees and handles what he removed and what belonged to him, an owner of the space everything.
    A token that is confined to some files reaches nothing.
    """

    _context: FilesContext
    _creation: Creation
    _recycling: Recycling

    @translated
    async def items(
        self, caller: Caller, space_id: SpaceId, *, limit: int, token: str | None = None
    ) -> Page[RecycledFile]:
        """Return a page of the bin, the last to expire first; it may hold fewer items than asked.

        Raises: Forbidden to strangers; SpaceNotSupportedBy.
        """
        visit = await self._context.access.enter(caller, space_id)
        found = await self._recycling.page(space_id, token, limit + 1)
        items = [item for item in map(Item.found, found[:limit]) if item is not None]
        shown = [_shown(item, space_id) for item in items if _concerns(visit, item)]
        is_last = len(found) <= limit
        return Page(shown, None if is_last else found[limit - 1].entry.name.decode(), is_last)

    @translated
    async def restore(
        self,
        caller: Caller,
        space_id: SpaceId,
        item_id: str,
        names: tuple[str, ...] | None = None,
        options: CreateOptions = _AS_IT_WAS,
    ) -> FileStat:
        """Put an item back where it was, or at ``names`` below the space root; its ids stay.

        Of ``options`` only ``create_parents`` counts. Needs adding to the directory.

        Raises: NotFound without the item; Posix(EEXIST) when the name is taken; Posix(ENOENT) when a
            directory on the way is missing; Posix(EACCES, ENOTDIR, EINVAL, ENAMETOOLONG).
        """

        async def attempt() -> FileStat:
            visit = await self._context.access.enter(caller, space_id)
            item = await self._item(visit, item_id)
            target = Target(space_root_guid(space_id), item.origin.names if names is None else names)
            visit, found = await self._creation.find(caller, target, options)
            if not found.missing:
                raise Posix(Errno.EEXIST)
            directory = await self._creation.directory_for(visit, found, options)
            name = found.missing[-1].decode()
            await self._creation.require_adding(visit, directory, name, item.node.type)
            return await self._restore(visit, item, directory, name)

        return await self._context.transactions.retrying(space_id, attempt)

    @translated
    async def remove(self, caller: Caller, space_id: SpaceId, item_id: str) -> None:
        """Remove an item for good. Raises: NotFound; Posix(EACCES) without ``space_write_data``."""

        async def attempt() -> None:
            visit = await self._context.access.enter(caller, space_id)
            item = await self._item(visit, item_id)
            _require_writing(visit)
            await self._recycling.give_up(space_id, [item], visit.user_id)

        await self._context.transactions.retrying(space_id, attempt)

    @translated
    async def empty(self, caller: Caller, space_id: SpaceId) -> None:
        """Remove for good every item that the caller may handle; when it fails, some may be left.

        Raises: as ``remove``.
        """
        visit = await self._context.access.enter(caller, space_id)
        _require_writing(visit)
        after: str | None = None

        async def attempt() -> str | None:
            found = await self._recycling.page(space_id, after, PAGE)
            items = [item for item in map(Item.found, found) if item is not None]
            chosen = [item for item in items if _concerns(visit, item)]
            await self._recycling.give_up(space_id, chosen, visit.user_id)
            return found[-1].entry.name.decode() if len(found) == PAGE else None

        while (after := await self._context.transactions.retrying(space_id, attempt)) is not None:
            pass

    async def _item(self, visit: Visit, item_id: str) -> Item:
        item = await self._recycling.find(visit.space_id, item_id)
        if item is None or not _concerns(visit, item):
            raise NotFound()
        return item

    async def _restore(self, visit: Visit, item: Item, directory: Chain, name: str) -> FileStat:
        """Commit the new place; bytes that wait in the trash folder are moved there."""
        context, space_id, now_s = self._context, visit.space_id, self._context.wall_clock()
        documents = recycled.restored(item, directory.file.key, name, now_s)
        node = item.node
        charging = await self._charging(visit, node, directory, documents)
        steps = [*recycled.restore(item, directory, name, documents, now_s), *charging]
        file = Node(node.key, name, node.documents, node.link).written(documents)
        made = directory.child(file)
        intent = self._intent(visit, item, made)
        steps.extend([] if intent is None else intent.put())

        async def happened() -> bool:
            found = await context.engine.lookup(visit.scope, directory.file.key, name.encode())
            return found == file.entry_value

        async def work() -> tuple[None, Rest | None]:
            keys = [file.key, directory.file.key]
            await context.transactions.commit(space_id, steps, keys, happened)
            if intent is None or not await context.journal.carry_out(space_id, intent):
                return None, None
            revision = file.revision(LOCATION)
            return None, context.journal.clear_fresh(space_id, intent, file.location, revision)

        await context.transactions.holding([made.storage_path] if intent is None else intent.paths, work)
        if context.recharging.is_ordered(charging):
            context.recharging.run_soon(space_id)
        return visit.stat(made)

    async def _charging(
        self, visit: Visit, node: Node, directory: Chain, documents: dict[str, bytes]
    ) -> list[Step]:
        """Return the steps that charge an item where it is restored, which may change its location.

        A directory is charged behind, by a walk: what happened to quotas meanwhile is not known.
        """
        room = await self._context.rooms.of(visit)
        if node.is_directory:
            if not room.quotas.is_of_concern:
                return [room.quotas.unchanged()]
            return await self._context.recharging.order(visit.space_id, node.key)
        old = node.location
        if old is None:
            return []
        charges = wanted(room, node.meta.owner, directory)
        if charges != old.charges:
            new = Location.decode(documents[LOCATION]) if LOCATION in documents else old
            documents[LOCATION] = evolve(new, charges=charges).encode()
        changes = charged(old, evolve(old, charges=charges))
        return [room.quotas.unchanged(), *charge_steps(changes, room.quotas)]

    def _intent(self, visit: Visit, item: Item, made: Chain) -> Intent | None:
        if not recycled.moves_bytes(item.node):
            return None
        storage = self._context.storage_of(visit, item.node)
        if storage is None:
            return None
        source = item.storage_path(visit.space_id)
        return self._context.journal.new(IntentKind.MOVE, storage, item.node.key, made.storage_path, source)


def _concerns(visit: Visit, item: Item) -> bool:
    return may_handle(visit, UserId(item.origin.removed_by), UserId(item.node.meta.owner))


def _require_writing(visit: Visit) -> None:
    if visit.subject.is_readonly:
        raise Posix(Errno.EACCES, "the token is confined to reading")
    if not visit.subject.is_space_owner and WRITE_DATA_PRIVILEGE not in visit.subject.privileges:
        raise Posix(Errno.EACCES, f"privilege {WRITE_DATA_PRIVILEGE} is missing")


def _shown(item: Item, space_id: SpaceId) -> RecycledFile:
    node = item.node
    size_b = None if node.is_directory else len((node.meta.symlink_target or "").encode())
    return RecycledFile(
        item_id=item.item_id,
        guid=FileGuid(FileUuid(node.name_key), space_id),
        path=item.origin.names,
        type=node.type,
        size_b=size_b if node.location is None else node.location.size_b,
        owner=UserId(node.meta.owner),
        removed_by=UserId(item.origin.removed_by),
        removed_s=item.origin.removed_s,
        expires_s=item.expires_s,
    )
