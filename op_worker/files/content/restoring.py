"""Making trees of descriptions: out of sight, with their own ids where these are free, seen when whole."""

from __future__ import annotations

import re
from collections.abc import Coroutine, Sequence
from typing import Any

from attrs import evolve, frozen

from cluster_worker.persistence.engine import ABSENT, Check, Key, Link, PreconditionFailed, Put, Scope, Step
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import Errno, Posix, ServiceUnavailable
from onedata.ids import FileGuid, SpaceId
from op_worker.auth.caller import Caller
from op_worker.files.content.detached import DetachedTree, DetachedTrees, TreeLost
from op_worker.files.content.detached_contents import DetachedContents
from op_worker.files.content.staging import SMALL_B, Chunks
from op_worker.files.context import FilesContext
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.acl_changes import accepted
from op_worker.files.metadata.custom import custom_steps
from op_worker.files.metadata.metadata_checks import checked
from op_worker.files.model import CreateOptions, FileStat, FileType, MetadataChange, Target
from op_worker.files.stored import batches
from op_worker.files.stored.detached import NewFile
from op_worker.files.stored.documents import META, PARENT, SHOWN, Times, encode_parent
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.paths import MAX_PATH_B, check_name
from op_worker.files.stored.queues import Numbering
from op_worker.files.translation import translated
from op_worker.files.tree.creation import DEFAULT_MODES, Creation
from op_worker.storage.helper import StoragePath

_NO_CHANGE = MetadataChange()
_PLAIN_ID = re.compile(r"[0-9a-f]{32}")


@frozen(kw_only=True)
class Kept:
    """What only an owner of the space may restore: who owns a file, and its times in seconds."""

    owner: str
    created_s: float
    atime_s: float
    mtime_s: float


@frozen(kw_only=True)
class Description:
    """A file to be made.

    Attributes:
        guid: the id that it had; it gets it again if nothing has it, and if it was in the same space.
        metadata: custom metadata and the list, if any.
        numbers: of a queue, which is a directory: those that its values will have.
    """

    name: str
    type: FileType
    guid: FileGuid | None = None
    metadata: MetadataChange = _NO_CHANGE
    kept: Kept | None = None
    numbers: range | None = None


@frozen(eq=False)
class Made:
    """A file in a tree that is being made; ``path_b`` is how long its path below the space root will be."""

    file: NewFile
    path_b: int


