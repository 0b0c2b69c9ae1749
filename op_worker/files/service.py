"""The one service behind every door: files of spaces, as one caller may see and change them.

Every method takes the caller first and raises only ``onedata.errors``: what concerns files is
``Posix`` with an errno, a caller outside the space gets ``Forbidden``, a space that we do not support
gives ``SpaceNotSupportedBy``, and ``ServiceUnavailable`` asks to try again later. What a method has
acknowledged survives the death of any process. Nothing is half done: a method that raises has
changed nothing, unless its docstring says otherwise.

The module is long because it is the contract, told in one place; every method is one call.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Engine
from cluster_worker.persistence.lives import Lives
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.randomness import RandomBytes
from cluster_worker.runtime.services import TaskService
from cluster_worker.runtime.streams import ByteStream
from cluster_worker.tenure.sharing import ALONE, WorkSharing
from cluster_worker.tenure.tenure import owner_text
from cluster_worker.tenure.works import Works
from onedata.ids import FileGuid, SpaceId, user_root_guid
from op_worker.auth.caller import Caller
from op_worker.files.charging.charging_here import charging_here
from op_worker.files.charging.recharging import ChargeSoon, Recharging
from op_worker.files.charging.rooms import Rooms
from op_worker.files.charging.walks import ChargingWalks
from op_worker.files.committing.journal import Journal
from op_worker.files.committing.known_quotas import KnownQuotas
from op_worker.files.committing.path_locks import PathLocks
from op_worker.files.committing.staging_sweep import StagingSweep
from op_worker.files.committing.transactions import Transactions
from op_worker.files.content.access_times import AccessTimes
from op_worker.files.content.appending import Appending
from op_worker.files.content.checksums import ContentChecksums
from op_worker.files.content.copying import Copying
from op_worker.files.content.detached import DetachedTrees
from op_worker.files.content.detached_contents import DetachedContents
from op_worker.files.content.duplicating import Duplicating
from op_worker.files.content.growing import GrowingContents
from op_worker.files.content.in_place import InPlace
from op_worker.files.content.opening import Opening
from op_worker.files.content.reading import Reading
from op_worker.files.content.receiving import Receiving
from op_worker.files.content.replacing import LateChange, Replacing
from op_worker.files.content.restoring import Restoring
from op_worker.files.content.small_contents import SmallContents
from op_worker.files.content.staging import Staging
from op_worker.files.content.tree_replacing import TreeReplacing
from op_worker.files.context import FilesContext, is_user_root_of
from op_worker.files.distribution import Distribution
from op_worker.files.finding.access import Access
from op_worker.files.finding.attributes import stat_of_user_root
from op_worker.files.finding.guests import Guests
from op_worker.files.finding.lookup import Lookup
from op_worker.files.finding.space_names import SpaceNames
from op_worker.files.granting.acls import Acls
from op_worker.files.granting.explaining import Explaining
from op_worker.files.granting.holds import Holds
from op_worker.files.granting.protecting import Protecting
from op_worker.files.granting.share_sets import ShareSets
from op_worker.files.granting.sharing import Sharing
from op_worker.files.listing.listing import Listing, Start
from op_worker.files.listing.recursive import Asked, RecursiveListing
from op_worker.files.maintenance import PERIOD_S, Maintenance
from op_worker.files.metadata.attached import custom_of
from op_worker.files.metadata.attribute_changes import AttributeChanges
from op_worker.files.metadata.custom import FIELDS
from op_worker.files.metadata.metadata import Metadata
from op_worker.files.model import (
    ATTRIBUTES,
    ContentReader,
    CreateOptions,
    FileStat,
    FileType,
    Follow,
    MetadataChange,
    Now,
    Page,
    RecursivePage,
    Shown,
    Target,
)
from op_worker.files.queues.queues import make_queues
from op_worker.files.quotas.quota_administration import QuotaAdministration
from op_worker.files.removing.kept_trees import require_free_tree
from op_worker.files.removing.overdue import Overdue
from op_worker.files.removing.purges_here import purges_here
from op_worker.files.removing.purging import Purging
from op_worker.files.removing.recycling import Recycling
from op_worker.files.removing.removal import Removal
from op_worker.files.removing.removals import Removals
from op_worker.files.removing.trash import PurgeSoon, Trash
from op_worker.files.rights.permissions import NOTHING, Operation
from op_worker.files.rules.offer import Offer
from op_worker.files.settings import Settings
from op_worker.files.space_administration import SpaceAdministration
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.files.stored.digests import Digest
from op_worker.files.stored.nodes import Chain
from op_worker.files.translation import to_onedata_error, translated
from op_worker.files.tree.creation import Creation
from op_worker.files.tree.exchanging import Exchanging
from op_worker.files.tree.inodes import Inodes
from op_worker.files.tree.linking import HardLinks, Linking
from op_worker.files.tree.moving import Moving
from op_worker.files.tree.nameless import Nameless
from op_worker.files.tree.recycle_bin import RecycleBin
from op_worker.files.tree.unfinished_copies import UnfinishedCopies
from op_worker.mapping.contract import Acting, AllAsAdministrator
from op_worker.storage.registry import Storages
from op_worker.zone.directory import Zone
from op_worker.zone.records import SpaceInfo

_OFFER = Offer()
_ALL_AS_ADMINISTRATOR = AllAsAdministrator()


class FileService(TaskService):
    """Files by id and by path.

    Args:
        node_name: ours; it marks operations that we began, so that we can finish them after a crash.
        random_bytes: source of file ids and staging names, such as ``os.urandom``.
        offer: what users may wish for.
        purge_soon: lets a space's trash be emptied; without it this service does so itself.
        charge_soon: the same for files that are to be charged anew.
        sharing: which background work this node takes on.
        acting: who users are on storages.
    """

    def __init__(
        self,
        engine: Engine,
        zone: Zone,
        storages: Storages,
        *,
        clock: IReactorTime,
        wall_clock: WallClock,
        random_bytes: RandomBytes,
        node_name: str,
        offer: Offer = _OFFER,
        purge_soon: PurgeSoon | None = None,
        charge_soon: ChargeSoon | None = None,
        sharing: WorkSharing = ALONE,
        acting: Acting = _ALL_AS_ADMINISTRATOR,
    ) -> None:
        super().__init__()
        locks = PathLocks()
        lives = Lives(engine, node_name, random_bytes, clock)
        journal = Journal(engine, storages, locks, clock, wall_clock, random_bytes, lives)
        lookup = Lookup(engine, wall_clock, zone)
        access = Access(zone, storages, lookup)
        settings = Settings(engine, clock)
        rooms = Rooms(engine, KnownQuotas(engine))
        walks = ChargingWalks(engine, lookup, rooms.quotas)
        soon = charge_soon or charging_here(engine, walks, self.tasks, node_name).soon
        recharging = Recharging(engine, walks, rooms.quotas, wall_clock, soon)
        context = FilesContext(
            engine,
            storages,
            lookup,
            access,
            journal,
            Transactions(engine, journal, locks, self.tasks, clock, random_bytes, rooms.quotas),
            storages.blocking,
            wall_clock,
            random_bytes,
            settings,
            Guests(engine, access, lookup, wall_clock),
            rooms,
            recharging,
            offer,
            lives,
            Works(engine, owner_text(node_name, random_bytes), clock, sharing),
            acting,
        )
        self._access_times = AccessTimes(engine, settings, self.tasks, clock, wall_clock)
        purging = Purging(engine, storages, journal, wall_clock)
        trash = Trash(engine, storages, purging, purge_soon or purges_here(engine, purging, self.tasks).soon)
        self.trash = trash
        recycling = Recycling(context, trash)
        self._context = context
        inodes = Inodes(engine, storages)
        unfinished = UnfinishedCopies(context, trash)
        self.detached = DetachedTrees(context, trash)
        self._spaces = SpaceNames(access)
        self._listing = Listing(context)
        self._recursive = RecursiveListing(context)
        self._removal = Removal(context, trash)
        overdue = Overdue(context, self._removal)
        self._maintenance = Maintenance(
            *(storages, journal, StagingSweep(engine, storages, lives, clock), trash, recycling, overdue),
            *(inodes, unfinished, recharging, self.detached, clock),
        )
        self._sweeps = context.works.one("maintenance", self._maintenance.look_after_all, PERIOD_S)
        self._creation = Creation(context, self._removal)
        self._linking = Linking(context, self._creation)
        self._reading = Reading(context, to_onedata_error, SmallContents(), self._access_times)
        staging = Staging(context)
        receiving, opening = Receiving(context, staging), Opening(context)
        self._replacing = Replacing(context, self._creation, staging)
        self._in_place = InPlace(context, opening, receiving)
        self._appending = Appending(context, opening, self._in_place, receiving)
        self._moving = Moving(context, self._creation, self._removal)
        self.metadata = Metadata(context)
        self.queues = make_queues(
            *(context, self._reading, self._creation, self._replacing, staging),
            *(self._moving, self._removal),
        )
        self._copying = Copying(
            *(context, self._reading, self._creation, self._replacing, self.metadata, self.queues.copies)
        )
        exchanging = Exchanging(context, self._moving, self._removal)
        self.tree_replacing = TreeReplacing(context, self._copying, exchanging, unfinished)
        self._attributes = AttributeChanges(context)
        self.distribution = Distribution(context)
        self.hard_links = HardLinks(context)
        self.removals = Removals(context)
        self.recycle_bin = RecycleBin(context, self._creation, recycling)
        self.growing = GrowingContents(context, self._replacing)
        uncached = Reading(context, to_onedata_error, SmallContents(0), self._access_times)
        self.checksums = ContentChecksums(context, uncached)
        self.space_settings = SpaceAdministration(context)
        self.sharing = Sharing(context)
        self.share_sets = ShareSets(context)
        self.acls = Acls(context)
        self.protection = Protecting(context)
        self.holds = Holds(context)
        self.explanations = Explaining(context)
        self.quotas = QuotaAdministration(context)
        self.nameless = Nameless(context)
        contents = DetachedContents(context, self.detached)
        self.duplicates = Duplicating(context, uncached, self.detached, contents)
        self.restoring = Restoring(context, self._creation, self.detached, contents)

    @property
    def context(self) -> FilesContext:
        """The shared parts, for the packages that stand on the file service."""
        return self._context

    def startService(self) -> None:
        super().startService()
        self._context.lives.startService()
        self._sweeps.startService()
        self.spawn("maintenance of spaces", self._maintenance.run())
        self.spawn("access times", self._access_times.run())

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._access_times.flush()
        await self._sweeps.stopService()
        await super().stopService()
        await self._context.lives.stopService()

    async def recover(self, space_id: SpaceId) -> None:
        """Finish what lives that are over left undone in a space; done by itself, at the start and later.

        Raises: PersistenceUnavailable; StorageError.
        """
        await self._maintenance.recover(space_id)

    @translated
    async def spaces(self, caller: Caller) -> list[SpaceInfo]:
        """Return the caller's spaces by name, also those that this provider does not support."""
        return await self._context.access.spaces_of(caller)

    @translated
    async def space(self, caller: Caller, space_id: SpaceId) -> SpaceInfo:
        """Return one of the caller's spaces. Raises: Forbidden when it is not his; SpaceNotSupportedBy."""
        return await self._context.access.space_of(caller, space_id)

    @translated
    async def find_space(self, caller: Caller, name: str) -> FileGuid:
        """Return the root of the space called ``Name``, ``Name@Id`` or by its bare id.

        Of several spaces called ``Name`` the one that is supported here is meant, if it is one.

        Raises: Posix(ENOENT) when the caller has no such space; SpaceNotSupportedBy.
        """
        return await self._spaces.find(caller, name)

    @translated
    async def locate(self, caller: Caller, path: tuple[str, ...]) -> FileGuid:
        """Return the file at an absolute path whose first name is a space; ``()`` is the user root.

        Links in the middle are followed, the last one is not. ``.`` components are skipped.

        Raises: Posix(ENOENT, ENOTDIR, EACCES, ELOOP); SpaceNotSupportedBy.
        """
        names = tuple(name for name in path if name not in ("", "."))
        if not names:
            return user_root_guid((await self._context.access.user(caller)).user_id)
        root = await self._spaces.find(caller, names[0])
        return (await self._chain(caller, Target(root, names[1:]))).guid

    @translated
    async def stat(
        self, caller: Caller, target: Target, follow: Follow = Follow.NO, *, custom: bool = False
    ) -> FileStat:
        """Return what is known of a file, with its custom metadata if wanted; user roots and space roots too.

        Raises: Posix(ENOENT, ENOTDIR, EACCES); Forbidden; SpaceNotSupportedBy.
        """
        if not target.names and is_user_root_of(target.base, caller):
            user = await self._context.access.user(caller)
            return stat_of_user_root(user.user_id, self._context.access.provider_id)
        visit, chain = await self._context.chain(caller, target, follow, FIELDS if custom else ())
        await visit.require(chain, NOTHING)
        return visit.stat(chain, await custom_of(self._context, visit, chain) if custom else None)

    @translated
    async def list_children(
        self,
        caller: Caller,
        target: Target,
        *,
        limit: int,
        token: str | None = None,
        index: str | None = None,
        offset: int = 0,
        inclusive: bool = True,
        shown: Shown = ATTRIBUTES,
    ) -> Page[FileStat]:
        """Return a page of a directory in name order (bytes); a file is its own sole child.

        ``token`` continues after an earlier page of the same directory and overrides the rest. ``index``
        is a name to start at (or right after it, when not ``inclusive``), ``offset`` moves the start by
        that many entries. Seeing more than names needs the permission to traverse the directory, too.

        Raises: Posix(EINVAL) for a token of another directory, or a negative offset without index;
        Posix(EACCES, ENOENT).
        """
        start = Start(token, index, offset, inclusive)
        return await self._listing.page(caller, target, limit, start, shown)

    @translated
    async def count_children(self, caller: Caller, target: Target) -> int:
        """Return how many entries a directory has. Raises: Posix(ENOTDIR, EACCES, ENOENT)."""
        return await self._listing.count(caller, target)

    @translated
    async def children_slice(self, caller: Caller, target: Target, first: int, last: int) -> list[FileStat]:
        """Return the children at positions ``first`` to ``last``, both included, in name order."""
        return await self._listing.slice(caller, target, first, last)

    @translated
    async def list_recursive(
        self,
        caller: Caller,
        target: Target,
        *,
        limit: int,
        token: str | None = None,
        start_after: str | None = None,
        prefix: str | None = None,
        glob: str | None = None,
        include_directories: bool = False,
        shown: Shown = ATTRIBUTES,
    ) -> RecursivePage:
        """Return files below a directory in order of their relative paths; links are not followed.

        Paths are compared component by component. Only those are shown that begin with ``prefix`` and
        match ``glob``: ``*``, ``?`` and ``[a-z]`` inside a component, ``**`` alone for any number of
        components. ``limit`` bounds items and inaccessible paths together; a page may hold fewer, or none,
        when much was looked at that was not asked for. A file is its own sole item, at ``"."``. ``token``
        continues after an earlier page of the same directory, prefix and glob; ``start_after`` is a path
        to start after.

        Raises: Posix(EINVAL) for a token of another listing; BadData for a bad pattern;
        Posix(EACCES, ENOENT).
        """
        asked = Asked(prefix or "", glob, include_directories, shown)
        return await self._recursive.page(caller, target, limit, token, start_after, asked)

    @translated
    async def create_file(self, caller: Caller, target: Target, options: CreateOptions) -> FileStat:
        """Make an empty regular file.

        Raises: Posix(EEXIST, ENOENT, ENOTDIR, EACCES, EINVAL, ENAMETOOLONG, EPERM for reserved names).
        """
        return await self._creation.create(caller, target, FileType.REG, options)

    @translated
    async def create_directory(self, caller: Caller, target: Target, options: CreateOptions) -> FileStat:
        """Make a directory. Raises as ``create_file``."""
        return await self._creation.create(caller, target, FileType.DIR, options)

    @translated
    async def create_symlink(self, caller: Caller, target: Target, options: CreateOptions) -> FileStat:
        """Make a symbolic link to ``options.symlink_target``, any text of 1 to 4096 bytes."""
        return await self._creation.create(caller, target, FileType.SYMLNK, options)

    @translated
    async def create_link(
        self, caller: Caller, target: Target, original: FileGuid, options: CreateOptions
    ) -> FileStat:
        """Give a regular file or a symbolic link a further name; all names are equal from then on.

        Needs the way to ``original`` and adding to the directory. Of ``options`` only ``create_parents``
        counts.

        Raises: Posix(EPERM) for directories; Posix(EMLINK) beyond 1000 names; Posix(EXDEV) across spaces;
            Posix(EEXIST, ENOENT, ENOTDIR, EACCES), as ``create_file``.
        """
        return await self._linking.link(caller, target, original, options)

    @translated
    async def open_content(
        self, caller: Caller, target: Target, follow: Follow = Follow.YES, *, custom: bool = False
    ) -> ContentReader:
        """Open a regular file for reading; with ``custom`` its stat holds its custom metadata.

        Raises: Posix(EISDIR, ENOENT, EACCES, ELOOP); Posix(EINVAL) on a link that is not followed.
        """
        return await self._reading.open(caller, target, follow, custom=custom)

    @translated
    async def require_readable(self, caller: Caller, target: Target) -> None:
        """Return when the caller may read a file's content, without a look at the storage.

        Raises: Posix(EACCES, ENOENT...).
        """
        visit, chain = await self._context.chain(caller, target)
        await visit.require(chain, Operation.READ_OBJECT)

    @translated
    async def require_writable(self, caller: Caller, target: Target) -> None:
        """Return when the caller may write a file's content, or make the file, before a body is received.

        Raises: as ``replace_content``.
        """
        await self._replacing.require(caller, target)

    @translated
    async def replace_content(
        self,
        caller: Caller,
        target: Target,
        body: ByteStream,
        *,
        expected_b: int | None,
        create: CreateOptions | None = None,
        metadata: MetadataChange | LateChange | None = None,
        digests: Sequence[Digest] = (),
        condition: ContentCondition = NO_CONDITION,
    ) -> tuple[FileStat, bool]:
        """Replace the whole content, or with ``create`` make the file together with its content.

        Readers see the old or the new content, never a mixture. The SHA-256 is kept. The result tells
        whether the file was created. ``expected_b`` is the announced length, ``None`` when unknown.
        An existing file keeps its mode and owner (``create.existing`` REFUSE: Posix(EEXIST)). The body
        must agree with ``digests``; ``condition`` holds of what the commit replaces. ``metadata`` may be a
        call that gives them when the body came; what they need is then asked before the commit only.

        Raises: Posix(ENOSPC, EISDIR, EACCES, ENOENT...); StreamBroken when the body broke off;
        ChecksumMismatch; PreconditionNotMet.
        """
        return await self._replacing.replace(
            caller, target, body, expected_b, create, metadata, digests, condition
        )

    @translated
    async def write_content(
        self,
        caller: Caller,
        target: Target,
        offset_b: int,
        body: ByteStream,
        *,
        expected_b: int | None,
        digests: Sequence[Digest] = (),
        condition: ContentCondition = NO_CONDITION,
    ) -> FileStat:
        """Write in place from ``offset_b``; a gap before it reads as zeros.

        When the body breaks off, size and blocks stay as they were (bytes already overwritten inside
        the file may be new, and the content counts as another version). With ``digests`` nothing is
        overwritten before the whole body came and agrees. Of writers with the same ``condition`` on the
        content one gets through.

        Raises: Posix(ENOSPC, EISDIR, EACCES, EFBIG, ENOENT...); StreamBroken; ChecksumMismatch;
        PreconditionNotMet.
        """
        return await self._in_place.write(caller, target, offset_b, body, expected_b, digests, condition)

    @translated
    async def append_content(
        self,
        caller: Caller,
        target: Target,
        body: ByteStream,
        *,
        expected_b: int | None,
        digests: Sequence[Digest] = (),
        condition: ContentCondition = NO_CONDITION,
    ) -> FileStat:
        """Add a body at the end, in one piece, whoever else appends at the same time.

        A crash in the middle leaves a hole of zeros at most. When the file is cut meanwhile: Posix(EAGAIN),
        and nothing was added.

        Raises: as ``write_content``.
        """
        return await self._appending.append(caller, target, body, expected_b, digests, condition)

    @translated
    async def truncate(
        self, caller: Caller, target: Target, size_b: int, condition: ContentCondition = NO_CONDITION
    ) -> FileStat:
        """Cut, or extend with zeros.

        Raises: Posix(EISDIR, EACCES, EINVAL, EFBIG); PreconditionNotMet.
        """
        return await self._in_place.truncate(caller, target, size_b, condition)

    @translated
    async def move(
        self,
        caller: Caller,
        source: Target,
        target: Target,
        metadata: MetadataChange | None = None,
        condition: ContentCondition = NO_CONDITION,
    ) -> tuple[FileStat, bool]:
        """Move or rename; an existing file is replaced, an empty directory by a directory.

        Atomic inside a space, also for directories of any size, and with ``metadata``. Between spaces:
        copied, then removed. ``condition`` holds of what is replaced. The result tells whether something was.

        Raises: Posix(EINVAL) into itself; Posix(ENOTEMPTY, EISDIR, ENOTDIR, EACCES, EPERM for roots).
        """
        if source.base.space_id == target.base.space_id:
            return await self._moving.move(caller, source, target, metadata, condition)
        return await self._move_between_spaces(caller, source, target, metadata, condition)

    @translated
    async def copy(
        self,
        caller: Caller,
        source: Target,
        target: Target,
        metadata: MetadataChange | None = None,
        condition: ContentCondition = NO_CONDITION,
    ) -> tuple[FileStat, bool]:
        """Copy content, modes and custom metadata; directories with all they hold, links as links.

        Each file appears whole. A directory copy that fails half-way leaves what was copied so far.
        ``metadata`` is applied to the top of the copy, ``condition`` holds of what is replaced. The result
        tells whether something was.

        Raises: as ``replace_content``; Posix(EEXIST) when a directory is in the way; Posix(EINVAL);
        Posix(EBUSY) for a snapshot that is not complete.
        """
        return await self._copying.copy(caller, source, target, metadata, condition)

    @translated
    async def remove(
        self, caller: Caller, target: Target, condition: ContentCondition = NO_CONDITION
    ) -> None:
        """Remove a file, a link, or a directory with all it holds, in one step.

        In a space with ``recycle_days`` it goes into the recycle bin, unless it was but one of several
        names of a file. ``condition`` holds at the commit.

        Raises: Posix(EPERM) for roots; Posix(ENOENT, EACCES); PreconditionNotMet.
        """
        await self._removal.remove(caller, target, condition)

    @translated
    async def discard(self, caller: Caller, target: Target) -> None:
        """Remove past the recycle bin: what was made a moment ago and failed. Raises: as ``remove``."""
        await self._removal.discard(caller, target)

    @translated
    async def remove_empty(self, caller: Caller, target: Target) -> None:
        """Remove a file, a link or an empty directory for good, past the recycle bin.

        Raises: Posix(ENOTEMPTY), as ``remove``.
        """
        await self._removal.remove_empty(caller, target)

    @translated
    async def set_mode(self, caller: Caller, target: Target, mode: int) -> FileStat:
        """Set permission bits (0 to 0o1777); an access control list is removed.

        Raises: Posix(EACCES) unless owner, or without WRITE_ACL when a list decides; Posix(EPERM) for roots.
        """
        return await self._attributes.set_mode(caller, target, mode)

    @translated
    async def set_times(
        self, caller: Caller, target: Target, atime_s: float | Now | None, mtime_s: float | Now | None
    ) -> FileStat:
        """Set times, in seconds since the epoch; ``None`` keeps. Who may write may set ``NOW``.

        Raises: Posix(EACCES); Posix(EINVAL) for what is no number or too large.
        """
        return await self._attributes.set_times(caller, target, atime_s, mtime_s)

    async def _chain(self, caller: Caller, target: Target) -> Chain:
        visit, chain = await self._context.chain(caller, target)
        await visit.require(chain, NOTHING)
        return chain

    async def _move_between_spaces(
        self,
        caller: Caller,
        source: Target,
        target: Target,
        metadata: MetadataChange | None,
        condition: ContentCondition,
    ) -> tuple[FileStat, bool]:
        visit, chain = await self._context.chain(caller, source)
        await self._removal.require_removable(visit, chain)
        if chain.file.is_directory:
            await require_free_tree(self._context, visit, chain)
        result = await self._copying.copy(caller, source, target, metadata, condition)
        await self._removal.discard(caller, Target(chain.guid))
        return result
