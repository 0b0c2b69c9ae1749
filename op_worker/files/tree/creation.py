"""Making files, directories and links, empty; and finding the place for a new file."""

from __future__ import annotations

from attrs import evolve, frozen
from twisted.internet.defer import CancelledError

from cluster_worker.persistence.engine import ABSENT, Check, Key, OutcomeUnknown, Step
from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.acl import inherited
from op_worker.files.charging.rooms import wanted
from op_worker.files.committing.transactions import Rest
from op_worker.files.context import FilesContext
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.lookup import Found, existing
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.acl_changes import accepted
from op_worker.files.metadata.attribute_changes import set_mode
from op_worker.files.model import CreateOptions, Existing, FileStat, FileType, Follow, Target
from op_worker.files.removing.removal import Removal
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored import batches
from op_worker.files.stored.charges import account
from op_worker.files.stored.documents import EntryValue, Location
from op_worker.files.stored.intents import INTENTS, IntentKind
from op_worker.files.stored.landings import Landing, Wanted
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.paths import MAX_PATH_B, check_length, check_new_name
from op_worker.storage.helper import StoragePath

DEFAULT_MODES = {FileType.REG: 0o664, FileType.DIR: 0o775, FileType.SYMLNK: 0o777}
_ADDING = {
    FileType.REG: Operation.ADD_OBJECT | Operation.TRAVERSE,
    FileType.SYMLNK: Operation.ADD_OBJECT | Operation.TRAVERSE,
    FileType.DIR: Operation.ADD_SUBCONTAINER | Operation.TRAVERSE,
}


def adding(type_: FileType) -> Operation:
    """Return what making a file of this type needs on its directory."""
    return _ADDING[type_]