@frozen(eq=False)
class Restoring:
    """Makes trees of descriptions. Raises what ``FileService`` raises; Posix(EAGAIN) for a lost tree."""

    _context: FilesContext
    _creation: Creation
    _trees: DetachedTrees
    _contents: DetachedContents

    @translated
    async def is_free(self, guid: FileGuid) -> bool:
        """Whether a file of a space that we support can get this id."""
        return self._context.access.is_supported(guid.space_id) and await self._is_free(guid)

    @translated
    async def check(self, caller: Caller, space_id: SpaceId, item: Description) -> None:
        """Return when a description can be made, as far as that does not depend on where.

        Raises: Posix(EINVAL, ENAMETOOLONG, E2BIG, EPERM), BadData for names, metadata and lists that cannot
            be; Forbidden.
        """
        check_name(item.name)
        visit = await self._context.access.enter(caller, space_id)
        change = await self._checked(item)
        if isinstance(change.acl, tuple):
            accepted(visit.space, change.acl, is_directory=item.type is FileType.DIR)

    @translated
    async def begin(self, caller: Caller, target: Target, top: Description) -> tuple[DetachedTree, Made]:
        """Begin a tree that will appear at ``target``, whose name counts instead of the description's.

        Raises: Posix(EEXIST, ENOENT, ENOTDIR, EACCES...) as making a file; as ``add``.
        """
        visit, directory, name = await self._place(
            caller, target, _added(top.type, is_queue=top.numbers is not None)
        )
        change = await self._checked(top)
        options = CreateOptions(acl=change.acl if isinstance(change.acl, tuple) else None)
        now_s = self._context.wall_clock()
        meta = self._creation.new_meta(visit, directory, name, top.type, options, now_s)
        meta = evolve(meta, is_queue=top.numbers is not None)
        wanted = await self._key(top.guid, visit.space_id) if target.uuid is None else Key(target.uuid)
        new = await self._new(visit, top, change, meta, None, wanted)
        try:
            tree = await self._trees.begin(visit, directory, new)
        except PreconditionFailed:
            raise ServiceUnavailable() from None
        return tree, Made(new, _length(directory.names, name))

    @translated
    async def add_directory(self, tree: DetachedTree, parent: Made, item: Description) -> Made:
        """Add a directory to one in the tree.

        Raises: Posix(EINVAL, ENAMETOOLONG, E2BIG, EPERM), BadData for names, metadata and lists that cannot
            be; Posix(EEXIST) when the name is taken in that directory; Posix(ENOSPC, EDQUOT).
        """
        made = await self._child(tree, parent, item)
        await self._add(tree, made.file)
        return made

    @translated
    async def add_file(self, tree: DetachedTree, parent: Made, item: Description, body: ByteStream) -> None:
        """Add a regular file with its content. Raises: as ``add_directory``; what reading ``body`` raises."""
        new = (await self._child(tree, parent, item)).file
        chunks = Chunks(body, None)
        first = await chunks.next(SMALL_B + 1)
        if len(first) <= SMALL_B:
            await self._add(tree, self._contents.filled(new, first))
            await self._written(self._contents.write_small(tree, new, first))
        else:
            await self._add(tree, new)
            await self._written(self._contents.write(tree, new, _Continued(first, body)))

    @translated
    async def fill_top(self, tree: DetachedTree, body: ByteStream) -> None:
        """Give the top of a tree, which is a regular file, its content."""
        await self._written(self._contents.write(tree, tree.top, body))

    @translated
    async def finish(self, caller: Caller, tree: DetachedTree, target: Target) -> FileStat:
        """Let the tree appear, as a whole. Raises: as ``begin``."""

        async def attempt() -> FileStat:
            visit, directory, name = await self._place(
                caller, target, _added(tree.top.meta.type, is_queue=tree.top.meta.is_queue)
            )
            now_s = self._context.wall_clock()
            path = StoragePath(f"{directory.storage_path}/{name}")
            steps: list[Step] = [
                *batches.steady(directory),
                Link(directory.file.key, name.encode(), tree.top.entry_value),
                Check(INTENTS, path, ABSENT),
                batches.touch(directory.file, now_s),
            ]
            documents = await self._context.engine.get(visit.scope, tree.key, SHOWN)
            await self._trees.attach(tree, directory.file.key, steps, [])
            found = Node(tree.key, name, documents).written({PARENT: encode_parent(directory.file.key)})
            return stat_of(directory.child(found), visit.space, visit.user_id)

        try:
            return await self._context.transactions.retrying(tree.space_id, attempt)
        except TreeLost:
            raise _lost() from None

    @translated
    async def give_up(self, tree: DetachedTree) -> None:
        """Leave nothing of a tree that did not come to its end."""
        await self._trees.discard(tree.space_id, tree.key)

    async def _place(self, caller: Caller, target: Target, type_: FileType) -> tuple[Visit, Chain, str]:
        visit, found = await self._creation.find(caller, target, CreateOptions())
        if not found.missing:
            visit.require_passage(found.chain)
            raise Posix(Errno.EEXIST)
        directory = await self._creation.directory_for(visit, found, CreateOptions())
        name = found.missing[-1].decode()
        await self._creation.require_adding(visit, directory, name, type_)
        return visit, directory, name

    async def _child(self, tree: DetachedTree, parent: Made, item: Description) -> Made:
        raw = check_name(item.name)
        path_b = parent.path_b + len(raw) + 1
        if path_b > MAX_PATH_B:
            raise Posix(Errno.ENAMETOOLONG, "a path may have up to 4096 bytes")
        change, visit = await self._checked(item), tree.visit
        is_directory = item.type is FileType.DIR
        acl = change.acl
        meta = Meta(
            item.name,
            item.type,
            DEFAULT_MODES[item.type],
            visit.user_id,
            self._context.access.provider_id,
            int(self._context.wall_clock()),
            acl=accepted(visit.space, acl, is_directory=is_directory) if isinstance(acl, tuple) else None,
            is_queue=item.numbers is not None,
        )
        key = await self._key(item.guid, visit.space_id)
        return Made(await self._new(visit, item, change, meta, parent.file.key, key), path_b)

    async def _new(
        self,
        visit: Visit,
        item: Description,
        change: MetadataChange,
        meta: Meta,
        parent: Key | None,
        key: Key,
    ) -> NewFile:
        times = Times.at(self._context.wall_clock())
        if item.kept is not None and visit.subject.is_space_owner:
            meta, times = _with_kept(meta, times, item.kept)
        steps = custom_steps(key, {}, change).steps
        return NewFile(
            key=key,
            parent=parent,
            meta=meta,
            times=times,
            custom={step.field: step.data for step in steps if isinstance(step, Put)},
            location=await self._contents.new_location(visit, key) if item.type is FileType.REG else None,
            numbering=None if item.numbers is None else Numbering(item.numbers.stop).encode(),
        )

    async def _key(self, guid: FileGuid | None, space_id: SpaceId) -> Key:
        """Return the key that a file had, when nothing in its space has it now; else a new one."""
        if guid is None or guid.space_id != space_id or not await self._is_free(guid):
            return self._context.new_key()
        return Key(guid.uuid)

    async def _is_free(self, guid: FileGuid) -> bool:
        if guid.share_id is not None or _PLAIN_ID.fullmatch(guid.uuid) is None:
            return False
        return not await self._context.engine.get(Scope(guid.space_id), Key(guid.uuid), [META])

    async def _checked(self, item: Description) -> MetadataChange:
        return await checked(self._context.blocking, item.metadata)

    async def _add(self, tree: DetachedTree, new: NewFile) -> None:
        try:
            await self._written(self._trees.add(tree, [new]))
        except ServiceUnavailable:
            if await self._context.engine.lookup(tree.scope, new.parent or tree.key, new.meta.name.encode()):
                raise Posix(Errno.EEXIST, "two children have one name") from None
            raise

    async def _written(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except TreeLost:
            raise _lost() from None


class _Continued:
    """A body that was begun to be read."""

    def __init__(self, first: bytes, rest: ByteStream) -> None:
        self._first, self._rest = first, rest

    async def read(self) -> bytes:
        """Return the next piece."""
        first, self._first = self._first, b""
        return first or await self._rest.read()


def _added(type_: FileType, *, is_queue: bool) -> FileType:
    """Return what must be added to the directory: who may add a data object may add a queue."""
    return FileType.REG if is_queue else type_


def _length(names: Sequence[str], name: str) -> int:
    return sum(len(one.encode()) + 1 for one in (*names, name))


def _with_kept(meta: Meta, times: Times, kept: Kept) -> tuple[Meta, Times]:
    atime_ms, mtime_ms = int(kept.atime_s * 1000), int(kept.mtime_s * 1000)
    meta = evolve(meta, owner=kept.owner or meta.owner, created_s=int(kept.created_s))
    return meta, evolve(times, atime_ms=atime_ms, mtime_ms=mtime_ms)


def _lost() -> Posix:
    return Posix(Errno.EAGAIN, "what was made so far was given up; try again")
