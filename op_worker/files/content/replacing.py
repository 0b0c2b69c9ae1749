"""Whole contents: store the bytes, commit, move them to the file's path; old or new, never a mixture."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from attrs import evolve, frozen
from twisted.internet.defer import CancelledError

from cluster_worker.persistence.engine import Check, Key, OutcomeUnknown, Put, Step
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import Errno, Posix
from onedata.ids import SpaceId, UserId
from op_worker.auth.caller import Caller
from op_worker.files.charging.rooms import wanted
from op_worker.files.committing.becoming import becoming
from op_worker.files.committing.transactions import Happened, Rest
from op_worker.files.content.staging import Staged, Staging
from op_worker.files.context import FilesContext
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.lookup import Found
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.acl_changes import changed_acl
from op_worker.files.metadata.custom import FIELDS, custom_steps, needed_for, with_meta
from op_worker.files.metadata.metadata_checks import checked
from op_worker.files.metadata.rule_changes import needed_for_rules, rule_steps, rule_steps_of_new, ruled
from op_worker.files.model import CreateOptions, Existing, FileStat, FileType, Follow, MetadataChange, Target
from op_worker.files.quotas.room import ASK_FIRST_B, require_room
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored import batches
from op_worker.files.stored.charges import account
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.files.stored.digests import Digest, agreeing
from op_worker.files.stored.documents import LOCATION, META, TIMES, EntryValue, Location
from op_worker.files.stored.hard_links import has_further_names
from op_worker.files.stored.intents import FileWork
from op_worker.files.stored.landings import Landing, Wanted
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.paths import GROWING, check_new_name
from op_worker.files.tree.creation import Creation
from op_worker.placement.policy import PLACEMENT_XATTR

LateChange = Callable[[], Awaitable[MetadataChange]]
"""Gives the metadata once the whole body came; it may refuse with an error of ``onedata.errors``."""

_NO_CHANGE = MetadataChange()


@frozen(eq=False)
class Request:
    """One replacement as it was asked for. ``also`` are steps of others that belong to its commit.

    The bytes of a new file lie apart with ``is_apart``, whatever its names are.
    """

    caller: Caller
    target: Target
    expected_b: int | None
    create: CreateOptions | None
    metadata: MetadataChange
    digests: Sequence[Digest] = ()
    condition: ContentCondition = NO_CONDITION
    also: Sequence[Step] = ()
    is_apart: bool = False


@frozen(eq=False)
class Replacing:
    """Replaces whole contents and makes files together with their content."""

    _context: FilesContext
    _creation: Creation
    _staging: Staging

    async def replace(
        self,
        caller: Caller,
        target: Target,
        body: ByteStream,
        expected_b: int | None,
        create: CreateOptions | None,
        metadata: MetadataChange | LateChange | None,
        digests: Sequence[Digest] = (),
        condition: ContentCondition = NO_CONDITION,
        *,
        is_apart: bool = False,
    ) -> tuple[FileStat, bool]:
        """Replace or make. See ``FileService.replace_content``.

        Permissions are checked before the body is received and again before the commit.
        """
        late = None if metadata is None or isinstance(metadata, MetadataChange) else metadata
        early = metadata if isinstance(metadata, MetadataChange) else _NO_CHANGE
        change = await checked(self._context.blocking, early)
        request = Request(caller, target, expected_b, create, change, digests, condition, is_apart=is_apart)
        visit, found = await self._context.transactions.retrying(
            target.base.space_id, lambda: self.allowed(request)
        )
        if expected_b is not None and expected_b > ASK_FIRST_B:
            await require_room(self._context, visit, found, expected_b)
        body = agreeing(body, digests, self._context.blocking)
        staged = await self._staging.receive(visit, self.wanted(request, found), body, expected_b)
        self._context.tallies.wrote(visit.space_id, visit.user_id, staged.size_b)
        first = [(visit, found)]
        if late is not None:
            request = await self._completed(request, late, visit.space_id, staged)
            first = []

        async def attempt() -> tuple[FileStat, bool]:
            visit, found = first.pop() if first else await self.allowed(request)
            return await self._commit(request, visit, found, staged)

        try:
            return await self._context.transactions.retrying(visit.space_id, attempt)
        except (OutcomeUnknown, CancelledError):
            raise  # the commit may still happen, so its bytes stay; the next start sweeps them if not
        except BaseException:
            await self._staging.discard(visit.space_id, staged)
            raise

    async def _completed(
        self, request: Request, late: LateChange, space_id: SpaceId, staged: Staged
    ) -> Request:
        """Return a request with the metadata that are known now that the body came."""
        try:
            return evolve(request, metadata=await checked(self._context.blocking, await late()))
        except BaseException:
            await self._staging.discard(space_id, staged)
            raise

    async def require(self, caller: Caller, target: Target) -> None:
        """Return when the caller may replace or make a content. See ``FileService.require_writable``."""
        create = CreateOptions(existing=Existing.UPDATE) if target.names else None
        request = Request(caller, target, None, create, _NO_CHANGE)
        await self._context.transactions.retrying(target.base.space_id, lambda: self.allowed(request))

    async def place(self, request: Request, staged: Staged) -> FileStat:
        """Make a content that came already that of a file; its bytes stay where they are when this fails.

        Raises: as ``replace``.
        """

        async def attempt() -> FileStat:
            visit, found = await self.allowed(request)
            stat, _ = await self._commit(request, visit, found, staged)
            return stat

        return await self._context.transactions.retrying(request.target.base.space_id, attempt)

    async def allowed(self, request: Request) -> tuple[Visit, Found]:
        """Find the target and check that the caller may do what was asked."""
        visit, found = await self._find(request)
        if not found.missing:
            visit.require_passage(found.chain)
            is_refused = request.create is not None and request.create.existing is Existing.REFUSE
            if not is_refused or request.condition is not NO_CONDITION:
                await self._may_write(visit, found.chain, request)
                request.condition.require(stat_of(found.chain, visit.space, visit.user_id))
            if is_refused:
                raise Posix(Errno.EEXIST)
        elif request.create is None:
            visit.require_passage_into(found.chain)
            raise Posix(Errno.ENOENT)
        else:
            directory = await self._creation.directory_for(visit, found, request.create)
            name = found.missing[-1].decode()
            await self._creation.require_adding(visit, directory, name, FileType.REG)
            request.condition.require(None)
            found = Found(directory, found.missing[-1:])
        return visit, found

    async def _find(self, request: Request) -> tuple[Visit, Found]:
        """Find the target; a link at its end is written through, those before it unless parents are made."""
        if request.create is not None and request.create.create_parents:
            await self._creation.find(request.caller, request.target, request.create)
        return await self._context.find(request.caller, request.target, Follow.YES)

    async def _may_write(self, visit: Visit, chain: Chain, request: Request) -> None:
        needed = Operation.WRITE_OBJECT | needed_for(request.metadata)
        if chain.file.is_directory:
            raise Posix(Errno.EISDIR)
        await visit.require(chain, needed)

    async def _commit(
        self, request: Request, visit: Visit, found: Found, staged: Staged
    ) -> tuple[FileStat, bool]:
        if found.missing:
            return await self._commit_new(request, visit, found, staged), True
        return await self._commit_existing(request, visit, found.chain, staged), False

    def wanted(self, request: Request, found: Found) -> Wanted:
        """Return what is told of the content to find a place for it."""
        required = request.metadata.set_xattrs.get(PLACEMENT_XATTR)
        if not found.missing:
            return Wanted.of_existing(found.chain, required)
        name = None if request.is_apart else found.missing[-1].decode()
        return Wanted.of_new(self._context.key_for(request.target), found.chain, name, required)

    async def _commit_new(self, request: Request, visit: Visit, found: Found, staged: Staged) -> FileStat:
        context, directory = self._context, found.chain
        name = found.missing[-1].decode()
        raw = check_new_name(name, at_root=directory.is_root)
        key = staged.landing.key if request.target.uuid is None else Key(request.target.uuid)
        now_s = context.wall_clock()
        options = request.create or CreateOptions()
        if isinstance(request.metadata.acl, tuple):
            options = evolve(options, acl=request.metadata.acl)
        custom = custom_steps(key, {}, request.metadata)
        meta = self._creation.new_meta(visit, directory, name, FileType.REG, options, now_s)
        meta = evolve(meta, has_metadata=custom.has_metadata)
        meta = ruled(meta, request.metadata, context.lookup.now_ms, directory.rules, context.offer)
        room = await context.rooms.of(visit)
        charges = wanted(room, meta.owner, directory)
        location = staged.location(1, charges, is_apart=request.is_apart)
        documents = batches.first_documents(meta, directory.file.key, location, now_s)
        value = EntryValue(key, FileType.REG).encode()
        made = directory.child(Node(key, name, {}).written(documents))
        visit.require_alone(made, needed_for_rules(request.metadata) & ~Operation.WRITE_METADATA)
        steps = [
            *batches.create(directory, key, raw, value, documents, now_s),
            *custom.steps,
            *rule_steps_of_new(made, meta),
            *account(None, location, room),
            *request.also,
        ]

        async def happened() -> bool:
            return await context.engine.lookup(visit.scope, directory.file.key, raw) == value

        await self._place(visit, made, staged, steps, [key, directory.file.key], happened)
        return stat_of(made, visit.space, visit.user_id)

    async def _commit_existing(
        self, request: Request, visit: Visit, chain: Chain, staged: Staged
    ) -> FileStat:
        file, now_s = chain.file, self._context.wall_clock()
        old = file.location or Location(staged.landing.storage_id)
        room = await self._context.rooms.of(visit)
        charges = wanted(room, file.meta.owner, chain.above)
        location = staged.location(old.version + 1, charges, is_apart=has_further_names(chain))
        location = evolve(location, rest=old.rest)
        documents = {LOCATION: location.encode(), TIMES: file.times.modified(now_s).encode()}
        after = chain.with_file(file.written(documents))
        steps: list[Step] = [
            *batches.unchanged(file, request.condition),
            *batches.steady_file(chain),
            *(batches.steady_file(after) if chain.is_apart and not after.is_apart else ()),
            Check(file.key, META, file.revision(META)),
            Put(file.key, LOCATION, documents[LOCATION], expect=file.revision(LOCATION)),
            *(await self._custom(visit, chain, request.metadata, now_s)),
            Put(file.key, TIMES, documents[TIMES]),
            *account(file.location, location, room),
            *(batches.unmoved(chain) if room.quotas.is_of_concern else ()),
            *request.also,
        ]

        async def happened() -> bool:
            found = await self._context.engine.get(visit.scope, file.key, [LOCATION])
            return LOCATION in found and (
                Location.decode(found[LOCATION].data).generation == location.generation
            )

        await self._place(visit, after, staged, steps, [file.key], happened, replaced=chain)
        return stat_of(after, visit.space, visit.user_id)

    async def _custom(self, visit: Visit, chain: Chain, change: MetadataChange, now_s: float) -> list[Step]:
        if change.is_empty:
            return []
        file = chain.file
        documents = await self._context.engine.get(visit.scope, file.key, FIELDS)
        acl = changed_acl(visit, chain, change.acl)
        context = self._context
        after = ruled(file.meta, change, context.lookup.now_ms, chain.rules_above, context.offer)
        steps = with_meta(file, after, custom_steps(file.key, documents, change), acl, now_s)
        return [*steps, *rule_steps(chain, file.meta, after)]

    async def _place(
        self,
        visit: Visit,
        chain: Chain,
        staged: Staged,
        steps: list[Step],
        announce: list[Key],
        happened: Happened,
        replaced: Chain | None = None,
    ) -> None:
        """Commit, with what the storage has to do so that the bytes lie where the location says."""
        context, space_id = self._context, visit.space_id
        await self._hand_over(visit, chain, staged.landing)
        share = becoming(context.journal, context.storages, staged.landing, chain, replaced)

        async def work() -> tuple[None, Rest | None]:
            await context.transactions.commit(space_id, [*steps, *share.steps], announce, happened)
            placing = share.placing
            if placing is not None and not await context.journal.carry_out(space_id, placing.intent):
                placing = None
            return None, self._settled(space_id, placing, share.removals)

        await context.transactions.holding(share.paths, work)

    async def _hand_over(self, visit: Visit, chain: Chain, landing: Landing) -> None:
        """Give a content that came to the file's owner, unless he wrote it himself and in one go."""
        owner_id = UserId(chain.file.meta.owner)
        if owner_id != visit.user_id or landing.name.startswith(GROWING):
            administered = self._context.storage(landing.storage_id)
            await self._context.acting.hand_over(owner_id, visit.space_id, administered, landing.path)

    async def _settled(
        self, space_id: SpaceId, placed: FileWork | None, removals: Sequence[FileWork]
    ) -> None:
        journal = self._context.journal
        if placed is not None:
            await journal.clear_fresh(space_id, placed.intent, placed.location, placed.revision)
        if removals:
            await journal.carry_out_files(space_id, removals)