@frozen(eq=False)
class Creation:
    """Makes files in directories."""

    _context: FilesContext
    _removal: Removal

    async def create(
        self, caller: Caller, target: Target, type_: FileType, options: CreateOptions
    ) -> FileStat:
        """Make an empty file of a type. See ``FileService.create_file`` and its siblings."""
        if type_ is FileType.SYMLNK:
            check_link_text(options.symlink_target)
        space_id = target.base.space_id

        async def attempt() -> FileStat:
            visit, found = await self.find(caller, target, options)
            if not found.missing:
                return await self._existing(visit, found.chain, type_, options)
            directory = await self.directory_for(visit, found, options)
            key = self._context.key_for(target)
            return await self._make(visit, directory, found.missing[-1].decode(), key, type_, options)

        return await self._context.transactions.retrying(space_id, attempt)

    async def find(self, caller: Caller, target: Target, options: CreateOptions) -> tuple[Visit, Found]:
        """Find where a new file goes; missing directories are not made behind symbolic links."""
        follow = Follow.NEVER if options.create_parents else Follow.NO
        return await self._context.find(caller, target, follow)

    async def directory_for(self, visit: Visit, found: Found, options: CreateOptions) -> Chain:
        """Return the directory that the last missing name goes into, making those in between if asked.

        Raises: Posix(ENOENT) when directories are missing and not to be made; Posix(ENOTDIR).
        """
        directory = found.chain
        if not directory.file.is_directory:
            raise Posix(Errno.ENOTDIR)
        if len(found.missing) > 1 and not options.create_parents:
            visit.require_passage_into(directory)
            raise Posix(Errno.ENOENT, "a directory on the way is missing")
        plain = CreateOptions(mode=options.mode)
        for raw in found.missing[:-1]:
            key = self._context.new_key()
            await self._make(visit, directory, raw.decode(), key, FileType.DIR, plain)
            directory = existing(
                await self._context.lookup.find(visit.space_id, directory.file.key, (raw.decode(),))
            )
            if not directory.file.is_directory:
                raise Posix(Errno.ENOTDIR)
        return directory

    async def require_adding(self, visit: Visit, directory: Chain, name: str, type_: FileType) -> bytes:
        """Check that the caller may add ``name``; return it as it is stored.

        Nothing is added to a queue this way, so its values keep their order. Raises: Posix(EPERM) there.
        """
        raw = check_new_name(name, at_root=directory.is_root)
        check_length([one.encode() for one in (*directory.names, name)])
        await visit.require_new(directory, name, adding(type_))
        if directory.file.meta.is_queue:
            raise Posix(Errno.EPERM, "this directory is a queue: values are enqueued with CDMI")
        return raw

    async def _make(
        self, visit: Visit, directory: Chain, name: str, key: Key, type_: FileType, options: CreateOptions
    ) -> FileStat:
        await self.require_adding(visit, directory, name, type_)
        now_s = self._context.wall_clock()
        meta = self.new_meta(visit, directory, name, type_, options, now_s)
        if type_ is not FileType.REG:
            return await self._commit(visit, directory, key, meta, now_s)
        support, wanted_file = visit.support, Wanted.of_new(key, directory, name)
        chosen = (await self._context.choosing.storages(support, wanted_file, None))[0]
        storage = await self._context.storage_for(visit, chosen)
        location, landing = await self._context.places.empty(support, storage, wanted_file)
        try:
            return await self._commit(visit, directory, key, meta, now_s, location, landing)
        except (OutcomeUnknown, CancelledError):
            raise  # it may happen still
        except BaseException:
            if landing is not None:
                await self._context.places.give_back(visit.space_id, landing)
            raise

    async def _commit(
        self,
        visit: Visit,
        directory: Chain,
        key: Key,
        meta: Meta,
        now_s: float,
        location: Location | None = None,
        landing: Landing | None = None,
    ) -> FileStat:
        """Commit a file; an empty one is made on the storage, if it lies under its name there."""
        context, raw, parent = self._context, meta.name.encode(), directory.file.key
        charging: list[Step] = [] if landing is None else landing.become_a_file()
        if location is not None:
            room = await context.rooms.of(visit)
            location = evolve(location, charges=wanted(room, meta.owner, directory))
            charging += account(None, location, room)
        documents = batches.first_documents(meta, parent, location, now_s)
        value = EntryValue(key, meta.type).encode()
        steps = [*batches.create(directory, key, raw, value, documents, now_s), *charging]
        path = StoragePath(f"{directory.storage_path}/{meta.name}")
        intent = None
        if location is not None and not location.is_apart:
            storage = context.storage(location.storage_id)
            intent = context.journal.new(IntentKind.TOUCH, storage, key, path)
        steps.extend([Check(INTENTS, path, ABSENT)] if intent is None else intent.put())

        async def happened() -> bool:
            return await context.engine.lookup(visit.scope, parent, raw) == value

        async def work() -> tuple[None, Rest | None]:
            await context.transactions.commit(visit.space_id, steps, [key, parent], happened)
            if intent is None or not await context.journal.carry_out(visit.space_id, intent):
                return None, None
            storage = context.storage(intent.storage_id)
            await context.acting.hand_over(visit.user_id, visit.space_id, storage, path)
            return None, context.journal.clear_fresh(visit.space_id, intent, None, 0)

        await context.transactions.holding([path], work)
        made = directory.child(Node(key, meta.name, {}).written(documents))
        return stat_of(made, visit.space, visit.user_id)

    async def _existing(
        self, visit: Visit, chain: Chain, type_: FileType, options: CreateOptions
    ) -> FileStat:
        visit.require_passage(chain)
        if options.existing is Existing.REFUSE or chain.file.type is not type_ or chain.is_root:
            raise Posix(Errno.EEXIST)
        if type_ is FileType.SYMLNK:
            await self._removal.require_movable(visit, chain)
            await self._removal.remove_chain(visit, chain)
            key = self._context.new_key()
            return await self._make(visit, chain.above, chain.file.name, key, type_, options)
        if options.mode is None and chain.file.meta.acl is not None:
            return stat_of(chain, visit.space, visit.user_id)  # no mode was asked for to replace the ACL
        return await set_mode(self._context, visit, chain, mode_for(type_, options))

    def new_meta(
        self,
        visit: Visit,
        directory: Chain,
        name: str,
        type_: FileType,
        options: CreateOptions,
        now_s: float,
    ) -> Meta:
        """Return what a new file of this caller is. Raises: Posix(EINVAL, E2BIG) for a wrong ACL."""
        is_directory = type_ is FileType.DIR
        link = options.symlink_target if type_ is FileType.SYMLNK else None
        provider_id = self._context.access.provider_id
        mode = mode_for(type_, options)
        acl = options.copied_acl or inherited(directory.file.meta.acl, is_directory=is_directory)
        if options.acl is not None:
            acl = accepted(visit.space, options.acl, is_directory=is_directory)
        return Meta(name, type_, mode, visit.user_id, provider_id, int(now_s), link, acl=acl)


def mode_for(type_: FileType, options: CreateOptions) -> int:
    """Return the mode asked for, or the default of the type; links always allow everything."""
    if options.mode is None or type_ is FileType.SYMLNK:
        return DEFAULT_MODES[type_]
    return options.mode


def check_link_text(text: str | None) -> None:
    """Raise Posix(EINVAL, ENAMETOOLONG) for what no symbolic link can say."""
    try:
        raw = (text or "").encode()
    except UnicodeEncodeError:
        raise Posix(Errno.EINVAL, "the link is no valid Unicode text") from None
    if not raw or b"\0" in raw:
        raise Posix(Errno.EINVAL, "a symbolic link needs a target")
    if len(raw) > MAX_PATH_B:
        raise Posix(Errno.ENAMETOOLONG, "a link may have up to 4096 bytes")
