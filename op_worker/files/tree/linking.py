"""Hard links: giving a file a further name, and which names it has."""

from __future__ import annotations

from attrs import evolve, frozen

from cluster_worker.persistence.engine import ABSENT, Check, Step
from onedata.errors import Errno, NotFound, Posix
from onedata.ids import FileGuid, FileUuid, new_id
from op_worker.auth.caller import Caller
from op_worker.files.committing.transactions import Rest
from op_worker.files.context import FilesContext
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.visit import Visit
from op_worker.files.model import CreateOptions, FileStat, FileType, Target
from op_worker.files.rights.permissions import NOTHING, Operation
from op_worker.files.rights.protection import Protection
from op_worker.files.stored import batches, hard_links
from op_worker.files.stored.documents import LOCATION, PARENT, UNSETTLED
from op_worker.files.stored.intents import Intent, IntentKind
from op_worker.files.stored.nodes import Chain
from op_worker.files.stored.paths import inode_path
from op_worker.files.stored.recycled import BIN
from op_worker.files.translation import translated
from op_worker.files.tree.creation import Creation


@frozen(eq=False)
class Linking:
    """Makes hard links."""

    _context: FilesContext
    _creation: Creation

    async def link(
        self, caller: Caller, target: Target, original: FileGuid, options: CreateOptions
    ) -> FileStat:
        """Give a file a further name. See ``FileService.create_link``."""

        async def attempt() -> FileStat:
            visit, found = await self._creation.find(caller, target, options)
            if not found.missing:
                visit.require_passage(found.chain)
                raise Posix(Errno.EEXIST)
            if original.space_id != visit.space_id:
                raise Posix(Errno.EXDEV, "a hard link leads to a file of its own space")
            _, source = await self._context.chain(caller, Target(original))
            await visit.require(source, NOTHING)
            visit.require_unkept(source, Operation.WRITE_ATTRIBUTES)
            directory = await self._creation.directory_for(visit, found, options)
            name = found.missing[-1].decode()
            await self._creation.require_adding(visit, directory, name, FileType.REG)
            hard_links.check_linkable(source.file)
            if source.protection & Protection.SNAPSHOTS:
                raise Posix(Errno.EPERM, "what is in a snapshot gets no further names")
            return await self._link(visit, source, directory, name)

        return await self._context.transactions.retrying(target.base.space_id, attempt)

    async def _link(self, visit: Visit, source: Chain, directory: Chain, name: str) -> FileStat:
        """Commit the name; bytes that lie where the first name says are moved apart with it."""
        context, file, now_s = self._context, source.file, self._context.wall_clock()
        link = new_id(context.random_bytes)
        documents = hard_links.documents_with_name(file, now_s)
        steps: list[Step] = [
            *batches.steady(directory),
            batches.touch(directory.file, now_s),
            Check(file.key, BIN, ABSENT),  # nothing else tells that it was just removed if no bytes move
        ]
        intent = None
        location = hard_links.apart(file)
        if location is not None:
            documents[LOCATION] = evolve(location, staged=UNSETTLED).encode()
            intent = self._move_apart(visit, source, location.storage_id)
            steps.extend([*batches.steady_file(source), *intent.put()])
        steps.extend(hard_links.add_name(file, link, directory.file.key, name, documents))
        made = directory.child(hard_links.linked(file.written(documents), link, name))
        await self._carry_out(visit, made, steps, intent)
        return stat_of(made, visit.space, visit.user_id)

    async def _carry_out(self, visit: Visit, made: Chain, steps: list[Step], intent: Intent | None) -> None:
        context, space_id, file, parent = self._context, visit.space_id, made.file, made.parent

        async def happened() -> bool:
            value = await context.engine.lookup(visit.scope, parent.key, file.name.encode())
            return value == file.entry_value

        async def work() -> tuple[None, Rest | None]:
            await context.transactions.commit(space_id, steps, [file.key, parent.key], happened)
            if intent is None or not await context.journal.carry_out(space_id, intent):
                return None, None
            revision = file.revision(LOCATION)
            return None, context.journal.clear_fresh(space_id, intent, file.location, revision)

        paths = [made.storage_path] if intent is None else intent.paths
        await context.transactions.holding(paths, work)

    def _move_apart(self, visit: Visit, source: Chain, storage_id: str) -> Intent:
        storage = self._context.storage(storage_id)
        path, key = inode_path(visit.space_id, source.file.key), source.file.key
        return self._context.journal.new(IntentKind.MOVE, storage, key, path, source.storage_path)


@frozen(eq=False)
class HardLinks:
    """The names of files. Raises what ``FileService`` raises."""

    _context: FilesContext

    @translated
    async def names(self, caller: Caller, target: Target, limit: int | None = None) -> list[FileGuid]:
        """Return the ids of all names of a file, its first one before the others if it has it still.

        Raises: Posix(ENOENT, EACCES).
        """
        visit, chain = await self._readable(caller, target)
        listed = await self._context.engine.page(
            visit.scope, hard_links.links_key(chain.file.key), None, hard_links.MAX_NAMES, ()
        )
        names = [item.key for item in listed]
        if PARENT in chain.file.documents:
            names.insert(0, chain.file.key)
        return [FileGuid(FileUuid(name), chain.space_id) for name in names[:limit]]

    @translated
    async def require_same(self, caller: Caller, target: Target, other: FileGuid) -> None:
        """Return when both ids are names of one file. Raises: NotFound; Posix(ENOENT) for ``target``."""
        _, chain = await self._readable(caller, target)
        if other.space_id != chain.space_id:
            raise NotFound()
        try:
            _, another = await self._readable(caller, Target(other))
        except Posix:
            raise NotFound() from None
        if another.file.key != chain.file.key:
            raise NotFound()

    async def _readable(self, caller: Caller, target: Target) -> tuple[Visit, Chain]:
        visit, chain = await self._context.chain(caller, target)
        await visit.require(chain, NOTHING)
        return visit, chain
