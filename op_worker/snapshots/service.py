"""Snapshots of directories, for every door: taken, looked at, removed."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve
from twisted.internet.defer import TimeoutError as WaitedTooLong
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import (
    ABSENT,
    Delete,
    Key,
    PreconditionFailed,
    Put,
    Scope,
    Step,
    Unlink,
)
from cluster_worker.runtime.services import TaskService
from onedata.errors import Errno, Posix
from onedata.ids import SpaceId, trash_uuid
from op_worker.auth.caller import Caller
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileStat, FileType, Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.rights.protection import Protection
from op_worker.files.service import FileService
from op_worker.files.stored import batches, stand_ins
from op_worker.files.stored.documents import EntryValue
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.stand_ins import TAKING
from op_worker.files.translation import translated
from op_worker.snapshots.job import Job, Shown, into_trash
from op_worker.snapshots.places import TO_REMOVE, TO_TAKE, Places
from op_worker.snapshots.records import (
    COMPLETE,
    DIRECTORY,
    Status,
    Taking,
    check_snapshot_name,
    status_of,
)
from op_worker.snapshots.tree_copy import TreeCopy
from op_worker.snapshots.watching import Watched, Watching

PATIENCE_S = 3.0
"""How long a request waits for its snapshot before it is told to look again later."""
MOST_NAMES = 1000
"""How many snapshots of a directory are told."""


class Snapshots(TaskService):
    """Takes snapshots and owns the work on them.

    Args:
        patience_s: how long ``take`` waits before the work goes on behind.
        watching: lets other nodes take over what this one leaves; without it, that is given up.
    """

    def __init__(
        self,
        files: FileService,
        *,
        clock: IReactorTime,
        patience_s: float = PATIENCE_S,
        watching: Watching | None = None,
    ) -> None:
        super().__init__()
        self._watching = watching
        self._context, self._trees, self._duplicates = files.context, files.detached, files.duplicates
        self._places = Places(files.context)
        self._clock, self._patience_s = clock, patience_s

    @translated
    async def take(self, caller: Caller, target: Target, name: str) -> bool:
        """Take a snapshot of a directory under a name; one of that name is replaced when it is complete.

        Returns whether it is complete; else the work goes on, and ``status`` tells about it. What the
        snapshot holds has the owners, modes and lists of the originals, so the caller needs no rights in
        the tree.

        Raises: BadData of ``snapshot`` for what is no name; Posix(ENOTDIR, EACCES, EPERM, ENOENT); Posix(
            EEXIST) when the directory of snapshots cannot be made; what the work ended with, in time.
        """
        check_snapshot_name(name)

        async def attempt() -> tuple[Job, Taking | None]:
            visit, container = await self._context.chain(caller, target)
            if not container.file.is_directory or container.file.meta.is_queue:
                raise Posix(Errno.ENOTDIR)
            await visit.require(container, TO_TAKE)
            place = await self._places.made(visit, container)
            present = await self._places.child(place, name)
            before = None if present is None else await self._taking(visit.space_id, present.file.key)
            job = await self._begin(visit, container, place, name, present, before)
            return job, None if before is None else before[0]

        job, before = await self._context.transactions.retrying(target.base.space_id, attempt)
        await self._run(job, before)
        try:
            error = await job.ended.addTimeout(self._patience_s, self._clock)
        except WaitedTooLong:
            return False
        if error is not None:
            await self._withdraw(job)
            raise error
        return True

    async def is_over(self, space_id: SpaceId, watched: Watched) -> bool:
        """Whether a tree is not to be watched any more: it is complete, failed, or not wanted.

        One that is wanted and that nobody makes is given up; a copy is begun anew by this node, which others
        watch in turn.

        Raises: what the file service raises.
        """
        found = await self._taking(space_id, watched.shown)
        if found is None or found[0].tree != watched.tree or found[0].error:
            return True
        if await self._trees.is_alive(space_id, watched.tree):
            return False
        visit = await self._context.access.as_space_owner(space_id)
        if visit is None:
            return False  # the zone is away, or has taken the space from us
        return await self._begin_anew(visit, watched)

    async def _begin_anew(self, visit: Visit, watched: Watched) -> bool:
        """Begin a copy again that its node has left; ``False`` when that was changed meanwhile."""
        try:
            chain = await self._context.lookup.by_id(visit.space_id, watched.shown)
        except Posix as error:
            if error.errno is Errno.ENOENT:
                return True  # it was removed, or a directory above
            raise
        found = await self._taking(visit.space_id, watched.shown)
        if found is None or found[0].tree != watched.tree or found[0].error:
            return True
        try:
            job = await self._begin(visit, chain.above.above, chain.above, chain.file.name, chain, found)
        except PreconditionFailed:
            return False
        await self._run(job, found[0])
        return True

    async def _run(self, job: Job, before: Taking | None) -> None:
        if self._watching is not None:
            self._watching.look_soon(job.visit.space_id)
        if before is not None:
            await self._trees.discard(job.visit.space_id, before.tree)
        self.spawn("snapshot", job.run())

    @translated
    async def status(self, stat: FileStat) -> Status:
        """Return how far a snapshot is; anything else is complete."""
        if not self.is_snapshot(stat):
            return COMPLETE
        taking = await self._taking(stat.guid.space_id, Key(stat.guid.uuid))
        is_made = taking is not None and await self._trees.is_alive(stat.guid.space_id, taking[0].tree)
        return status_of(None if taking is None else taking[0], is_made=is_made)

    @staticmethod
    def is_snapshot(stat: FileStat) -> bool:
        """Whether this is the top of a snapshot, or stands for one."""
        is_frozen = bool(stat.protection & Protection.SNAPSHOTS)
        return is_frozen and len(stat.path) > 1 and stat.path[-2] == DIRECTORY

    @translated
    async def names(self, caller: Caller, stat: FileStat) -> list[str]:
        """Return the first ``MOST_NAMES`` snapshots of a directory; none to whom may not list them."""
        engine, scope = self._context.engine, Scope(stat.guid.space_id)
        if await engine.lookup(scope, Key(stat.guid.uuid), DIRECTORY.encode()) is None:
            return []
        visit, container = await self._context.chain(caller, Target(stat.guid))
        place = await self._places.of(container)
        if place is None or not visit.may(place, Operation.LIST_CONTAINER | Operation.TRAVERSE):
            return []
        found = await engine.page(scope, place.file.key, None, MOST_NAMES, ())
        return [item.entry.name.decode() for item in found]

    @translated
    async def remove(self, caller: Caller, target: Target) -> None:
        """Remove a snapshot, or stop to take it. Needs to remove children of the directory that it is of.

        Raises: Posix(EPERM) for anything but a snapshot; Posix(EACCES, ENOENT).
        """

        async def attempt() -> Taking | None:
            visit, chain = await self._context.chain(caller, target)
            if len(chain.nodes) < 3 or not chain.parent.holds_snapshots:
                raise Posix(Errno.EPERM, "this is no snapshot")
            await visit.require(chain.above.above, TO_REMOVE)
            taking = await self._taking(visit.space_id, chain.file.key)
            steps = [] if taking is None else [Delete(chain.file.key, TAKING, expect=taking[1])]
            await self._commit_removal(visit, chain, steps)
            return None if taking is None else taking[0]

        taking = await self._context.transactions.retrying(target.base.space_id, attempt)
        if taking is not None:
            await self._trees.discard(target.base.space_id, taking.tree)

    async def _begin(
        self,
        visit: Visit,
        container: Chain,
        place: Chain,
        name: str,
        present: Chain | None,
        before: tuple[Taking, int] | None,
    ) -> Job:
        """Commit that a snapshot is being taken, in the place of one that is ``present`` if it is as read.

        Raises: PreconditionFailed.
        """
        top = await self._duplicates.top(container, name)
        taking = Taking(top.key, is_watched=self._watching is not None)
        steps: list[Step] = []
        is_new = present is None
        if present is None:
            present, steps = self._stand_in(place, name, top.meta)
        revision = ABSENT if before is None else before[1]
        steps.append(Put(present.file.key, TAKING, taking.encode(), expect=revision))
        if self._watching is not None:
            steps.extend(self._watching.steps(visit.space_id, Watched(present.file.key, top.key)))
        announce = [present.file.key, place.file.key]
        tree = await self._trees.begin(visit, place, top, steps, announce)
        copy = TreeCopy(self._context.engine, self._duplicates, tree)
        shown = Shown(present, taking, revision + 1, is_new=is_new)
        return Job(self._context, self._trees, self._clock, self._duplicates, copy, container, tree, shown)

    def _stand_in(self, place: Chain, name: str, meta: Meta) -> tuple[Chain, list[Step]]:
        """Return an empty directory that stands for a snapshot until it is complete, and how it is made."""
        context = self._context
        key, now_s = context.new_key(), context.wall_clock()
        meta = evolve(meta, mode=stand_ins.MODE, acl=None, has_metadata=False)
        documents = batches.first_documents(meta, place.file.key, None, now_s)
        value = EntryValue(key, FileType.DIR).encode()
        steps = batches.create(place, key, name.encode(), value, documents, now_s)
        return place.child(Node(key, name, {}).written(documents)), steps

    async def _withdraw(self, job: Job) -> None:
        """Let things look as before a snapshot that failed at once."""
        shown = job.shown
        space_id = shown.chain.space_id

        async def attempt() -> None:
            found = await self._taking(space_id, shown.key)
            if found is None or found[0].tree != shown.taking.tree:
                return
            steps: list[Step] = [Delete(shown.key, TAKING, expect=found[1])]
            if shown.is_new:
                await self._commit_removal(job.visit, shown.chain, steps)
            else:
                await self._context.transactions.commit(space_id, steps, [shown.key])

        await self._context.transactions.retrying(space_id, attempt)

    async def _commit_removal(self, visit: Visit, chain: Chain, also: Sequence[Step]) -> None:
        file, place = chain.file, chain.parent
        trash = Key(trash_uuid(visit.space_id))
        steps: list[Step] = [
            Unlink(place.key, file.name.encode(), file.entry_value),
            *into_trash(visit, chain, trash, self._context.wall_clock()),
            *also,
        ]
        await self._context.transactions.commit(visit.space_id, steps, [file.key, place.key])
        self._trees.purge_soon(visit.space_id)

    async def _taking(self, space_id: SpaceId, key: Key) -> tuple[Taking, int] | None:
        """Return what a directory that shows a snapshot says of its being taken, with the revision."""
        found = (await self._context.engine.get(Scope(space_id), key, [TAKING])).get(TAKING)
        return None if found is None else (Taking.decode(found.data), found.revision)
