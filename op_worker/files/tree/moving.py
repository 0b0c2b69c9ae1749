"""Moves and renames: one commit, then one rename on the storage, whatever the size of a directory."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from cluster_worker.persistence.engine import PreconditionFailed, Put, RequireEmpty, Step
from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.charging.rooms import wanted
from op_worker.files.committing.transactions import Rest
from op_worker.files.context import FilesContext
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.lookup import Found
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.acl_changes import changed_acl
from op_worker.files.metadata.custom import FIELDS, custom_steps, needed_for
from op_worker.files.metadata.metadata_checks import checked
from op_worker.files.metadata.rule_changes import rule_steps, ruled
from op_worker.files.model import UNSET, FileStat, FileType, MetadataChange, Target
from op_worker.files.removing.kept_trees import require_free_tree
from op_worker.files.removing.removal import Removal
from op_worker.files.stored import batches
from op_worker.files.stored.charges import Room, charge_steps, charged
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.files.stored.documents import LOCATION, META, PARENT, TIMES, UNSETTLED, Location, encode_parent
from op_worker.files.stored.intents import Intent, IntentKind, require_settled
from op_worker.files.stored.nodes import Chain
from op_worker.files.stored.paths import check_new_name, storage_path
from op_worker.files.tree.creation import Creation


@frozen(eq=False)
class Place:
    """Where a file goes: a name in a directory, and what stands there now."""

    directory: Chain
    name: str
    replaced: Chain | None

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.directory.names, self.name)


@frozen(eq=False)
class Moving:
    """Moves files inside one space."""

    _context: FilesContext
    _creation: Creation
    _removal: Removal

    async def move(
        self,
        caller: Caller,
        source: Target,
        target: Target,
        metadata: MetadataChange | None = None,
        condition: ContentCondition = NO_CONDITION,
    ) -> tuple[FileStat, bool]:
        """Move inside one space. See ``FileService.move``."""
        change = await checked(self._context.blocking, metadata or MetadataChange())

        async def attempt() -> tuple[FileStat, bool]:
            visit, chain = await self._context.chain(caller, source)
            await self._removal.require_movable(visit, chain)
            await visit.require(chain, needed_for(change))
            place = await self.place_for(visit, caller, target)
            condition.require(None if place.replaced is None else visit.stat(place.replaced))
            return await self._move(visit, chain, place, change, condition)

        return await self._context.transactions.retrying(source.base.space_id, attempt)

    async def place_for(self, visit: Visit, caller: Caller, target: Target) -> Place:
        """Find where a target is or would be. Raises: Posix(ENOENT, ENOTDIR, EACCES, EPERM)."""
        _, found = await self._context.find(caller, target)
        place = place_of(visit, found)
        visit.require_passage_into(place.directory)
        return place

    async def require_replaceable(
        self, visit: Visit, type_: FileType, place: Place, *, own_key: str = ""
    ) -> None:
        """Check that a file of a type may take a place.

        Raises: Posix(EINVAL) below itself; Posix(EISDIR, ENOTDIR) over another kind; Posix(EACCES).
        """
        if any(node.key == own_key for node in place.directory.nodes):
            raise Posix(Errno.EINVAL, "a directory cannot be moved into itself")
        replaced = place.replaced
        if replaced is not None:
            if replaced.file.is_directory and type_ is not FileType.DIR:
                raise Posix(Errno.EISDIR)
            if type_ is FileType.DIR and not replaced.file.is_directory:
                raise Posix(Errno.ENOTDIR)
            await self._removal.require_removable(visit, replaced)
        await self._creation.require_adding(visit, place.directory, place.name, type_)

    async def _move(
        self, visit: Visit, source: Chain, place: Place, change: MetadataChange, condition: ContentCondition
    ) -> tuple[FileStat, bool]:
        if place.replaced is not None and place.replaced.file.key == source.file.key:
            if not change.is_empty:
                raise Posix(Errno.EINVAL, "the file is there already")
            return stat_of(source, visit.space, visit.user_id), False  # also between two names of one file
        source, custom = await self._changed(visit, source, change)
        file = source.file
        await self.require_replaceable(visit, file.type, place, own_key=file.key)
        now_s = self._context.wall_clock()
        room = await self._context.rooms.of(visit)
        location = moved_location(room, source, place)
        replaced = place.replaced.file if place.replaced is not None else None
        steps = [
            *([] if replaced is None else batches.unchanged(replaced, condition)),
            *custom,
            *batches.move(source, place.directory, place.name, replaced, location, now_s),
        ]
        if file.is_directory:
            steps.extend(await require_free_tree(self._context, visit, source))
        charging = await self.charging(visit, room, source, place, location)
        steps.extend(charging)
        intents = self.intents(visit, source, place)
        for intent in intents:
            steps.extend(intent.put())
        if not intents:
            steps.extend(self.settled(visit, source, place))
        after = self.after(source, place, location, now_s)
        try:
            await self._carry_out(visit, source, place, steps, intents, after)
        except PreconditionFailed as refusal:
            if isinstance(refusal.step, RequireEmpty):
                raise Posix(Errno.ENOTEMPTY) from None
            raise
        if self._context.recharging.is_ordered(charging):
            self._context.recharging.run_soon(visit.space_id)
        return stat_of(after, visit.space, visit.user_id), replaced is not None

    async def _changed(self, visit: Visit, source: Chain, change: MetadataChange) -> tuple[Chain, list[Step]]:
        """Return a file as it is with changed metadata, which the rename writes, and the further steps."""
        file = source.file
        if change.is_empty:
            return source, []
        documents = await self._context.engine.get(visit.scope, file.key, FIELDS)
        custom = custom_steps(file.key, documents, change)
        acl = changed_acl(visit, source, change.acl)
        meta = evolve(file.meta, has_metadata=custom.has_metadata)
        meta = meta if acl is UNSET else evolve(meta, acl=acl)
        lookup, offer = self._context.lookup, self._context.offer
        meta = ruled(meta, change, lookup.now_ms, source.rules_above, offer)
        steps = [*custom.steps, *rule_steps(source, file.meta, meta)]
        if file.link:  # what is written of a further name is not the file's
            steps = [*steps, Put(file.key, META, meta.encode(), expect=file.revision(META))]
        return source.with_file(file.with_meta(meta)), steps

    async def charging(
        self, visit: Visit, room: Room, source: Chain, place: Place, location: Location | None
    ) -> list[Step]:
        """Return the steps that charge a file where it will be; a directory is charged behind, by a walk."""
        if source.file.is_directory:
            return await self._context.recharging.for_move(visit.space_id, source, place.directory)
        if location is None:
            return []
        changes = charged(source.file.location, location)
        return [room.quotas.unchanged(), *charge_steps(changes, room.quotas)]

    async def _carry_out(
        self,
        visit: Visit,
        source: Chain,
        place: Place,
        steps: list[Step],
        intents: Sequence[Intent],
        after: Chain,
    ) -> None:
        context, space_id = self._context, visit.space_id
        keys = [after.file.key, source.parent.key, place.directory.file.key]
        if place.replaced is not None:
            keys.append(place.replaced.file.key)

        async def happened() -> bool:
            raw = place.name.encode()
            found = await context.engine.lookup(visit.scope, place.directory.file.key, raw)
            return found == source.file.entry_value

        async def work() -> tuple[None, Rest | None]:
            await context.transactions.commit(space_id, steps, keys, happened)
            done = [intent for intent in intents if await context.journal.carry_out(space_id, intent)]
            return None, self._clear(visit, done, after)

        paths = [source.named_path, storage_path(space_id, place.names)]
        paths.extend(path for intent in intents for path in intent.paths)
        await context.transactions.holding(paths, work)

    async def _clear(self, visit: Visit, intents: Sequence[Intent], after: Chain) -> None:
        for intent in intents:
            location = after.file.location if intent.uuid == after.file.key else None
            await self._context.journal.clear_fresh(
                visit.space_id, intent, location, after.file.revision(LOCATION)
            )

    def intents(self, visit: Visit, source: Chain, place: Place) -> list[Intent]:
        """Return the storage operations of a move.

        Symbolic links are not on the storage and bytes that lie apart stay there. What is replaced gives
        way to the rename, or is removed by itself.
        """
        intents: list[Intent] = []
        storage = self._context.storage_of(visit, source.file)
        if batches.has_bytes(source.file) and not source.is_apart and storage is not None:
            target = storage_path(visit.space_id, place.names)
            new = self._context.journal.new
            intents.append(new(IntentKind.MOVE, storage, source.file.key, target, source.storage_path))
        replaced = place.replaced
        if replaced is not None:
            removals = self._removal.removal_intents(visit, replaced)
            gives_way = bool(intents) and not replaced.is_apart
            intents.extend(removals[1:] if gives_way else removals)
        return intents

    def settled(self, visit: Visit, source: Chain, place: Place) -> list[Step]:
        """Return what a move demands that has no storage operation."""
        target = storage_path(visit.space_id, place.names)
        return [*require_settled(source.named_path), *require_settled(target)]

    def after(self, source: Chain, place: Place, location: Location | None, now_s: float) -> Chain:
        """Return a file as it is after its move."""
        file = source.file
        documents = {TIMES: file.times.changed(now_s).encode()}
        if not file.link:
            documents[META] = evolve(file.meta, name=place.name).encode()
            documents[PARENT] = encode_parent(place.directory.file.key)
        if location is not None:
            documents[LOCATION] = location.encode()
        node = file.written(documents)
        node.name = place.name
        return place.directory.child(node)


def place_of(visit: Visit, found: Found) -> Place:
    """Turn the end of a walk into a place. Raises: Posix(ENOENT, ENOTDIR, EPERM)."""
    chain = found.chain
    if not found.missing:
        if chain.is_root:
            raise Posix(Errno.EPERM, "the root of a space cannot be replaced")
        return Place(chain.above, chain.file.name, chain)
    if not chain.file.is_directory:
        raise Posix(Errno.ENOTDIR)
    if len(found.missing) > 1:
        visit.require_passage_into(chain)
        raise Posix(Errno.ENOENT, "a directory on the way is missing")
    name = found.missing[0].decode()
    check_new_name(name, at_root=chain.is_root)
    return Place(chain, name, None)


def moved_location(room: Room, source: Chain, place: Place) -> Location | None:
    """Return the location that tells readers to wait for a pending move, charged as it will be.

    ``None`` when nothing of it changes: bytes that lie apart stay where they are.
    """
    old = source.file.location
    if old is None:
        return None
    charges = wanted(room, source.file.meta.owner, place.directory)
    if old.is_apart:
        return None if charges == old.charges else evolve(old, charges=charges)
    return evolve(old, staged=UNSETTLED, charges=charges)
