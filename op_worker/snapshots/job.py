"""One snapshot being made: copied out of sight, shown as it goes on, and put in its place at the end."""

from __future__ import annotations

from attrs import define, evolve, field
from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import (
    Delete,
    Key,
    Link,
    PersistenceError,
    PreconditionFailed,
    Put,
    Step,
    Unlink,
)
from cluster_worker.runtime.clock import sleep
from onedata.errors import Errno, OnedataError, Posix, ServiceUnavailable
from onedata.ids import trash_uuid
from op_worker.files.content.detached import DetachedTree, DetachedTrees, TreeLost
from op_worker.files.content.duplicating import Duplicating
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.removing.removals import Removing
from op_worker.files.stored import batches
from op_worker.files.stored.documents import PARENT, encode_parent
from op_worker.files.stored.nodes import Chain
from op_worker.files.stored.stand_ins import TAKING
from op_worker.files.translation import to_onedata_error
from op_worker.snapshots.catching_up import CatchingUp
from op_worker.snapshots.changes import TreeChanges
from op_worker.snapshots.records import INTERRUPTED, Taking
from op_worker.snapshots.tree_copy import TreeCopy
from op_worker.storage.helper import StorageError

TELL_S = 2.0
"""How often it is told how far a snapshot is."""


@define(eq=False)
class Shown:
    """The directory that stands where the snapshot will be: a new empty one, or the snapshot before it.

    Attributes:
        revision: of its document ``TAKING``.
        is_new: whether it was made for this snapshot.
    """

    chain: Chain
    taking: Taking
    revision: int
    is_new: bool

    @property
    def key(self) -> Key:
        return self.chain.file.key

    @property
    def place(self) -> Chain:
        """The directory of snapshots."""
        return self.chain.above


@define(eq=False)
class Job:
    """One snapshot. ``ended`` fires with ``None`` when it is complete, or with what it came to nothing by."""

    _context: FilesContext
    _trees: DetachedTrees
    _clock: IReactorTime
    _duplicates: Duplicating
    _copy: TreeCopy
    _source: Chain
    _tree: DetachedTree
    shown: Shown
    ended: Deferred[OnedataError | None] = field(factory=Deferred)
    _lock: DeferredLock = field(factory=DeferredLock, init=False)
    _log = Logger()

    @property
    def visit(self) -> Visit:
        """Who takes it, in which space."""
        return self._tree.visit

    async def run(self) -> None:
        """Make the snapshot to its end, telling how far it is.

        When stopped it counts as interrupted, unless it is watched: then another node begins it anew.
        """
        telling = Deferred.fromCoroutine(self._tell_for_ever())
        telling.addErrback(lambda _: None)
        try:
            await self._copy_all()
            await self._lock.run(lambda: Deferred.fromCoroutine(self._finish()))
        except CancelledError:
            await self._interrupted()
            raise
        except TreeLost:
            await self._trees.discard(self._tree.space_id, self._tree.key)
            self.ended.callback(Posix(Errno.EAGAIN, "the snapshot was removed, or taken anew, meanwhile"))
        except StorageError as error:
            await self._fail(to_onedata_error(error), "the storage failed")
        except PersistenceError:
            await self._fail(ServiceUnavailable(), "the store was away")
        except OnedataError as error:
            await self._fail(error, error.description)
        else:
            self.ended.callback(None)
        finally:
            telling.cancel()

    async def _copy_all(self) -> None:
        """Copy the tree, and again what changed meanwhile."""
        engine, tree = self._context.engine, self._tree
        changes = TreeChanges(engine, tree.scope, self._source.file.key, await engine.last_seq(tree.scope))
        await self._copy.copy(self._source, tree.key)
        catching_up = CatchingUp(
            engine,
            self._context.lookup,
            self._trees,
            self._duplicates,
            self._copy,
            self._source,
            tree,
            changes,
        )
        if not await catching_up.until_quiet():
            self._log.info("{path} changed while its snapshot was taken", path=self._source.path)

    async def _finish(self) -> None:
        """Put the snapshot where it is shown, and what was shown there into the trash, in one commit."""
        shown, now_s, visit = self.shown, self._context.wall_clock(), self._tree.visit
        file, place, trash = shown.chain.file, shown.place, Key(trash_uuid(visit.space_id))
        name = file.name.encode()
        steps: list[Step] = [
            Delete(shown.key, TAKING, expect=shown.revision),
            Link(place.file.key, name, self._tree.top.entry_value, file.entry_value),
            Unlink(place.file.key, name, file.entry_value),
            *into_trash(visit, shown.chain, trash, now_s),
        ]
        try:
            await self._trees.attach(self._tree, place.file.key, steps, [shown.key])
        except PreconditionFailed:
            raise TreeLost from None
        self._trees.purge_soon(visit.space_id)

    async def _tell_for_ever(self) -> None:
        while not self._tree.is_lost:
            await sleep(self._clock, TELL_S)
            await self._lock.run(lambda: Deferred.fromCoroutine(self._tell()))

    async def _tell(self) -> None:
        shown = self.shown
        taking = evolve(shown.taking, percent=self._copy.work.percent)
        step = Put(shown.key, TAKING, taking.encode(), expect=shown.revision)
        try:
            await self._context.transactions.commit(self._tree.space_id, [step])
        except PreconditionFailed:
            self._tree.is_lost = True
        except PersistenceError:
            return  # the copying notices as well, and ends
        else:
            shown.revision += 1

    async def _interrupted(self) -> None:
        if self.shown.taking.is_watched:
            await self._give_up(ServiceUnavailable())
        else:
            await self._fail(ServiceUnavailable(), INTERRUPTED)

    async def _give_up(self, error: OnedataError) -> None:
        """Leave what there is, so that whoever looks sees that nobody is at work on it."""
        try:
            await self._trees.discard(self._tree.space_id, self._tree.key)
        except PersistenceError as trouble:
            self._log.warn("an unfinished snapshot is given up later: {error}", error=trouble)
        self.ended.callback(error)

    async def _fail(self, error: OnedataError, told: str) -> None:
        """Say why there will be no snapshot, unless nobody wants it any more, and give up what there is."""
        shown, engine, scope = self.shown, self._context.engine, self._tree.scope
        try:
            found = (await engine.get(scope, shown.key, [TAKING])).get(TAKING)
            if found is not None and Taking.decode(found.data).tree == self._tree.key:
                data = shown.taking.failed(told).encode()
                step = Put(shown.key, TAKING, data, expect=found.revision)
                await self._context.transactions.commit(self._tree.space_id, [step])
            await self._trees.discard(self._tree.space_id, self._tree.key)
        except PersistenceError as trouble:
            self._log.warn("a snapshot that failed is given up later: {error}", error=trouble)
        self.ended.callback(error)


def into_trash(visit: Visit, chain: Chain, trash: Key, now_s: float) -> list[Step]:
    """Return the steps that put a snapshot, whose entry is taken away apart, into the trash."""
    file = chain.file
    record = Removing("/".join(chain.names), visit.user_id, int(now_s))
    return [
        Link(trash, file.key.encode(), file.entry_value),
        Put(file.key, PARENT, encode_parent(trash), expect=file.revision(PARENT)),
        batches.touch(chain.parent, now_s),
        record.begin(file.key),
    ]
